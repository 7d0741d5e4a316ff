public import Control
public import Wire

/// Topology T1 of the acceptance cases: three VSIs, four access ports, three peers.
///
/// | VSI | VNI | ports | flood list |
/// |---|---|---|---|
/// | v10 | 10010 | a1, a2 | p1, p2 |
/// | v20 | 10020 | a3 | p1 |
/// | v30 | 10030 | a4 | p3 |
public enum TestSite {
    public struct Host: Sendable {
        public let mac: MACAddress
        public let address: IPv4Address

        public init(mac: MACAddress, address: IPv4Address) {
            self.mac = mac
            self.address = address
        }
    }

    public static let vtep = IPv4Address(bits: 0xC633_6401)
    public static let p1 = IPv4Address(bits: 0xC633_640B)
    public static let p2 = IPv4Address(bits: 0xC633_640C)
    public static let p3 = IPv4Address(bits: 0xC633_640D)
    /// No configuration names it.
    public static let stranger = IPv4Address(bits: 0xC633_6442)
    public static let gatewayMAC = MACAddress(bits: 0x0000_5E00_0101)
    public static let gateway10 = IPv4Address(bits: 0x0A00_0A01)
    public static let gateway20 = IPv4Address(bits: 0x0A00_1401)

    public static let h1 = host(0x02AA_0000_0001, 0x0A00_0A65)
    public static let h2 = host(0x02AA_0000_0002, 0x0A00_0A66)
    public static let h3 = host(0x02AA_0000_0003, 0x0A00_1467)
    /// In another VRF, with the address of h1.
    public static let h4 = host(0x02AA_0000_0004, 0x0A00_0A65)
    public static let r1 = host(0x02BB_0000_0001, 0x0A00_0A6F)
    public static let r2 = host(0x02BB_0000_0002, 0x0A00_0A70)
    public static let r3 = host(0x02BB_0000_0003, 0x0A00_1471)

    /// Layer 2 alone.
    public static var bridged: Configuration {
        var configuration = Configuration(
            vtep: Configuration.VTEP(address: .address(vtep), df: .set))
        configuration.peers = [
            .init(name: "p1", address: p1, vnis: [VNI(bits: 10010), VNI(bits: 10020)]),
            .init(name: "p2", address: p2, vnis: [VNI(bits: 10010)]),
            .init(name: "p3", address: p3, vnis: [VNI(bits: 10030)]),
        ]
        configuration.vsis = [
            vsi("v10", 10010, ["p1", "p2"]), vsi("v20", 10020, ["p1"]), vsi("v30", 10030, ["p3"]),
        ]
        configuration.accessPorts = [
            port("a1", "v10"), port("a2", "v10"), port("a3", "v20"), port("a4", "v30"),
        ]
        configuration.vrfs = ["default", "red", "blue"]
        return configuration
    }

    /// Layer 2 with every host of the first two VSIs in the FDB.
    public static var known: Configuration {
        var configuration = bridged
        configuration.staticFDB = staticFDB
        return configuration
    }

    public static var staticFDB: [Configuration.StaticFDB] {
        [
            .init(vsi: "v10", mac: h1.mac, target: .port("a1")),
            .init(vsi: "v10", mac: h2.mac, target: .port("a2")),
            .init(vsi: "v10", mac: r1.mac, target: .peer("p1")),
            .init(vsi: "v10", mac: r2.mac, target: .peer("p2")),
            .init(vsi: "v20", mac: h3.mac, target: .port("a3")),
            .init(vsi: "v20", mac: r3.mac, target: .peer("p1")),
        ]
    }

    /// With a VSI-interface in every VSI: 10.0.10.1 and 10.0.20.1 in red, 10.0.10.1 in blue.
    public static var routed: Configuration {
        var configuration = bridged
        configuration.vsiInterfaces = [
            interface("g10", "v10", "red", gateway10), interface("g20", "v20", "red", gateway20),
            interface("g30", "v30", "blue", gateway10),
        ]
        return configuration
    }

    public static func port(
        _ name: String, _ vsi: String, device: String? = nil, vlan: UInt16? = nil
    ) -> Configuration.AccessPort {
        .init(name: name, type: .packet, device: device ?? name, vlan: vlan, vsi: vsi)
    }

    /// Proxies ARP for known neighbors, as T1 says.
    public static func vsi(
        _ name: String, _ vni: UInt32?, _ floodList: [String]?
    ) -> Configuration.VSI {
        .init(
            name: name, vni: vni.map { VNI(bits: $0) }, floodList: floodList, arpSuppression: true)
    }

    public static func interface(
        _ name: String, _ vsi: String, _ vrf: String, _ address: IPv4Address
    ) -> Configuration.VSIInterface {
        .init(
            name: name, vsi: vsi, vrf: vrf,
            addresses: [IPv4Prefix(address: address, length: 24)], mac: gatewayMAC)
    }

    private static func host(_ mac: UInt64, _ address: UInt32) -> Host {
        Host(mac: MACAddress(bits: mac), address: IPv4Address(bits: address))
    }
}
