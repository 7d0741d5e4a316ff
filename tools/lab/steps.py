"""The steps of the two documents, as frames and as states that can be asked for."""
from dataclasses import dataclass

VTEPS = {"gw1": "T1", "gw2": "T2", "border": "TB"}
SIDES = {"gw1": "G1", "gw2": "G2", "border": "BD"}


@dataclass
class Step:
    """A frame that the document demands. Fields are symbols: `VM1` is a MAC, `T1` a VTEP."""
    label: str
    text: str
    place: str
    eth: str                                         # "VM1 > FF"
    arp: str = ""                                    # "request VM1 10.1.1.11 0 10.1.1.12"
    ip: str = ""                                     # "10.1.1.11 > 10.1.1.12 ttl 64"
    tunnel: str = ""                                 # "T1 > T2 vni 10"
    after: str = ""                                  # the step that comes before this one

    def fields(self):
        return (self.place, self.tunnel, self.eth, self.arp, self.ip)


def distributed(walk):
    """Three parts: the same VXLAN, between VXLANs, to the outside and back."""
    for role in ("vm1", "vm2", "vm4", "vm5", "outside"):
        walk.name("OUT" if role == "outside" else role.upper(), walk.plan.hosts[role].mac)
    for gateway, address in walk.plan.gateways.items():
        walk.name(VTEPS[gateway], address)
        for row in walk.show(gateway, ["show", "arp"]):
            if row["kind"] == "own":
                suffix = row["interface"].removeprefix("vsi")
                walk.name(f"{SIDES[gateway]}.{suffix}", row["mac"])
    walk.name("FF", "ff:ff:ff:ff:ff:ff")
    _legend(walk)
    walk.part("A. The same VXLAN, two sites: VM1 10.1.1.11 pings VM4 10.1.1.12",
              lambda: walk.ping("vm1", "10.1.1.12"), SAME_VXLAN, lambda frames: _a(walk, frames))
    walk.forget("vm1")
    walk.part("B. Two VXLANs, two sites: VM1 10.1.1.11 pings VM5 20.1.1.12",
              lambda: walk.ping("vm1", "20.1.1.12"), BETWEEN_VXLANS,
              lambda frames: _b(walk, frames))
    walk.forget("vm1", "gw2", "border")
    walk.part("C. To the outside and back: VM1 10.1.1.11 pings 50.1.1.1",
              lambda: walk.ping("vm1", "50.1.1.1"), OUTSIDE, lambda frames: _c(walk, frames))


def _legend(walk):
    print("Symbols: " + ", ".join(f"{symbol} = {value}" for value, symbol in walk.names.items()))
    print("\nA line is: step, frame, time, place, on the wire the outer addresses, ports and VNI, "
          "then Ethernet source >\ndestination and what is inside. Frames beside no step (-) are "
          "not spoken of in the document.")


A, Q = "10.1.1.11", "10.1.1.12"
SAME_VXLAN = [
    Step("A1", "VM1 asks for VM4", "vm1", "VM1 > FF", f"request VM1 {A} 0 {Q}"),
    Step("A2", "gw1 answers at once with its own MAC", "vm1", "G1.10 > VM1",
         f"reply G1.10 {Q} VM1 {A}", after="A1"),
    Step("A4", "gw1 asks every other VTEP, with its own MAC as the sender's: gw2", "wire",
         "G1.10 > FF", f"request G1.10 {A} 0 {Q}", tunnel="T1 > T2 vni 10", after="A1"),
    Step("A4b", "and the border", "wire",
         "G1.10 > FF", f"request G1.10 {A} 0 {Q}", tunnel="T1 > TB vni 10", after="A1"),
    Step("A5", "gw2 asks on its own ports, with its own MAC", "vm4", "G2.10 > FF",
         f"request G2.10 {A} 0 {Q}", after="A4"),
    Step("A6", "VM4 answers gw2", "vm4", "VM4 > G2.10", f"reply VM4 {Q} G2.10 {A}", after="A5"),
    Step("A7", "gw2 relays the answer to gw1, the one that asked", "wire", "G2.10 > G1.10",
         f"reply G2.10 {Q} G1.10 {A}", tunnel="T2 > T1 vni 10", after="A6"),
    Step("A9", "VM1 sends data to gw1", "vm1", "VM1 > G1.10", ip=f"{A} > {Q} ttl 64", after="A2"),
    Step("A9b", "gw1 routes: TTL 63 on the wire", "wire", "G1.10 > G2.10", ip=f"{A} > {Q} ttl 63",
         tunnel="T1 > T2 vni 10", after="A9"),
    Step("A9c", "gw2 routes: TTL 62 at VM4", "vm4", "G2.10 > VM4", ip=f"{A} > {Q} ttl 62",
         after="A9b"),
    Step("A9d", "the way back is the same: VM4 to gw2", "vm4", "VM4 > G2.10",
         ip=f"{Q} > {A} ttl 64", after="A9c"),
    Step("A9e", "gw2 to gw1", "wire", "G2.10 > G1.10", ip=f"{Q} > {A} ttl 63",
         tunnel="T2 > T1 vni 10", after="A9d"),
    Step("A9f", "gw1 to VM1", "vm1", "G1.10 > VM1", ip=f"{Q} > {A} ttl 62", after="A9e"),
]


