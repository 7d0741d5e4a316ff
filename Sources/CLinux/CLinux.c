#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>

int vx_pin_thread(int cpu) {
    cpu_set_t set;
    if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int vx_wait_precisely(void) {
    return prctl(PR_SET_TIMERSLACK, 1UL) == 0 ? 0 : -errno;
}

int vx_unpin_thread(void) {
    cpu_set_t set;
    memset(&set, 0xff, sizeof set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int vx_available_cpus(int *cpus, int capacity) {
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(getpid(), sizeof set, &set) != 0) return -errno;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &set)) continue;
        if (count < capacity) cpus[count] = cpu;
        count++;
    }
    return count;
}

int vx_thread_id(void) { return (int)syscall(SYS_gettid); }

int vx_set_thread_name(const char *name) {
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    return -pthread_setname_np(pthread_self(), cut);
}

uint64_t vx_clocks_per_second(void) {
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 20000000};
    uint64_t time = vx_monotonic_nanoseconds();
    uint64_t clocks = vx_clocks();
    nanosleep(&pause, NULL);
    time = vx_monotonic_nanoseconds() - time;
    clocks = vx_clocks() - clocks;
    return time == 0 ? 1 : (uint64_t)((double)clocks * 1e9 / (double)time);
}

int vx_eventfd(void) {
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int vx_eventfd_signal(int descriptor) {
    const uint64_t one = 1;
    return write(descriptor, &one, sizeof one) == sizeof one ? 0 : -errno;
}

uint64_t vx_eventfd_drain(int descriptor) {
    uint64_t count = 0;
    return read(descriptor, &count, sizeof count) == sizeof count ? count : 0;
}

int vx_enter_network_namespace(int descriptor) {
    return setns(descriptor, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int vx_uring_enter(
    int ring, uint32_t submit, uint32_t wait, uint32_t flags, int64_t timeout_nanoseconds) {
    struct __kernel_timespec limit;
    struct io_uring_getevents_arg argument = {0};
    const void *pointer = NULL;
    size_t size = 0;
    if (wait > 0 && timeout_nanoseconds >= 0) {
        limit.tv_sec = timeout_nanoseconds / 1000000000;
        limit.tv_nsec = timeout_nanoseconds % 1000000000;
        argument.ts = (uint64_t)(uintptr_t)&limit;
        flags |= IORING_ENTER_EXT_ARG;
        pointer = &argument;
        size = sizeof argument;
    }
    long result = syscall(SYS_io_uring_enter, ring, submit, wait, flags, pointer, size);
    if (result >= 0) return (int)result;
    return errno == ETIME || errno == EINTR ? 0 : -errno;
}

int vx_uring_register(int ring, uint32_t operation, void *argument, uint32_t count) {
    long result = syscall(SYS_io_uring_register, ring, operation, argument, count);
    return result >= 0 ? (int)result : -errno;
}

void vx_sleep_microseconds(unsigned microseconds) { usleep(microseconds); }
