#pragma once
// io_uring names newer than the packaged headers (liburing 2.3), and the system call of a turn.
#include <stdint.h>

enum : uint8_t {
    VX_OP_READ_MULTISHOT = 49,
    VX_SQE_FIXED_FILE = 1u << 0,
    VX_SQE_BUFFER_SELECT = 1u << 5,
};
enum : uint32_t {
    VX_REGISTER_PBUF_STATUS = 26,
};

/// The layout the kernel fills for IORING_REGISTER_PBUF_STATUS (Linux 6.8).
struct vx_buffer_status {
    uint32_t group;
    uint32_t head;
    uint32_t reserved[8];
};

/// io_uring_enter with a time limit. A negative `timeout_nanoseconds` waits without limit. Returns
/// the number of submissions taken, or -errno; a wait that ran out of time or was interrupted is 0,
/// not an error.
VX_HOT int vx_uring_enter(
    int ring, uint32_t submit, uint32_t wait, uint32_t flags, int64_t timeout_nanoseconds);
/// io_uring_register on an ordinary ring descriptor: the result or -errno.
int vx_uring_register(int ring, uint32_t operation, void *_Nullable argument, uint32_t count);