def _a(walk, frames):
    replies = [frame for frame in frames if frame.place == "vm1" and frame.arp.get("op") == "reply"
               and walk.symbol(frame.eth[1]) == "VM1"]
    leaked = [frame for frame in frames if frame.place == "wire"
              and "VM1" in (walk.symbol(frame.eth[0]), walk.symbol(frame.arp.get("sha", "")))]
    return [
        _state(walk, "A2", "gw1", A, ("VM1", "vm1")),
        ("A3", "VM1's own cache: 10.1.1.12 is at the MAC G1.10", walk.cached("vm1", Q) == "G1.10"),
        ("A4", "no frame with VM1's MAC in any tunnel", not leaked),
        _state(walk, "A5", "gw2", A, ("G1.10", "gw1")),
        _state(walk, "A7", "gw2", Q, ("VM4", "vm4")),
        _state(walk, "A8", "gw1", Q, ("G2.10", "gw2")),
        ("A8", "the relayed answer ends at gw1: VM1 got exactly one", len(replies) == 1),
    ]


V = "20.1.1.12"
BETWEEN_VXLANS = [
    Step("B1", "VM1 asks for its gateway", "vm1", "VM1 > FF", f"request VM1 {A} 0 10.1.1.1"),
    Step("B2", "gw1 answers", "vm1", "G1.10 > VM1", f"reply G1.10 10.1.1.1 VM1 {A}", after="B1"),
    Step("B3", "VM1 sends data to gw1", "vm1", "VM1 > G1.10", ip=f"{A} > {V} ttl 64", after="B2"),
    Step("B4", "gw1 asks for VM5 at its own site", "vm2", "G1.20 > FF",
         f"request G1.20 20.1.1.1 0 {V}", after="B3"),
    Step("B4b", "and at every other: gw2", "wire", "G1.20 > FF", f"request G1.20 20.1.1.1 0 {V}",
         tunnel="T1 > T2 vni 20", after="B3"),
    Step("B4c", "and the border", "wire", "G1.20 > FF", f"request G1.20 20.1.1.1 0 {V}",
         tunnel="T1 > TB vni 20", after="B3"),
    Step("B5", "gw2 asks on its own ports, with its own MAC", "vm5", "G2.20 > FF",
         f"request G2.20 20.1.1.1 0 {V}", after="B4b"),
    Step("B6", "VM5 answers gw2", "vm5", "VM5 > G2.20", f"reply VM5 {V} G2.20 20.1.1.1",
         after="B5"),
    Step("B7", "gw2 relays it to gw1, though the address asked for it is its own too", "wire",
         "G2.20 > G1.20", f"reply G2.20 {V} G1.20 20.1.1.1", tunnel="T2 > T1 vni 20", after="B6"),
    Step("B9", "the packet that waited goes on: gw1 routes into VXLAN 20", "wire",
         "G1.20 > G2.20", ip=f"{A} > {V} ttl 63", tunnel="T1 > T2 vni 20", after="B7"),
    Step("B9b", "gw2 routes it to VM5", "vm5", "G2.20 > VM5", ip=f"{A} > {V} ttl 62", after="B9"),
    Step("B9c", "back: VM5 to gw2", "vm5", "VM5 > G2.20", ip=f"{V} > {A} ttl 64", after="B9b"),
    Step("B9d", "gw2 routes into VXLAN 10", "wire", "G2.10 > G1.10", ip=f"{V} > {A} ttl 63",
         tunnel="T2 > T1 vni 10", after="B9c"),
    Step("B9e", "gw1 to VM1", "vm1", "G1.10 > VM1", ip=f"{V} > {A} ttl 62", after="B9d"),
]


