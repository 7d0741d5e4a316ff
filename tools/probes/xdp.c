// One way of taking frames from a device, or of sending them, as cheaply as the kernel lets it:
// a packet socket or a UDP socket under io_uring, as vxgate does it, or AF_XDP with its wake-ups
// on the same kind of ring. tools/xdp-probe runs it and says what the figures mean.
//
//     xdp receive packet|udp|native|generic DEVICE SECONDS GATHER_US underlay|access
//     xdp send    packet|xdp                DEVICE SECONDS
//     xdp pass    native|generic            DEVICE SECONDS
//
// One line of output: packets a second, CPU nanoseconds a packet of this thread, packets a wake-up.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { frameSize = 2048, frameCount = 8192, ringSize = 4096, bufferCount = 512, burst = 32 };
enum { vxlanPort = 4789, family = 44, level = 283 };  // AF_XDP and SOL_XDP, missing in old headers

static _Noreturn void die(const char *what) {
    fprintf(stderr, "xdp: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

// ---- what is counted

struct tally { uint64_t packets, wakeups; double start, end, cpuStart, cpuEnd; };

static void count(struct tally *tally, uint64_t packets) {
    if (tally->packets == 0) {
        tally->start = seconds(CLOCK_MONOTONIC);
        tally->cpuStart = seconds(CLOCK_THREAD_CPUTIME_ID);
    }
    tally->packets += packets;
    tally->end = seconds(CLOCK_MONOTONIC);
    tally->cpuEnd = seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void report(const struct tally *tally) {
    double packets = tally->packets ? tally->packets : 1;
    double time = tally->end > tally->start ? tally->end - tally->start : 1;
    printf("%.0f %.0f %.1f\n", tally->packets / time,
           (tally->cpuEnd - tally->cpuStart) * 1e9 / packets,
           packets / (tally->wakeups ? tally->wakeups : 1));
}

// ---- the ring, and the two ways of waiting

static struct io_uring ring;
static int gather;  // microseconds; 0 takes every packet at once

static void openRing(void) {
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN
            | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE,
        .cq_entries = 16384};
    if (io_uring_queue_init_params(1024, &ring, &parameters) < 0) die("io_uring");
    prctl(PR_SET_TIMERSLACK, 1UL);
}

static void enter(unsigned waitFor, long microseconds) {
    struct __kernel_timespec time = {.tv_sec = microseconds / 1000000,
                                     .tv_nsec = microseconds % 1000000 * 1000};
    struct io_uring_getevents_arg argument = {.ts = (uintptr_t)&time};
    io_uring_smp_store_release(ring.sq.ktail, ring.sq.sqe_tail);
    syscall(__NR_io_uring_enter, ring.ring_fd, ring.sq.sqe_tail - *ring.sq.khead, waitFor,
            IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument);
}

// While packets come they gather, without a wake-up for each.
static void await(const struct tally *tally) {
    if (gather && tally->packets && seconds(CLOCK_MONOTONIC) - tally->end < 1e-3) {
        enter(4096, gather);
        if (io_uring_cq_ready(&ring)) return;
    }
    enter(1, 100000);
}

// ---- AF_XDP

struct queue { uint32_t *producer, *consumer; void *entries; };

static struct queue fillQueue, doneQueue, receiveQueue, sendQueue;
static char *memory;
static int xdpSocket, socketMap;

static struct bpf_insn instruction(uint8_t code, int to, int from, int16_t offset, int32_t value) {
    return (struct bpf_insn){code, to, from, offset, value};
}

static int call(int command, union bpf_attr *attributes) {
    return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

// Frames, or with `underlay` unfragmented VXLAN datagrams without IP options, go to the socket of
// their queue; everything else, and all of it with `passes`, goes on to the kernel.
static int program(bool underlay, bool passes) {
    static const struct { uint8_t size; int16_t offset; int32_t mask, value; } tests[] = {
        {BPF_H, 12, 0xFFFF, 0x0008}, {BPF_B, 14, 0xFF, 0x45}, {BPF_B, 23, 0xFF, 17},
        {BPF_H, 20, 0xFF3F, 0}, {BPF_H, 36, 0xFFFF, vxlanPort >> 8 | (vxlanPort & 255) << 8}};
    struct bpf_insn code[64];
    int length = 0, jumps[8], jumpCount = 0;
    code[length++] = instruction(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0);
    code[length++] = instruction(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0);  // data
    code[length++] = instruction(BPF_LDX | BPF_MEM | BPF_W, 3, 1, 4, 0);  // its end
    code[length++] = instruction(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0);
    code[length++] = instruction(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, underlay ? 50 : 14);
    jumps[jumpCount++] = length;
    code[length++] = instruction(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 0, 0);
    for (size_t test = 0; underlay && test < sizeof tests / sizeof *tests; test++) {
        code[length++] = instruction(
            BPF_LDX | BPF_MEM | tests[test].size, 4, 2, tests[test].offset, 0);
        code[length++] = instruction(BPF_ALU64 | BPF_AND | BPF_K, 4, 0, 0, tests[test].mask);
        jumps[jumpCount++] = length;
        code[length++] = instruction(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 0, tests[test].value);
    }
    if (!passes) {
        code[length++] = instruction(BPF_LDX | BPF_MEM | BPF_W, 2, 6, 16, 0);  // its queue
        code[length++] = instruction(
            BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, socketMap);
        code[length++] = instruction(0, 0, 0, 0, 0);
        code[length++] = instruction(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS);
        code[length++] = instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map);
        code[length++] = instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    }
    for (int jump = 0; jump < jumpCount; jump++) code[jumps[jump]].off = length - jumps[jump] - 1;
    code[length++] = instruction(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS);
    code[length++] = instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)code, .insn_cnt = length,
        .license = (uintptr_t) "MIT"};
    int made = call(BPF_PROG_LOAD, &load);
    if (made < 0) die("load the program");
    return made;
}

