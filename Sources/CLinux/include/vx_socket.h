#pragma once
// Socket constants newer than, or hidden by, the packaged headers, and calls that need C.
// Those that return int give 0 (or the value) or -errno. Addresses and ports are in host order.
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>

enum : int32_t {
    VX_UDP_SEGMENT = 103,
    VX_UDP_GRO = 104,
    VX_ATTACH_REUSEPORT_EBPF = 52,
    VX_PACKET_STATISTICS = 6,
    VX_PACKET_FANOUT_DATA = 22,
    VX_PACKET_FANOUT_HASH = 0,
    VX_PACKET_FANOUT_EBPF = 7,
    VX_PACKET_FANOUT_FLAG_UNIQUE_ID = 0x2000,
    VX_PACKET_FANOUT_FLAG_IGNORE_OUTGOING = 0x4000,
};

/// One send operation as the kernel reads it: a message header, what it points to, and room for
/// headers that the sender writes. Constant parts are set once; a send touches the rest only.
struct vx_send_operation {
    struct msghdr message;
    uint8_t *_Nullable scratch;
    uint32_t scratch_capacity;
    uint32_t scratch_used;
    uint32_t vector_capacity;
    uint32_t index;
    uint64_t note;
    int32_t file;
    uint32_t byte_count;
    uint8_t file_flags;
    uint8_t opcode;
    uint8_t is_busy;
    struct sockaddr_in destination;
    uint64_t control[9];
};

/// One control message (struct cmsghdr and a value of up to 8 bytes) as the kernel reads it.
struct vx_control_message {
    uint64_t length;
    int32_t level;
    int32_t type;
    uint64_t value;
};

int vx_bind_ipv4(int descriptor, uint32_t address, uint16_t port);
int vx_set_option(int descriptor, int level, int name, int value);
/// The value of an integer option, or -errno.
int vx_get_option(int descriptor, int level, int name);
/// Sets SO_RCVBUF or SO_SNDBUF, beyond the system's limit where the process may; returns the size
/// in force.
int vx_set_receive_buffer(int descriptor, int bytes);
int vx_set_send_buffer(int descriptor, int bytes);
/// Datagrams this socket lost because its buffer was full, since it was made.
int64_t vx_socket_drops(int descriptor);
/// The path MTU the kernel holds for `destination`, from `source` (0 = any).
int vx_path_mtu(uint32_t source, uint32_t destination);
/// Raises the limit of open descriptors to `wanted`, or to the hard limit where that is lower and
/// the process may not raise it; returns the limit in force.
int64_t vx_raise_descriptor_limit(int64_t wanted);
/// Bytes of memory this process may lock; -1 = unlimited.
int64_t vx_locked_memory_limit(void);

int vx_packet_bind(int descriptor, int interface_index);
int vx_packet_promiscuous(int descriptor, int interface_index);
/// A filter that lets nothing in: keeps a socket empty until its options are all set.
int vx_packet_close_gate(int descriptor);
int vx_packet_open_gate(int descriptor);
/// Packets lost by a packet socket since the last call (reading clears the kernel's count).
int vx_packet_drops(int descriptor, uint32_t *_Nonnull received, uint32_t *_Nonnull dropped);

/// A non-blocking routing socket that hears link changes.
int vx_netlink_links(void);
/// Asks for every link; answers arrive on the same socket.
int vx_netlink_dump_links(int descriptor, uint32_t sequence);
