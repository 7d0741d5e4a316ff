#define _GNU_SOURCE
#include "CLinux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

static struct sockaddr_in vx_address(uint32_t address, uint16_t port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons(port)};
    result.sin_addr.s_addr = htonl(address);
    return result;
}

int vx_bind_ipv4(int descriptor, uint32_t address, uint16_t port) {
    struct sockaddr_in name = vx_address(address, port);
    return bind(descriptor, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : -errno;
}

int vx_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

int vx_get_option(int descriptor, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, level, name, &value, &size) == 0 ? value : -errno;
}

// The kernel doubles what is asked and reports the doubled size; half of it is what was granted.
static int vx_set_buffer(int descriptor, int force, int plain, int bytes) {
    if (vx_set_option(descriptor, SOL_SOCKET, force, bytes) != 0) {
        int result = vx_set_option(descriptor, SOL_SOCKET, plain, bytes);
        if (result != 0) return result;
    }
    int granted = vx_get_option(descriptor, SOL_SOCKET, plain);
    return granted < 0 ? granted : granted / 2;
}

int vx_set_receive_buffer(int descriptor, int bytes) {
    return vx_set_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
}

int vx_set_send_buffer(int descriptor, int bytes) {
    return vx_set_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

int64_t vx_socket_drops(int descriptor) {
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof memory;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return -errno;
    return memory[SK_MEMINFO_DROPS];
}

int vx_path_mtu(uint32_t source, uint32_t destination) {
    struct sockaddr_in to = vx_address(destination, 9);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int result = source == 0 ? 0 : vx_bind_ipv4(descriptor, source, 0);
    if (result == 0 && connect(descriptor, (struct sockaddr *)&to, sizeof to) != 0) result = -errno;
    if (result == 0) result = vx_get_option(descriptor, IPPROTO_IP, IP_MTU);
    close(descriptor);
    return result;
}

int64_t vx_raise_descriptor_limit(int64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    if ((int64_t)limit.rlim_cur < wanted) {
        struct rlimit higher = {.rlim_cur = (rlim_t)wanted, .rlim_max = limit.rlim_max};
        if ((int64_t)higher.rlim_max < wanted) higher.rlim_max = (rlim_t)wanted;
        if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
            limit.rlim_cur = limit.rlim_max;
            (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    }
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

int64_t vx_locked_memory_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return -errno;
    return limit.rlim_cur == RLIM_INFINITY ? -1 : (int64_t)limit.rlim_cur;
}

int vx_packet_bind(int descriptor, int interface_index) {
    struct sockaddr_ll name = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface_index};
    return bind(descriptor, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : -errno;
}

int vx_packet_promiscuous(int descriptor, int interface_index) {
    struct packet_mreq request = {.mr_ifindex = interface_index, .mr_type = PACKET_MR_PROMISC};
    int result = setsockopt(
        descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request);
    return result == 0 ? 0 : -errno;
}

int vx_packet_close_gate(int descriptor) {
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    int result = setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    return result == 0 ? 0 : -errno;
}

int vx_packet_open_gate(int descriptor) {
    return vx_set_option(descriptor, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

int vx_packet_drops(int descriptor, uint32_t *received, uint32_t *dropped) {
    struct tpacket_stats stats = {0};
    socklen_t size = sizeof stats;
    int result = getsockopt(descriptor, SOL_PACKET, VX_PACKET_STATISTICS, &stats, &size);
    if (result != 0) return -errno;
    *received = stats.tp_packets;
    *dropped = stats.tp_drops;
    return 0;
}

int vx_netlink_links(void) {
    struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (descriptor < 0) return -errno;
    if (bind(descriptor, (struct sockaddr *)&name, sizeof name) != 0) {
        int result = -errno;
        close(descriptor);
        return result;
    }
    return descriptor;
}

int vx_netlink_dump_links(int descriptor, uint32_t sequence) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {0};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.header.nlmsg_seq = sequence;
    request.link.ifi_family = AF_UNSPEC;
    ssize_t sent = send(descriptor, &request, sizeof request, 0);
    return sent == sizeof request ? 0 : -errno;
}