static void attach(int program, int device, bool generic) {
    union bpf_attr link = {0};
    link.link_create.prog_fd = program;
    link.link_create.target_ifindex = device;
    link.link_create.attach_type = BPF_XDP;
    link.link_create.flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
    if (call(BPF_LINK_CREATE, &link) < 0) die("attach the program");
}

static struct queue mapQueue(uint64_t page, const struct xdp_ring_offset *offsets, size_t entry) {
    char *start = mmap(NULL, offsets->desc + ringSize * entry, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, xdpSocket, page);
    if (start == MAP_FAILED) die("map a queue");
    return (struct queue){(uint32_t *)(start + offsets->producer),
                          (uint32_t *)(start + offsets->consumer), start + offsets->desc};
}

static void openXDP(int device) {
    size_t bytes = (size_t)frameSize * frameCount;
    int size = ringSize, options[] = {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING,
                                      XDP_TX_RING};
    xdpSocket = socket(family, SOCK_RAW, 0);
    if (xdpSocket < 0) die("an AF_XDP socket");
    memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    struct xdp_umem_reg region = {
        .addr = (uintptr_t)memory, .len = bytes, .chunk_size = frameSize};
    if (setsockopt(xdpSocket, level, XDP_UMEM_REG, &region, sizeof region)) die("its memory");
    for (int index = 0; index < 4; index++)
        if (setsockopt(xdpSocket, level, options[index], &size, sizeof size)) die("its queues");
    struct xdp_mmap_offsets offsets;
    socklen_t length = sizeof offsets;
    if (getsockopt(xdpSocket, level, XDP_MMAP_OFFSETS, &offsets, &length)) die("its offsets");
    fillQueue = mapQueue(XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, 8);
    doneQueue = mapQueue(XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr, 8);
    receiveQueue = mapQueue(XDP_PGOFF_RX_RING, &offsets.rx, sizeof(struct xdp_desc));
    sendQueue = mapQueue(XDP_PGOFF_TX_RING, &offsets.tx, sizeof(struct xdp_desc));
    struct sockaddr_xdp address = {.sxdp_family = family, .sxdp_ifindex = device,
                                   .sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP};
    // The kernel lets go of an earlier socket's queue some time after its program has ended.
    for (int tries = 0; bind(xdpSocket, (void *)&address, sizeof address); tries++) {
        if (errno != EBUSY || tries > 200) die("bind the AF_XDP socket");
        usleep(10000);
    }
}

