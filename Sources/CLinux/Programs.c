#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>

static int vx_bpf(enum bpf_cmd command, union bpf_attr *attributes) {
    long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
    return result < 0 ? -errno : (int)result;
}

int vx_program_load(const uint64_t *instructions, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = (uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uintptr_t) "MIT";
    strcpy(attributes.prog_name, "vxgate");
    return vx_bpf(BPF_PROG_LOAD, &attributes);
}

int64_t vx_program_run(int program, const void *packet, uint32_t byte_count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.test.prog_fd = (uint32_t)program;
    attributes.test.data_in = (uintptr_t)packet;
    attributes.test.data_size_in = byte_count;
    int result = vx_bpf(BPF_PROG_TEST_RUN, &attributes);
    return result < 0 ? result : (int64_t)attributes.test.retval;
}

int vx_tap_set_steering(int descriptor, int program) {
    return ioctl(descriptor, TUNSETSTEERINGEBPF, &program) == 0 ? 0 : -errno;
}
