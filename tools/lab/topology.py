"""What the labs look like: addresses, devices, and the configuration of each gateway."""
import os
import sys

import documents
import routed
from documents import OVERHEAD
from labstate import LabError, run

SIDES = {                                            # what gw1 and gw2 are
    "two-gateways": ("vxgate", "vxgate"),
    "kernel-peer": ("vxgate", "kernel"),
    "kernel-only": ("kernel", "kernel"),
    "bare": (None, None),                            # wire and veths, for gateways started by hand
    "bare-peer": (None, "kernel"),                   # the same with the kernel at the other end
}
NETWORKS = (*SIDES, *documents.PLANS)
VSIS = {"red": 10, "blue": 20, "measure": 30}        # VSI -> VNI
# Hosts of gateway n by VSI: the role of their namespace and their device, the addresses they hold.
HOSTS = {
    1: {"red": ("red1", "red1", ["10.1.0.1/24"]),
        "blue": ("blue1", "blue1", ["10.1.0.1/24"]),
        "measure": ("gen", "gen1", [])},
    2: {"red": ("red2", "red2", ["10.1.0.2/24"]),
        "blue": ("blue2", "blue2", ["10.1.0.2/24", "10.1.0.3/24"]),
        "measure": ("gen", "gen2", [])},
}


def default_binary():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    return os.environ.get("VXGATE_BINARY") or os.path.join(root, ".build", "release", "vxgate")


def vtep(side):
    return f"198.51.100.{side}"


def named(options):
    """The network asked for; a lab with the name of a network is that network."""
    return options.topology or (options.name if options.name in NETWORKS else "two-gateways")


def build(lab, options):
    network = named(options)
    options.access = options.access or ("veth" if network in documents.PLANS else "tap")
    if network in documents.PLANS:
        _program(options)
        return documents.build(lab, network, options)
    if options.kernel_host2 or options.generator:
        raise LabError(f"--kernel-host2 and --generator are not for the network {network}")
    return _tenants(lab, network, options)


def _program(options):
    if not os.access(options.binary, os.X_OK):
        raise LabError(f"no program at {options.binary}: build it with `swift build -c release`")


def _tenants(lab, network, options):
    kinds = SIDES[network]
    lab.about = f"{network}, access {options.access}, underlay {options.underlay}"
    if "vxgate" in kinds:
        _program(options)
    hosts = {role for side in HOSTS.values() for role, _, _ in side.values()}
    for role in ("gw1", "gw2", *sorted(hosts)):
        lab.namespace(role)
    ours = [f"gw{side}" for side, kind in enumerate(kinds, start=1) if kind != "kernel"]
    with_tap = routed.taps(options, ours)
    _wire(lab, options.mtu, with_tap)
    for side, kind in enumerate(kinds, start=1):
        access = options.access if kind == "vxgate" else "veth"
        if access == "veth":
            _veths(lab, side)
        if kind == "kernel":
            _kernel_gateway(lab, side)
        elif kind == "vxgate":
            text = configuration(lab, side, access, options, f"gw{side}" in with_tap)
            lab.start(f"gw{side}", os.path.realpath(options.binary), text)
        _hosts(lab, side, options.mtu - OVERHEAD)


def _wire(lab, mtu, with_tap):
    """One veth is the underlay; each end has its VTEP address, or routes to it with a tap."""
    run(["ip", "-n", lab.roles["gw1"], "link", "add", "under", "mtu", str(mtu), "type", "veth",
         "peer", "name", "under", "mtu", str(mtu), "netns", lab.roles["gw2"]])
    if with_tap:
        return routed.connect(lab, {f"gw{side}": vtep(side) for side in (1, 2)}, "under", with_tap)
    for side in (1, 2):
        lab.ip(f"gw{side}", f"addr add {vtep(side)}/24 dev under", "link set under up")


def _veths(lab, side):
    """A veth for each host; the gateway's end has the host's device name with `-port`."""
    for role, device, _ in HOSTS[side].values():
        run(["ip", "-n", lab.roles[f"gw{side}"], "link", "add", f"{device}-port", "type", "veth",
             "peer", "name", device, "netns", lab.roles[role]])
        lab.ip(f"gw{side}", f"link set {device}-port up")


def _kernel_gateway(lab, side):
    """The same VSIs as Linux bridges with a vxlan device each: the peer to be measured by."""
    gateway = f"gw{side}"
    for vsi, vni in VSIS.items():
        lab.ip(gateway,
               f"link add br-{vsi} type bridge stp_state 0 mcast_snooping 0",
               f"link add vx-{vsi} type vxlan id {vni} local {vtep(side)} "
               f"remote {vtep(3 - side)} dstport 4789 srcport 49152 65535 ttl 64",
               f"link set vx-{vsi} master br-{vsi}",
               f"link set {HOSTS[side][vsi][1]}-port master br-{vsi}",
               f"link set vx-{vsi} up", f"link set br-{vsi} up")


def _hosts(lab, side, mtu):
    for role, device, addresses in HOSTS[side].values():
        lab.await_device(role, device)
        lab.ip(role, f"link set {device} mtu {mtu} up",
               *(f"addr add {address} dev {device}" for address in addresses))


def configuration(lab, side, access, options, has_tap):
    """The file of one gateway."""
    sections = {
        "system": {"name": f"gw{side}", "workers": options.workers},
        "vtep": {"address": vtep(side), **({"underlay": "tap"} if has_tap else {})},
        "control": {"socket": os.path.join(lab.directory, f"gw{side}", "control.sock")},
    }
    for change in options.set:
        place, separator, value = change.partition("=")
        section, dot, key = place.partition(".")
        if not separator or not dot or section not in sections:
            raise LabError(f"--set {change}: write SECTION.KEY=VALUE with SECTION one of "
                           f"{', '.join(sections)}")
        sections[section][key] = value
    lines = []
    for section, values in sections.items():
        lines += [f"{section}:", *(f"  {key}: {value}" for key, value in values.items())]
    lines += ["peers:", f"  - {{ name: gw{3 - side}, address: {vtep(3 - side)} }}", "vsis:"]
    lines += [f"  - {{ name: {vsi}, vni: {vni} }}" for vsi, vni in VSIS.items()]
    lines.append("access-ports:")
    for vsi, (role, device, _) in HOSTS[side].items():
        if access == "tap":
            where = f"type: tap, device: {device}, netns: {lab.roles[role]}"
        else:
            where = f"type: packet, device: {device}-port"
        lines.append(f"  - {{ name: {device}, {where}, vsi: {vsi} }}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit("this file is part of tools/lab/lab")