static void receiveXDP(int device, bool generic, bool underlay, double until) {
    struct tally tally = {0};
    union bpf_attr map = {
        .map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 1};
    socketMap = call(BPF_MAP_CREATE, &map);
    if (socketMap < 0) die("a map of sockets");
    openXDP(device);
    for (uint32_t slot = 0; slot < ringSize; slot++)
        ((uint64_t *)fillQueue.entries)[slot] = (uint64_t)slot * frameSize;
    __atomic_store_n(fillQueue.producer, ringSize, __ATOMIC_RELEASE);
    uint32_t key = 0, value = xdpSocket, taken = 0, given = ringSize;
    union bpf_attr entry = {.map_fd = socketMap, .key = (uintptr_t)&key,
                            .value = (uintptr_t)&value};
    if (call(BPF_MAP_UPDATE_ELEM, &entry)) die("enter the socket");
    attach(program(underlay, false), device, generic);
    for (bool armed = false; seconds(CLOCK_MONOTONIC) < until;) {
        uint32_t last = __atomic_load_n(receiveQueue.producer, __ATOMIC_ACQUIRE);
        if (taken == last) {
            if (!armed)
                io_uring_prep_poll_multishot(io_uring_get_sqe(&ring), xdpSocket, POLLIN);
            armed = true;
            await(&tally);
            tally.wakeups++;
            unsigned head, seen = 0;
            struct io_uring_cqe *completion;
            io_uring_for_each_cqe(&ring, head, completion) {
                if (!(completion->flags & IORING_CQE_F_MORE)) armed = false;
                seen++;
            }
            io_uring_cq_advance(&ring, seen);
            continue;
        }
        uint64_t sum = 0;
        uint32_t first = taken;
        for (; taken != last; taken++, given++) {
            struct xdp_desc *frame =
                &((struct xdp_desc *)receiveQueue.entries)[taken % ringSize];
            sum += *(volatile uint64_t *)(memory + frame->addr);
            ((uint64_t *)fillQueue.entries)[given % ringSize] =
                frame->addr & ~(uint64_t)(frameSize - 1);
        }
        __atomic_store_n(receiveQueue.consumer, taken, __ATOMIC_RELEASE);
        __atomic_store_n(fillQueue.producer, given, __ATOMIC_RELEASE);
        count(&tally, last - first);
    }
    report(&tally);
}

// ---- sockets under io_uring

static void set(int descriptor, int group, int option, int value) {
    if (setsockopt(descriptor, group, option, &value, sizeof value)) die("set up the socket");
}

static int packetSocket(int device, int protocol) {
    int made = socket(AF_PACKET, SOCK_RAW, 0);
    if (made < 0) die("a packet socket");
    set(made, SOL_PACKET, PACKET_VNET_HDR, 1);
    set(made, SOL_PACKET, PACKET_AUXDATA, 1);
    set(made, SOL_PACKET, 23, 1);  // PACKET_IGNORE_OUTGOING
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol),
                                  .sll_ifindex = device};
    if (bind(made, (void *)&address, sizeof address)) die("bind the packet socket");
    return made;
}

static int datagramSocket(void) {
    int made = socket(AF_INET, SOCK_DGRAM, 0);
    if (made < 0) die("a UDP socket");
    set(made, IPPROTO_IP, 13, 1);  // IP_RECVTOS
    set(made, IPPROTO_UDP, 104, 1);  // UDP_GRO
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(vxlanPort)};
    for (int tries = 0; bind(made, (void *)&address, sizeof address); tries++) {
        if (errno != EADDRINUSE || tries > 200) die("bind the UDP socket");
        usleep(10000);
    }
    return made;
}

static void receiveMessages(int device, bool isUDP, double until) {
    struct tally tally = {0};
    enum { size = 4096 };
    int descriptor = isUDP ? datagramSocket() : packetSocket(device, ETH_P_ALL);
    set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);
    struct msghdr message = {.msg_namelen = isUDP ? 16 : 20, .msg_controllen = isUDP ? 66 : 40};
    int pages = PROT_READ | PROT_WRITE, kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    char *buffers = mmap(NULL, (size_t)size * bufferCount, pages, kind, -1, 0);
    struct io_uring_buf_ring *lent =
        mmap(NULL, bufferCount * sizeof(struct io_uring_buf), pages, kind, -1, 0);
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)lent,
                                            .ring_entries = bufferCount};
    if (io_uring_register_buf_ring(&ring, &registration, 0)) die("lend buffers");
    io_uring_buf_ring_init(lent);
    for (int index = 0; index < bufferCount; index++)
        io_uring_buf_ring_add(lent, buffers + index * size, size, index, bufferCount - 1, index);
    io_uring_buf_ring_advance(lent, bufferCount);
    for (bool armed = false; seconds(CLOCK_MONOTONIC) < until;) {
        if (!armed) {
            struct io_uring_sqe *receive = io_uring_get_sqe(&ring);
            io_uring_prep_recvmsg_multishot(receive, descriptor, &message, 0);
            receive->flags |= IOSQE_BUFFER_SELECT;
            armed = true;
        }
        await(&tally);
        tally.wakeups++;
        unsigned head, seen = 0, taken = 0;
        uint64_t sum = 0;
        struct io_uring_cqe *completion;
        io_uring_for_each_cqe(&ring, head, completion) {
            seen++;
            if (!(completion->flags & IORING_CQE_F_MORE)) armed = false;
            if (!(completion->flags & IORING_CQE_F_BUFFER)) continue;
            int buffer = completion->flags >> IORING_CQE_BUFFER_SHIFT;
            sum += *(volatile uint64_t *)(buffers + buffer * size + 100);
            io_uring_buf_ring_add(
                lent, buffers + buffer * size, size, buffer, bufferCount - 1, taken++);
        }
        io_uring_cq_advance(&ring, seen);
        if (taken == 0) continue;
        io_uring_buf_ring_advance(lent, taken);
        count(&tally, taken);
    }
    io_uring_queue_exit(&ring);
    report(&tally);
}

