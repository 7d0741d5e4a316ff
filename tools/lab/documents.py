"""The networks of the two documents that vxgate implements, made from the files in `examples`.

distributed and centralized: two sites with two virtual machines each, and a border to the outside.

    vm1 10.1.1.11 (VXLAN 10) --+                        +-- vm4 10.1.1.12 (VXLAN 10)
    vm2 20.1.1.11 (VXLAN 20) --+ site 1          site 2 +-- vm5 20.1.1.12 (VXLAN 20)
                               172.16.0.1    172.16.0.2
                                        \\    /
                                      172.16.0.3 border -- 50.1.1.1 outside

point-to-point: two hosts, a namespace behind each; host 2 may be the Linux kernel itself.

    ns1 192.168.1.100 -- host1 10.33.30.150 ==== 10.33.30.151 host2 -- 192.168.2.100 ns2
"""
import os
import re
from dataclasses import dataclass

import routed
from labstate import LabError, run

EXAMPLES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "examples")
OVERHEAD = 50                                        # IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14
MEASURE_VNI = 30


@dataclass(frozen=True)
class Host:
    """A network stack behind a device of a gateway."""
    gateway: str
    port: str                                        # the gateway's end of the veth
    device: str                                      # the host's own end
    address: str
    router: str
    mac: str


@dataclass(frozen=True)
class Plan:
    """Gateways with their VTEP addresses, on `underlay`; the hosts behind them."""
    underlay: str
    gateways: dict
    hosts: dict


def _sites(first, second, border):
    return Plan("eth0", {first: "172.16.0.1", second: "172.16.0.2", border: "172.16.0.3"}, {
        "vm1": Host(first, "vm1", "eth0", "10.1.1.11/24", "10.1.1.1", "52:54:00:00:00:01"),
        "vm2": Host(first, "vm2", "eth0", "20.1.1.11/24", "20.1.1.1", "52:54:00:00:00:02"),
        "vm4": Host(second, "vm4", "eth0", "10.1.1.12/24", "10.1.1.1", "52:54:00:00:00:04"),
        "vm5": Host(second, "vm5", "eth0", "20.1.1.12/24", "20.1.1.1", "52:54:00:00:00:05"),
        "outside": Host(border, "wan0", "eth0", "50.1.1.1/24", "50.1.1.254", "52:54:00:00:00:50"),
    })


PLANS = {
    "distributed": _sites("gw1", "gw2", "border"),
    "centralized": _sites("vtep1", "vtep2", "gateway"),
    "point-to-point": Plan("ens160", {"host1": "10.33.30.150", "host2": "10.33.30.151"}, {
        "ns1": Host("host1", "tap2", "tap1", "192.168.1.100/24", "192.168.1.1",
                    "52:54:00:00:01:00"),
        "ns2": Host("host2", "tap2", "tap1", "192.168.2.100/24", "192.168.2.1",
                    "52:54:00:00:02:00"),
    }),
}


def build(lab, network, options):
    """Everything of a network, its gateways running."""
    plan = PLANS[network]
    kernel = options.kernel_host2
    if kernel and network != "point-to-point":
        raise LabError("--kernel-host2: only the network point-to-point has a host2")
    if options.generator and network != "distributed":
        raise LabError("--generator: only the network distributed has a place for one")
    if options.set:
        raise LabError("--set: the networks of the documents are made from their files as they are")
    lab.about = (f"{network}, access {options.access}, underlay {options.underlay}"
                 + (", kernel as host2" if kernel else ""))
    with_tap = routed.taps(options, [name for name in plan.gateways
                                     if not (kernel and name == "host2")])
    for role in ("wire", *plan.gateways, *plan.hosts, *(["gen"] if options.generator else [])):
        lab.namespace(role)
    _wire(lab, plan, options.mtu, with_tap)
    if options.generator:
        _generator(lab, options)
    for name in plan.gateways:
        hosts = {role: host for role, host in plan.hosts.items() if host.gateway == name}
        is_kernel = kernel and name == "host2"
        for role, host in hosts.items():
            # The way out of the border is a device that exists, as a NIC does.
            if is_kernel or options.access == "veth" or host.port == "wan0":
                _veth(lab, name, host.port, role, host.device)
        if is_kernel:
            _kernel_host(lab)
        else:
            lab.start(name, os.path.realpath(options.binary),
                      configuration(lab, network, name, options, name in with_tap))
        for role, host in hosts.items():
            _host(lab, role, host, options.mtu - OVERHEAD)


