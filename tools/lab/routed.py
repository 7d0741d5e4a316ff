"""Wires on which VTEP addresses are routed, for gateways whose underlay is a tap.

A device of the wire has an address of its own in 192.0.2.0/24, with the last number of the VTEP's.
The VTEP address is a /32: of the tap that vxgate makes, or of the wire's device where the gateway
is another. Every gateway routes those of the others by way of their devices.
"""
UNDERLAYS = ("udp", "tap", "mixed")                  # mixed: the first gateway has a tap


def taps(options, gateways):
    """Which of the gateways are to have a tap."""
    kinds = {"udp": [], "tap": list(gateways), "mixed": list(gateways)[:1]}
    return set(kinds[options.underlay])


def address(vtep):
    """Of the wire's device at the gateway with this VTEP address."""
    return f"192.0.2.{vtep.rsplit('.', 1)[1]}"


def connect(lab, vteps, device, with_tap):
    """Addresses and routes at every gateway; forwarding where there is a tap."""
    for name, vtep in vteps.items():
        lines = [f"addr add {address(vtep)}/24 dev {device}", f"link set {device} up"]
        if name not in with_tap:
            lines.append(f"addr add {vtep}/32 dev {device}")
        lines += [f"route add {other}/32 via {address(other)}"
                  for gateway, other in vteps.items() if gateway != name]
        lab.ip(name, *lines)
        if name in with_tap:
            lab.inside(name, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"])
