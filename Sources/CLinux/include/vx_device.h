#pragma once
// Taps and network devices: the ioctl calls Swift cannot make itself. 0 (or the value) or -errno.
#include <stdint.h>

enum : uint32_t {
    VX_TUN_CSUM = 0x01,
    VX_TUN_TSO4 = 0x02,
    VX_TUN_TSO6 = 0x04,
    VX_TUN_TSO_ECN = 0x08,
    VX_TUN_USO4 = 0x20,
    VX_TUN_USO6 = 0x40,
    // Linux 6.17; newer than the packaged headers.
    VX_TUN_UDP_TUNNEL_GSO = 0x80,
    VX_TUN_UDP_TUNNEL_GSO_CSUM = 0x100,
};

/// Makes `descriptor` (an open /dev/net/tun) one queue of the tap `name`.
int vx_tap_attach(int descriptor, const char *_Nonnull name);
int vx_tap_set_offload(int descriptor, uint32_t flags);
int vx_tap_set_header_length(int descriptor, int bytes);

/// What the kernel says about one device of the calling thread's network namespace.
struct vx_device_state {
    int32_t index;
    int32_t mtu;
    uint32_t flags;
    uint8_t address[6];
};
int vx_device_read(const char *_Nonnull name, struct vx_device_state *_Nonnull state);
int vx_device_set_mtu(const char *_Nonnull name, int mtu);
int vx_device_set_up(const char *_Nonnull name, int up);
int vx_device_set_address(const char *_Nonnull name, const uint8_t *_Nonnull address);
/// No neighbor discovery on the device (IFF_NOARP): every next hop has the device's own address.
int vx_device_set_no_arp(const char *_Nonnull name);
/// Packets that may wait in each queue of the device.
int vx_device_set_queue_length(const char *_Nonnull name, int packets);
/// Removes the device, whoever holds it open.
int vx_device_delete(const char *_Nonnull name);
/// A route to one address (host order) out of the device.
int vx_route_add_host(uint32_t address, const char *_Nonnull name);
