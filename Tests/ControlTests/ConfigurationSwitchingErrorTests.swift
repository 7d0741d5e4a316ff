import Control
import Testing

/// Peers, VSIs, access ports and static FDB entries that are refused.
@Suite struct ConfigurationSwitchingErrorTests {
    @Test(arguments: Self.texts) func isRefused(_ broken: BrokenText) { broken.check() }

    /// Both are told: one slip does not hide the other.
    @Test func aBadVNIDoesNotHideAnUnknownPeer() {
        let text = replacing(
            "vni: 10010, flood-list: [p1, p2]", by: "vni: 0, flood-list: [p1, nowhere]",
            in: ConfigurationTexts.small)
        #expect(errors(text).map(\.path) == ["vsis[0].vni", "vsis[0].flood-list[1]"])
    }

    static let texts: [BrokenText] = [
        BrokenText(
            "a VNI of 2^24", "name: v10, vni: 10010", "name: v10, vni: 16777216", at: "12:23",
            "vsis[0].vni", "is out of range: a"),
        BrokenText(
            "a negative VNI", "name: v10, vni: 10010", "name: v10, vni: -1", at: "12:23",
            "vsis[0].vni", "is out of range: a"),
        BrokenText(
            "VNI 0", "name: v10, vni: 10010", "name: v10, vni: 0", at: "12:23", "vsis[0].vni",
            "is out of range: a"),
        BrokenText(
            "a VNI in words", "name: v10, vni: 10010", "name: v10, vni: ten", at: "12:23",
            "vsis[0].vni", "is not a number: a"),
        BrokenText(
            "a VNI beyond 64 bits", "name: v10, vni: 10010", "name: v10, vni: 99999999999999999999",
            at: "12:23", "vsis[0].vni", "is out of range: a"),
        BrokenText(
            "one VNI in two VSIs", "vni: 10020, flood-list: [p1]", "vni: 10010, flood-list: [p1]",
            at: "13:23", "vsis[1].vni", "VNI 10010 belongs to vsis[0]"),
        BrokenText(
            "two VSIs of one name",
            "{ name: v30, vni: 10030, flood-list: [p3], arp-suppression: on }",
            "{ name: v30, vni: 10030 }\n  - { name: v10, vni: 77 }", at: "15:13", "vsis[3].name",
            "already"),
        BrokenText(
            "a peer with our own address", "address: 198.51.100.11,", "address: 198.51.100.1,",
            at: "7:26", "peers[0].address", "peer p1 has the address"),
        BrokenText(
            "two peers of one address", "address: 198.51.100.12,", "address: 198.51.100.11,",
            at: "8:26", "peers[1].address", "198.51.100.11 is the address of"),
        BrokenText(
            "a broadcast peer", "address: 198.51.100.12,", "address: 255.255.255.255,", at: "8:26",
            "peers[1].address", "255.255.255.255 is the broadcast address"),
        BrokenText(
            "a loopback peer", "address: 198.51.100.12,", "address: 127.0.0.1,", at: "8:26",
            "peers[1].address", "127.0.0.1 is a loopback address"),
        BrokenText(
            "an address with a leading zero", "address: 198.51.100.12,", "address: 198.51.100.012,",
            at: "8:26", "peers[1].address", "is not an IPv4 address"),
        BrokenText(
            "a VNI twice for a peer", "vnis: [10010, 10020]", "vnis: [10010, 10020, 10010]",
            at: "7:62", "peers[0].vnis[2]", "VNI 10010 is in this"),
        BrokenText(
            "VNIs that are no list", "vnis: [10030]", "vnis: 10030", at: "9:47", "peers[2].vnis",
            "a list is expected, as"),
        BrokenText(
            "a group MAC", "mac: 02:bb:00:00:00:01, peer", "mac: 01:00:5e:00:00:01, peer",
            at: "26:22", "static-fdb[1].mac", "01:00:5e:00:00:01 is a group address"),
        BrokenText(
            "a zero MAC", "mac: 02:bb:00:00:00:01, peer", "mac: 00:00:00:00:00:00, peer",
            at: "26:22", "static-fdb[1].mac", "00:00:00:00:00:00 is no MAC address"),
        BrokenText(
            "a MAC of five octets", "mac: 02:bb:00:00:00:01, peer", "mac: 02:bb:00:00:01, peer",
            at: "26:22", "static-fdb[1].mac", "is not a MAC address"),
        BrokenText(
            "the MAC of the interface", "mac: 02:bb:00:00:00:01, peer",
            "mac: 00:00:5e:00:01:01, peer", at: "26:22", "static-fdb[1].mac",
            "00:00:5e:00:01:01 is the MAC of"),
        BrokenText(
            "one MAC twice", "mac: 02:bb:00:00:00:01, peer", "mac: 02:aa:00:00:00:01, peer",
            at: "26:22", "static-fdb[1].mac", "02:aa:00:00:00:01 has an entry in"),
        BrokenText(
            "an FDB entry at an unknown port", "port: a1", "port: nowhere", at: "25:47",
            "static-fdb[0].port", "no access port is named"),
        BrokenText(
            "an FDB entry at a port of another VSI", "port: a1", "port: a3", at: "25:47",
            "static-fdb[0].port", "access port a3 belongs to"),
        BrokenText(
            "an FDB entry at a peer without the VNI", "peer: p1", "peer: p3", at: "26:47",
            "static-fdb[1].peer", "peer p3 does not carry"),
        BrokenText(
            "an FDB entry at an unknown peer", "peer: p1", "peer: nowhere", at: "26:47",
            "static-fdb[1].peer", "no peer is named "),
        BrokenText(
            "an FDB entry that points nowhere", ", port: a1 }", " }", at: "25:5", "static-fdb[0]",
            "the entry points nowhere: add"),
        BrokenText(
            "an FDB entry that points twice", ", port: a1 }", ", port: a1, peer: p1 }", at: "25:5",
            "static-fdb[0]", "both 'peer' and 'port'"),
        BrokenText(
            "an FDB entry in an unknown VSI", "vsi: v10, mac: 02:aa", "vsi: nowhere, mac: 02:aa",
            at: "25:12", "static-fdb[0].vsi", "no VSI is named "),
        BrokenText(
            "a packet port in another namespace", "device: a1, vsi: v10",
            "device: a1, netns: ns1, vsi: v10", at: "16:50", "access-ports[0].netns",
            "netns says where a tap is made"),
        BrokenText(
            "a packet port in a namespace of an impossible name", "device: a1, vsi: v10",
            "device: a1, netns: a/b, vsi: v10", at: "16:50", "access-ports[0].netns", "a/b"),
        BrokenText(
            "a port in an unknown VSI", "device: a1, vsi: v10", "device: a1, vsi: v1O", at: "16:48",
            "access-ports[0].vsi", "did you mean 'v10'?"),
        BrokenText(
            "an unknown peer in a flood list", "[p1, p2]", "[p1, nowhere]", at: "12:47",
            "vsis[0].flood-list[1]", "no peer is named "),
        BrokenText(
            "a peer twice in a flood list", "[p1, p2]", "[p1, p2, p1]", at: "12:51",
            "vsis[0].flood-list[2]", "peer p1 is in this"),
        BrokenText(
            "a flood-list peer without the VNI", "[p1, p2]", "[p1, p3]", at: "12:47",
            "vsis[0].flood-list[1]", "peer p3 does not carry"),
        BrokenText(
            "a flood list without a VNI", "name: v10, vni: 10010,", "name: v10,", at: "12:30",
            "vsis[0].flood-list", "v10 has no 'vni'"),
        BrokenText(
            "VLAN 4095", "device: a1, vsi", "device: a1, vlan: 4095, vsi", at: "16:49",
            "access-ports[0].vlan", "is out of range: a"),
        BrokenText(
            "VLAN 0", "device: a1, vsi", "device: a1, vlan: 0, vsi", at: "16:49",
            "access-ports[0].vlan", "is out of range: a"),
        BrokenText(
            "one device twice", "name: a2, type: packet, device: a2",
            "name: a2, type: packet, device: a1", at: "17:39", "access-ports[1].device",
            "device a1 without a VLAN"),
        BrokenText(
            "one device and VLAN twice", "{ name: a2, type: packet, device: a2, vsi: v10 }",
            "{ name: a2, type: packet, device: a2, vlan: 5, vsi: v10 }\n"
                + "  - { name: a22, type: packet, device: a2, vlan: 5, vsi: v20 }",
            at: "18:40", "access-ports[2].device", "device a2 with VLAN 5"),
        BrokenText(
            "two types of one device", "{ name: a2, type: packet, device: a2, vsi: v10 }",
            "{ name: a2, type: packet, device: a2, vsi: v10 }\n"
                + "  - { name: a22, type: tap, device: a2, vlan: 5, vsi: v20 }",
            at: "18:24", "access-ports[2].type", "device a2 has type packet"),
        BrokenText(
            "an unknown type", "name: a2, type: packet", "name: a2, type: pakcet", at: "17:23",
            "access-ports[1].type", "did you mean 'packet'?"),
        BrokenText(
            "a device with a slash", "device: a1,", "device: ../a1,", at: "16:39",
            "access-ports[0].device", "cannot be a device name"),
        BrokenText(
            "a device of 16 bytes", "device: a1,", "device: a123456789012345,", at: "16:39",
            "access-ports[0].device", "has 16 bytes: a device"),
        BrokenText(
            "a device with a space", "device: a1,", "device: a 1,", at: "16:39",
            "access-ports[0].device", "has white space"),
        BrokenText(
            "a name with a control character", "name: a1,", "name: \"a\\u0007\",", at: "16:13",
            "access-ports[0].name", "cannot be a name: write"),
        BrokenText(
            "a name with a slash", "name: a1,", "name: a/1,", at: "16:13", "access-ports[0].name",
            "cannot be a name: write"),
        BrokenText(
            "an empty name", "name: a1,", "name: \"\",", at: "16:13", "access-ports[0].name",
            "a name is empty: write"),
        BrokenText(
            "a name without a value", "name: a1,", "name: ,", at: "16:7", "access-ports[0].name",
            "the value is missing"),
        BrokenText(
            "no name", "name: a1, ", "", at: "16:5", "access-ports[0].name",
            "the key is missing here"),
        BrokenText(
            "a misspelt key", "arp-suppression: on }\n  - { name: v20",
            "arp-supression: on }\n  - { name: v20", at: "12:52", "vsis[0].arp-supression",
            "did you mean 'arp-suppression'?"),
        BrokenText(
            "a key twice", "name: v20, vni: 10020", "name: v20, vni: 10020, vni: 10021",
            at: "13:30", "vsis[1].vni", "the key is written twice"),
        BrokenText(
            "an item that is no mapping", "- { name: p3, address: 198.51.100.13, vnis: [10030] }",
            "- p3\n  - { name: p3, address: 198.51.100.13 }", at: "9:5", "peers[2]",
            "keys with values are expected"),
    ]
}
