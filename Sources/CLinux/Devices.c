#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

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

int vx_device_set_no_arp(const char *name) {
    struct ifreq request;
    int result = vx_request_for(name, &request);
    if (result != 0) return result;
    if ((result = vx_device_request(SIOCGIFFLAGS, &request)) != 0) return result;
    request.ifr_flags |= IFF_NOARP;
    return vx_device_request(SIOCSIFFLAGS, &request);
}

// A request about one link to the kernel's routing socket, with one number as attribute if `type`
// is not IFLA_UNSPEC. Unlike the older ioctl calls it heeds the rights of a user namespace.
static int vx_link_request(const char *name, uint16_t operation, uint16_t type, uint32_t value) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
        struct rtattr attribute;
        uint32_t value;
    } request = {
        .header = {.nlmsg_type = operation, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
        .link = {.ifi_family = AF_UNSPEC},
        .attribute = {.rta_len = RTA_LENGTH(sizeof value), .rta_type = type},
        .value = value,
    };
    size_t size = type == IFLA_UNSPEC ? offsetof(typeof(request), attribute) : sizeof request;
    request.header.nlmsg_len = size;
    struct vx_device_state state;
    int result = vx_device_read(name, &state);
    if (result != 0) return result;
    request.link.ifi_index = state.index;
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    if (send(descriptor, &request, size, 0) < 0) result = -errno;
    else if (recv(descriptor, &answer, sizeof answer, 0) < (ssize_t)sizeof answer.header)
        result = -EIO;
    else if (answer.header.nlmsg_type == NLMSG_ERROR) result = answer.error.error;
    close(descriptor);
    return result;
}

int vx_device_set_queue_length(const char *name, int packets) {
    return vx_link_request(name, RTM_NEWLINK, IFLA_TXQLEN, (uint32_t)packets);
}

int vx_device_delete(const char *name) {
    return vx_link_request(name, RTM_DELLINK, IFLA_UNSPEC, 0);
}

static void vx_fill_address(struct sockaddr *target, uint32_t address) {
    struct sockaddr_in value = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    memcpy(target, &value, sizeof value);
}

int vx_route_add_host(uint32_t address, const char *name) {
    struct ifreq named;
    int result = vx_request_for(name, &named);
    if (result != 0) return result;
    struct rtentry route;
    memset(&route, 0, sizeof route);
    vx_fill_address(&route.rt_dst, address);
    vx_fill_address(&route.rt_genmask, 0xFFFFFFFF);
    route.rt_flags = RTF_UP | RTF_HOST;
    route.rt_dev = named.ifr_name;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    result = ioctl(descriptor, SIOCADDRT, &route) == 0 ? 0 : -errno;
    close(descriptor);
    return result;
}