def _b(walk, frames):
    flooded = [frame for frame in frames if frame.place != "vm1"
               and frame.arp.get("tpa") == "10.1.1.1" and frame.arp.get("op") == "request"]
    own = walk.arp_of("gw2", "20.1.1.1")
    return [
        ("B2", "the request for the gateway's own address went nowhere else", not flooded),
        ("B5", "gw2 keeps its own 20.1.1.1 at the MAC G2.20", own == ("G2.20", None)),
        _state(walk, "B7", "gw2", V, ("VM5", "vm5")),
        _state(walk, "B8", "gw1", V, ("G2.20", "gw2")),
    ]


O = "50.1.1.1"
OUTSIDE = [
    Step("C1", "VM1 asks for its gateway", "vm1", "VM1 > FF", f"request VM1 {A} 0 10.1.1.1"),
    Step("C2", "gw1 answers", "vm1", "G1.10 > VM1", f"reply G1.10 10.1.1.1 VM1 {A}", after="C1"),
    Step("C3", "VM1 sends data to gw1", "vm1", "VM1 > G1.10", ip=f"{A} > {O} ttl 64", after="C2"),
    Step("C4", "the policy route says 10.1.1.2; gw1 asks for it: gw2", "wire", "G1.10 > FF",
         "request G1.10 10.1.1.1 0 10.1.1.2", tunnel="T1 > T2 vni 10", after="C3"),
    Step("C4b", "and the border", "wire", "G1.10 > FF", "request G1.10 10.1.1.1 0 10.1.1.2",
         tunnel="T1 > TB vni 10", after="C3"),
    Step("C5", "the border answers the VTEP that asked", "wire", "BD.10 > G1.10",
         "reply BD.10 10.1.1.2 G1.10 10.1.1.1", tunnel="TB > T1 vni 10", after="C4b"),
    Step("C7", "gw1 sends the packet to the border", "wire", "G1.10 > BD.10",
         ip=f"{A} > {O} ttl 63", tunnel="T1 > TB vni 10", after="C5"),
    Step("C8", "the border asks for 50.1.1.1 on its native port", "outside", "BD.wan > FF",
         f"request BD.wan 50.1.1.254 0 {O}", after="C7"),
    Step("C8b", "it is answered", "outside", "OUT > BD.wan", f"reply OUT {O} BD.wan 50.1.1.254",
         after="C8"),
    Step("C8c", "the packet leaves without a tunnel", "outside", "BD.wan > OUT",
         ip=f"{A} > {O} ttl 62", after="C8b"),
    Step("C9", "the answer comes to the border", "outside", "OUT > BD.wan",
         ip=f"{O} > {A} ttl 64", after="C8c"),
    Step("C9b", "the border asks for VM1: gw1", "wire", "BD.10 > FF",
         f"request BD.10 10.1.1.2 0 {A}", tunnel="TB > T1 vni 10", after="C9"),
    Step("C9c", "and gw2", "wire", "BD.10 > FF", f"request BD.10 10.1.1.2 0 {A}",
         tunnel="TB > T2 vni 10", after="C9"),
    Step("C9d", "gw1 asks on its own ports, with its own MAC", "vm1", "G1.10 > FF",
         f"request G1.10 10.1.1.2 0 {A}", after="C9b"),
    Step("C9e", "VM1 answers gw1", "vm1", "VM1 > G1.10", f"reply VM1 {A} G1.10 10.1.1.2",
         after="C9d"),
    Step("C9f", "gw1 relays it to the border", "wire", "G1.10 > BD.10",
         f"reply G1.10 {A} BD.10 10.1.1.2", tunnel="T1 > TB vni 10", after="C9e"),
    Step("C9g", "the answer goes to gw1", "wire", "BD.10 > G1.10", ip=f"{O} > {A} ttl 63",
         tunnel="TB > T1 vni 10", after="C9f"),
    Step("C9h", "and to VM1", "vm1", "G1.10 > VM1", ip=f"{O} > {A} ttl 62", after="C9g"),
]


def _c(walk, frames):
    seconds = [frame for frame in frames if frame.place in ("vm1", "vm2", "vm4", "vm5")
               and frame.arp.get("op") == "reply" and frame.arp["spa"] == "10.1.1.2"]
    hits = {row["name"]: row["packets"] for row in walk.show("gw1", ["show", "policy"])}
    return [
        ("C0", f"the policy route out10 of gw1 was used: {hits['out10']} times", hits["out10"] > 0),
        ("C5", "no machine saw an answer about 10.1.1.2", not seconds),
        _state(walk, "C5", "border", "10.1.1.1", ("G1.10", "gw1")),
        _state(walk, "C6", "gw1", "10.1.1.2", ("BD.10", "border")),
        _state(walk, "C9", "border", A, ("G1.10", "gw1")),
    ]