// ---- sending

static uint8_t frame[60] = {2, 0x56, 0x58, 0, 0, 2, 2, 0x56, 0x58, 0, 0, 1, 8, 0, 0x45};

static void sendXDP(int device, double until) {
    struct tally tally = {0};
    uint32_t filled = 0, done = 0;
    openXDP(device);
    for (int slot = 0; slot < frameCount; slot++)
        memcpy(memory + (size_t)slot * frameSize, frame, sizeof frame);
    while (seconds(CLOCK_MONOTONIC) < until) {
        uint32_t last = __atomic_load_n(doneQueue.producer, __ATOMIC_ACQUIRE);
        if (last != done) count(&tally, last - done);
        done = last;
        __atomic_store_n(doneQueue.consumer, done, __ATOMIC_RELEASE);
        for (int index = 0; index < burst && filled - done < ringSize / 2; index++, filled++)
            ((struct xdp_desc *)sendQueue.entries)[filled % ringSize] = (struct xdp_desc){
                .addr = (uint64_t)(filled % ringSize) * frameSize, .len = sizeof frame};
        __atomic_store_n(sendQueue.producer, filled, __ATOMIC_RELEASE);
        sendto(xdpSocket, NULL, 0, MSG_DONTWAIT, NULL, 0);
        tally.wakeups++;
    }
    report(&tally);
}

static void sendPackets(int device, double until) {
    struct tally tally = {0};
    int descriptor = packetSocket(device, 0);
    set(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
    uint8_t offload[10] = {0};
    struct iovec pieces[] = {{offload, sizeof offload}, {frame, sizeof frame}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    while (seconds(CLOCK_MONOTONIC) < until) {
        for (int index = 0; index < burst; index++)
            io_uring_prep_sendmsg(io_uring_get_sqe(&ring), descriptor, &message, MSG_DONTWAIT);
        enter(0, 0);
        tally.wakeups++;
        unsigned head, seen = 0, sent = 0;
        struct io_uring_cqe *completion;
        io_uring_for_each_cqe(&ring, head, completion) {
            seen++;
            if (completion->res > 0) sent++;
        }
        io_uring_cq_advance(&ring, seen);
        if (sent) count(&tally, sent);
    }
    report(&tally);
}

int main(int count, char **words) {
    if (count < 5) return fprintf(stderr, "usage: see the head of tools/probes/xdp.c\n"), 2;
    const char *by = words[2];
    int device = if_nametoindex(words[3]);
    bool underlay = count > 6 && !strcmp(words[6], "underlay");
    if (!device) die(words[3]);
    double until = seconds(CLOCK_MONOTONIC) + atof(words[4]);
    gather = count > 5 ? atoi(words[5]) : 0;
    openRing();
    if (!strcmp(words[1], "pass")) {
        attach(program(true, true), device, !strcmp(by, "generic"));
        usleep(atof(words[4]) * 1e6);
    } else if (!strcmp(words[1], "send")) {
        !strcmp(by, "xdp") ? sendXDP(device, until) : sendPackets(device, until);
    } else if (!strcmp(by, "native") || !strcmp(by, "generic")) {
        receiveXDP(device, !strcmp(by, "generic"), underlay, until);
    } else {
        receiveMessages(device, !strcmp(by, "udp"), until);
    }
    return 0;
}