def configuration(lab, network, name, options, has_tap):
    """The shipped file; only where the devices and the control socket are is this lab's own, and
    what carries the tunnels."""
    with open(os.path.join(EXAMPLES, network, f"{name}.yaml"), encoding="utf-8") as source:
        text = source.read()
    if has_tap:
        text, count = re.subn(r"^(vtep:(?: \{)?)(\s+)(address: )",
                              lambda match: match[1] + match[2] + "underlay: tap"
                              + (", " if match[1].endswith("{") else match[2]) + match[3],
                              text, flags=re.MULTILINE)
        if count != 1:
            raise LabError(f"examples/{network}/{name}.yaml: vtep does not begin with its address")
    if options.access == "tap":
        for role, host in PLANS[network].hosts.items():
            if host.gateway == name and host.port != "wan0":
                text, count = re.subn(
                    rf"type: packet, device: {host.port},",
                    f"type: tap, device: {host.device}, netns: {lab.roles[role]},", text)
                if count != 1:
                    raise LabError(f"examples/{network}/{name}.yaml has no port on {host.port}")
    if options.generator and name in ("gw1", "gw2"):
        text = _with_generator(lab, name, text, options.access)
    socket = os.path.join(lab.directory, name, "control.sock")
    return f"{text}control: {{ socket: {socket} }}\n"


def _with_generator(lab, name, text, access):
    """Both distributed gateways serve a port for a generator, in a VXLAN of its own."""
    side = name[-1]
    far = {"gw1": "gw2", "gw2": "gw1"}[name]
    where = (f"type: tap, device: gen{side}, netns: {lab.roles['gen']}" if access == "tap"
             else f"type: packet, device: gen{side}-port")
    vsi = f"vsis:\n  - {{ name: measure, vni: {MEASURE_VNI}, flood-list: [{far}] }}\n"
    port = f"access-ports:\n  - {{ name: gen{side}, {where}, vsi: measure }}\n"
    return text.replace("vsis:\n", vsi, 1).replace("access-ports:\n", port, 1)


def _generator(lab, options):
    if options.access == "veth":
        for side in (1, 2):
            _veth(lab, f"gw{side}", f"gen{side}-port", "gen", f"gen{side}")
            lab.ip("gen", f"link set gen{side} up")


def _wire(lab, plan, mtu, with_tap):
    """A switch that all gateways are plugged into; `lab walk` listens at its ports."""
    lab.ip("wire", "link add wire type bridge stp_state 0 mcast_snooping 0", "link set wire up")
    for name, address in plan.gateways.items():
        _veth(lab, "wire", name, name, plan.underlay, mtu)
        lab.ip("wire", f"link set {name} master wire")
        if not with_tap:
            lab.ip(name, f"addr add {address}/24 dev {plan.underlay}")
    if with_tap:
        routed.connect(lab, plan.gateways, plan.underlay, with_tap)


def _veth(lab, role, device, far_role, far_device, mtu=1500):
    run(["ip", "-n", lab.roles[role], "link", "add", device, "mtu", str(mtu), "type", "veth",
         "peer", "name", far_device, "mtu", str(mtu), "netns", lab.roles[far_role]])
    lab.ip(role, f"link set {device} up")
    lab.ip(far_role, f"link set {far_device} up")


def _host(lab, role, host, mtu):
    lab.await_device(role, host.device)
    lab.ip(role, f"link set {host.device} address {host.mac} mtu {mtu} up",
           f"addr add {host.address} dev {host.device}", f"route add default via {host.router}")


def _kernel_host(lab):
    """Host 2 with the commands of the document; the two switches that they set are its own too."""
    lab.ip("host2",
           "link add vxlan2 type vxlan id 100 dstport 4789 remote 10.33.30.150 "
           "local 10.33.30.151 dev ens160",
           "link set dev vxlan2 up",
           "addr add 192.168.2.254/32 dev vxlan2",
           "link add br2 type bridge mcast_snooping 0",
           "link set dev br2 up",
           "addr add 192.168.2.1/24 dev br2",
           "link set tap2 master br2",
           "route add 192.168.1.0/24 via 192.168.1.254 dev vxlan2 onlink")
    switches = ("for one in conf/all/rp_filter conf/br2/rp_filter conf/vxlan2/rp_filter; do "
                "echo 0 > /proc/sys/net/ipv4/$one; done; echo 1 > /proc/sys/net/ipv4/ip_forward")
    lab.inside("host2", ["sh", "-c", switches])