def _state(walk, label, gateway, address, wanted):
    """What a gateway has learned of an address, as its `show arp` says."""
    known = walk.arp_of(gateway, address)
    place = "port" if wanted[1].startswith(("vm", "tap")) else "peer"
    return (label, f"{gateway} show arp: {address} is {wanted[0]}, {place} {wanted[1]}",
            known == wanted)


N1, N2 = "192.168.1.100", "192.168.2.100"
POINT_TO_POINT = [
    Step("F1", "ns1 asks for its gateway", "ns1", "N1 > FF", f"request N1 {N1} 0 192.168.1.1"),
    Step("F1b", "host 1 answers out of the port where N1 is", "ns1", "BR1 > N1",
         f"reply BR1 192.168.1.1 N1 {N1}", after="F1"),
    Step("F2", "ns1 sends its packet", "ns1", "N1 > BR1", ip=f"{N1} > {N2} ttl 64", after="F1b"),
    Step("F3", "the route says 192.168.2.254 on vxlan1, onlink; host 1 asks for it", "wire",
         "VX1 > FF", "request VX1 192.168.1.254 0 192.168.2.254", tunnel="T1 > T2 vni 100",
         after="F2"),
    Step("F5", "host 2 answers through the tunnel", "wire", "VX2 > VX1",
         "reply VX2 192.168.2.254 VX1 192.168.1.254", tunnel="T2 > T1 vni 100", after="F3"),
    Step("F7", "host 1 sends the packet: TTL 63", "wire", "VX1 > VX2", ip=f"{N1} > {N2} ttl 63",
         tunnel="T1 > T2 vni 100", after="F5"),
    Step("F8", "host 2 routes to br2 and asks for ns2", "ns2", "BR2 > FF",
         f"request BR2 192.168.2.1 0 {N2}", after="F7"),
    Step("F8b", "ns2 answers", "ns2", "N2 > BR2", f"reply N2 {N2} BR2 192.168.2.1", after="F8"),
    Step("F8c", "host 2 delivers: TTL 62", "ns2", "BR2 > N2", ip=f"{N1} > {N2} ttl 62",
         after="F8b"),
    Step("F9", "backwards: ns2 sends its answer", "ns2", "N2 > BR2", ip=f"{N2} > {N1} ttl 64",
         after="F8c"),
    Step("F9b", "host 2 sends it: TTL 63", "wire", "VX2 > VX1", ip=f"{N2} > {N1} ttl 63",
         tunnel="T2 > T1 vni 100", after="F9"),
    Step("F9c", "host 1 delivers: TTL 62", "ns1", "BR1 > N1", ip=f"{N2} > {N1} ttl 62",
         after="F9b"),
]


def point_to_point(walk):
    """One part: ns1 pings ns2; host 2 is vxgate or the kernel."""
    for number in (1, 2):
        walk.name(f"N{number}", walk.plan.hosts[f"ns{number}"].mac)
        walk.name(f"T{number}", walk.plan.gateways[f"host{number}"])
        for kind, interface in (("BR", "br"), ("VX", "vxlan")):
            mac = walk.own_mac(f"host{number}", f"{interface}{number}")
            walk.name(f"{kind}{number}", mac)
    walk.name("FF", "ff:ff:ff:ff:ff:ff")
    _legend(walk)
    walk.part(f"F. ns1 {N1} pings ns2 {N2}, behind the other host", lambda: walk.ping("ns1", N2),
              POINT_TO_POINT, lambda frames: _f(walk, frames))


def _f(walk, _):
    """The states after it, on both hosts: the layer-3 egress and the layer-2 egress agree."""
    found = []
    for number, far in ((1, 2), (2, 1)):
        host = f"host{number}"
        if host not in walk.lab.gateways:
            continue
        peer = f"host{far}"
        found += [
            _state(walk, "F9", host, f"192.168.{number}.100", (f"N{number}", "tap2")),
            _state(walk, "F9", host, f"192.168.{far}.254", (f"VX{far}", peer)),
        ]
        rows = walk.show(host, ["show", "fdb"])
        at = {walk.symbol(row["mac"]): row["port"] or row["peer"] for row in rows}
        text = f"{host} show fdb: VX{far} is behind peer {peer}, as the ARP entry says"
        found.append(("F6", text, at.get(f"VX{far}") == peer))
    return found


WALKS = {"distributed": distributed, "point-to-point": point_to_point}
