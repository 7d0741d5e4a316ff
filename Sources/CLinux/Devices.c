#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_tun.h>

static int vx_request_for(const char *name, struct ifreq *request) {
    memset(request, 0, sizeof *request);
    if (strlen(name) == 0 || strlen(name) >= IFNAMSIZ) return -EINVAL;
    strcpy(request->ifr_name, name);
    return 0;
}

int vx_tap_attach(int descriptor, const char *name) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
    return ioctl(descriptor, TUNSETIFF, &request) == 0 ? 0 : -errno;
}

int vx_tap_set_offload(int descriptor, uint32_t flags) {
    return ioctl(descriptor, TUNSETOFFLOAD, (unsigned long)flags) == 0 ? 0 : -errno;
}

int vx_tap_set_header_length(int descriptor, int bytes) {
    return ioctl(descriptor, TUNSETVNETHDRSZ, &bytes) == 0 ? 0 : -errno;
}

// One ioctl on a socket made in the calling thread's network namespace.
static int vx_device_request(unsigned long code, struct ifreq *request) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int result = ioctl(descriptor, code, request) == 0 ? 0 : -errno;
    close(descriptor);
    return result;
}

int vx_device_read(const char *name, struct vx_device_state *state) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    memset(state, 0, sizeof *state);
    if ((result = vx_device_request(SIOCGIFINDEX, &request)) != 0) return result;
    state->index = request.ifr_ifindex;
    if ((result = vx_device_request(SIOCGIFMTU, &request)) != 0) return result;
    state->mtu = request.ifr_mtu;
    if ((result = vx_device_request(SIOCGIFFLAGS, &request)) != 0) return result;
    state->flags = (uint16_t)request.ifr_flags;
    if ((result = vx_device_request(SIOCGIFHWADDR, &request)) != 0) return result;
    memcpy(state->address, request.ifr_hwaddr.sa_data, sizeof state->address);
    return 0;
}

int vx_device_set_mtu(const char *name, int mtu) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    request.ifr_mtu = mtu;
    return vx_device_request(SIOCSIFMTU, &request);
}

int vx_device_set_up(const char *name, int up) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    if ((result = vx_device_request(SIOCGIFFLAGS, &request)) != 0) return result;
    if (up) request.ifr_flags |= IFF_UP;
    else request.ifr_flags &= ~IFF_UP;
    return vx_device_request(SIOCSIFFLAGS, &request);
}

int vx_device_set_address(const char *name, const uint8_t *address) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, address, 6);
    return vx_device_request(SIOCSIFHWADDR, &request);
}
