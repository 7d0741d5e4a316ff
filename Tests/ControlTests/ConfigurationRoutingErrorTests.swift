import Testing

/// VRFs, interfaces, routes, policies and static ARP entries that are refused.
@Suite struct ConfigurationRoutingErrorTests {
    @Test(arguments: Self.texts) func isRefused(_ broken: BrokenText) { broken.check() }

    static let texts: [BrokenText] = [
        BrokenText(
            "overlapping subnets", "10.0.20.1/24", "10.0.10.129/25", at: "22:47",
            "vsi-interfaces[1].address", "10.0.10.129/25 overlaps 10.0.10.1/24 of interface"),
        BrokenText(
            "one subnet on two interfaces", "10.0.20.1/24", "10.0.10.7/24", at: "22:47",
            "vsi-interfaces[1].address", "10.0.10.7/24 overlaps 10.0.10.1/24 of interface"),
        BrokenText(
            "one address twice in a VRF", "10.0.20.1/24", "[10.0.20.1/24, 10.0.10.1/32]",
            at: "22:62", "vsi-interfaces[1].address[1]", "10.0.10.1 is that of"),
        BrokenText(
            "one address twice in a list", "10.0.20.1/24", "[10.0.20.1/24, 10.0.20.1/24]",
            at: "22:62", "vsi-interfaces[1].address[1]", "10.0.20.1 is that of"),
        BrokenText(
            "the network's address", "10.0.20.1/24", "10.0.20.0/24", at: "22:47",
            "vsi-interfaces[1].address", "10.0.20.0/24 is the address of"),
        BrokenText(
            "the broadcast address", "10.0.20.1/24", "10.0.20.255/24", at: "22:47",
            "vsi-interfaces[1].address", "10.0.20.255/24 is the broadcast address"),
        BrokenText(
            "an address without a length", "10.0.20.1/24", "10.0.20.1", at: "22:47",
            "vsi-interfaces[1].address", "10.0.20.1 has no length: write"),
        BrokenText(
            "a length of 33", "10.0.20.1/24", "10.0.20.1/33", at: "22:47",
            "vsi-interfaces[1].address", "is not an interface address"),
        BrokenText(
            "no address", "address: 10.0.20.1/24, ", "", at: "22:5", "vsi-interfaces[1].address",
            "the key is missing here"),
        BrokenText(
            "an address borrowed from nobody", "address: 10.0.20.1/24, ", "source: g40, ",
            at: "22:46", "vsi-interfaces[1].source", "g40 does not exist: write vtep, or"),
        BrokenText(
            "an address borrowed from itself", "address: 10.0.20.1/24, ", "source: g20, ",
            at: "22:46", "vsi-interfaces[1].source", "g20 is this interface"),
        BrokenText(
            "an address borrowed from another VRF", "address: 10.0.20.1/24, ", "source: g30, ",
            at: "22:46", "vsi-interfaces[1].source", "g30 is in VRF blue, and not in red"),
        BrokenText(
            "an address borrowed from one who borrows",
            "address: 10.0.20.1/24, mac: 00:00:5e:00:01:01 }\n"
                + "  - { name: g30, vsi: v30, vrf: blue, address: 10.0.10.1/24,",
            "source: g30 }\n  - { name: g30, vsi: v30, vrf: red, source: vtep,", at: "22:46",
            "vsi-interfaces[1].source", "g30 has no address of its own to borrow"),
        BrokenText(
            "a native packet port in another namespace", "",
            "native-ports: [{ name: n, type: packet, device: n0, netns: x, address: 9.9.9.9/24 }]",
            at: "31:60", "native-ports[0].netns", "netns says where a tap is made"),
        BrokenText(
            "an unknown VRF", "vrf: blue", "vrf: nowhere", at: "23:33", "vsi-interfaces[2].vrf",
            "no VRF is named "),
        BrokenText(
            "a VRF named twice", "[default, red, blue]", "[default, red, blue, red]", at: "10:28",
            "vrfs[3]", "is named twice"),
        BrokenText(
            "an interface in an unknown VSI", "name: g30, vsi: v30", "name: g30, vsi: nowhere",
            at: "23:23", "vsi-interfaces[2].vsi", "no VSI is named "),
        BrokenText(
            "two interfaces of one VSI", "name: g30, vsi: v30", "name: g30, vsi: v20", at: "23:23",
            "vsi-interfaces[2].vsi", "VSI v20 has an interface"),
        BrokenText(
            "MTU 0", "vrf: blue, ", "vrf: blue, mtu: 0, ", at: "23:44", "vsi-interfaces[2].mtu",
            "is out of range: a"),
        BrokenText(
            "a next hop outside every subnet", "via: 10.0.10.2", "via: 172.31.0.1", at: "30:34",
            "static-routes[0].via", "next hop 172.31.0.1 is outside"),
        BrokenText(
            "a next hop of another interface", "via: 10.0.10.2", "via: 10.0.20.2", at: "30:34",
            "static-routes[0].via", "next hop 10.0.20.2 is in"),
        BrokenText(
            "a next hop that is ours", "via: 10.0.10.2", "via: 10.0.10.1", at: "30:34",
            "static-routes[0].via", "next hop 10.0.10.1 is an"),
        BrokenText(
            "a next hop that is a broadcast address", "via: 10.0.10.2", "via: 10.0.10.255",
            at: "30:34", "static-routes[0].via", "10.0.10.255 is the broadcast address"),
        BrokenText(
            "a multicast next hop", "via: 10.0.10.2", "via: 224.0.0.1", at: "30:34",
            "static-routes[0].via", "224.0.0.1 is a multicast address"),
        BrokenText(
            "onlink without an interface", "interface: g10, vrf: red }", "vrf: red, onlink: true }",
            at: "30:63", "static-routes[0].onlink", "onlink needs an 'interface'"),
        BrokenText(
            "a route by an unknown interface", "interface: g10, vrf", "interface: g11, vrf",
            at: "30:56", "static-routes[0].interface", "did you mean 'g10'?"),
        BrokenText(
            "a route in an unknown VRF", "interface: g10, vrf: red }", "vrf: rad }", at: "30:50",
            "static-routes[0].vrf", "did you mean 'red'?"),
        BrokenText(
            "a route in the VRF of another", "interface: g10, vrf: red",
            "interface: g10, vrf: blue", at: "30:66", "static-routes[0].vrf",
            "interface g10 is in VRF"),
        BrokenText(
            "a prefix with host bits", "192.0.2.0/24", "192.0.2.1/24", at: "30:15",
            "static-routes[0].prefix", "did you mean 192.0.2.0/24?"),
        BrokenText(
            "a route to nowhere", "via: 10.0.10.2, ", "", at: "30:5", "static-routes[0]",
            "the route leads nowhere: add"),
        BrokenText(
            "a blackhole with a next hop", "vrf: red }", "vrf: red, blackhole: true }\n",
            at: "30:5", "static-routes[0]", "a blackhole has no "),
        BrokenText(
            "the same route twice", "via: 10.0.10.2", "via: [10.0.10.2, 10.0.10.2]", at: "30:46",
            "static-routes[0].via[1]", "the same route to 192.0.2.0/24"),
        BrokenText(
            "a blackhole beside a next hop", "",
            "  - { prefix: 192.0.2.0/24, vrf: red, blackhole: true }",
            at: "31:5", "static-routes[1]", "a blackhole and a next hop for 192.0.2.0/24"),
        BrokenText(
            "a next hop beside a blackhole", "  - { prefix: 192.0.2.0/24, via",
            "  - { prefix: 192.0.2.0/24, vrf: red, blackhole: true }\n"
                + "  - { prefix: 192.0.2.0/24, via",
            at: "31:34", "static-routes[1].via", "contradict each other"),
        BrokenText(
            "ARP on an unknown interface", "interface: g10, address", "interface: g1O, address",
            at: "28:18", "static-arp[0].interface", "did you mean 'g10'?"),
        BrokenText(
            "ARP for our own address", "10.0.10.101", "10.0.10.1", at: "28:32",
            "static-arp[0].address", "10.0.10.1 is the interface's own"),
        BrokenText(
            "a list that is a mapping", "vrfs: [default, red, blue]",
            "vrfs: { default: red, blue: x, red: y }", at: "10:7", "vrfs", "a list is expected"),
        BrokenText(
            "a native port on an access port's device", "",
            "native-ports: [ { name: wan, type: packet, device: a4, address: 203.0.113.1/24 } ]",
            at: "31:52", "native-ports[0].device", "device a4 without a VLAN"),
        BrokenText(
            "a native port of an interface's name", "",
            "native-ports: [ { name: g10, type: packet, device: wan0, address: 203.0.113.1/24 } ]",
            at: "31:25", "native-ports[0].name", "already"),
        BrokenText(
            "a native port of an access port's name", "",
            "native-ports: [ { name: a1, type: packet, device: wan0, address: 203.0.113.1/24 } ]",
            at: "31:25", "native-ports[0].name", "already"),
        BrokenText(
            "a native port in the subnet of an interface", "",
            "native-ports: [ { name: wan, type: packet, device: wan0, vrf: red, "
                + "address: 10.0.10.7/24 } ]",
            at: "31:77", "native-ports[0].address",
            "10.0.10.7/24 overlaps 10.0.10.1/24 of interface"),
        BrokenText(
            "a policy with ports and no protocol", "",
            "policy-routes: [ { name: p, interface: g10, destination-ports: 80, "
                + "next-hop: 10.0.10.3 } ]",
            at: "31:64", "policy-routes[0].destination-ports", "'protocol: tcp'"),
        BrokenText(
            "a policy with an empty range", "",
            "policy-routes: [ { name: p, interface: g10, protocol: tcp, "
                + "destination-ports: 443-80, next-hop: 10.0.10.3 } ]",
            at: "31:79", "policy-routes[0].destination-ports", "did you mean 80-443?"),
        BrokenText(
            "a policy to the outside of its VRF", "",
            "policy-routes: [ { name: p, interface: g30, next-hop: 10.0.20.3 } ]", at: "31:55",
            "policy-routes[0].next-hop", "next hop 10.0.20.3 is outside"),
        BrokenText(
            "a policy at an unknown interface", "",
            "policy-routes: [ { name: p, interface: g31, next-hop: 10.0.20.3 } ]", at: "31:40",
            "policy-routes[0].interface", "did you mean 'g30'?"),
        BrokenText(
            "a policy for an unknown protocol", "",
            "policy-routes: [ { name: p, interface: g10, protocol: tpc, next-hop: 10.0.10.3 } ]",
            at: "31:55", "policy-routes[0].protocol", "did you mean 'tcp'?"),
    ]
}
