public import Control
public import Wire

/// A random gateway and the hosts around it. The same MAC addresses live in every VSI, and the
/// addresses of VSI `n` are those of 10.n.0.0/24, so that a frame in the wrong VSI is not noticed
/// by chance.
public struct RandomSite: Sendable {
    public var configuration: Configuration
    public static let hostCount = 8
    public static let gatewayMAC = MACAddress(bits: 0x0000_5E00_0101)

    public init(using random: inout SeededRandom) {
        configuration = Configuration(
            vtep: Configuration.VTEP(address: .address(TestSite.vtep)))
        configuration.vrfs = ["default", "red"]
        randomizeVTEP(&random)
        addPeers(&random)
        addVSIs(&random)
        addPorts(&random)
        addInterfaces(&random)
        addStatic(&random)
    }

    public static func mac(_ host: Int) -> MACAddress {
        MACAddress(bits: 0x0200_0000_0000 + UInt64(host))
    }

    public static func address(_ host: Int, vsi: Int) -> IPv4Address {
        IPv4Address(bits: 0x0A00_000A + UInt32(vsi) << 16 + UInt32(host))
    }

    public static func gateway(_ vsi: Int) -> IPv4Address {
        IPv4Address(bits: 0x0A00_0001 + UInt32(vsi) << 16)
    }

    // MARK: Parts

    private mutating func randomizeVTEP(_ random: inout SeededRandom) {
        configuration.vtep.ttl = random.bool() ? .inherit : .fixed(64)
        configuration.vtep.dscp = random.bool() ? .inherit : .fixed(10)
        configuration.vtep.df = Configuration.OuterDF.allCases.randomElement(using: &random)!
        configuration.vtep.reservedBits = random.bool() ? .ignore : .strict
        configuration.vtep.acceptUnknownPeers = random.bool()
        configuration.limits.arpPuntPerSecond = random.bool() ? 0 : 100
    }

    private mutating func addPeers(_ random: inout SeededRandom) {
        for index in 0..<random.int(in: 1...5) {
            let vnis: [VNI]? =
                random.bool()
                ? nil
                : (1...6).filter { _ in random.bool() }.map { VNI(bits: UInt32($0) * 100) }
            configuration.peers.append(
                .init(
                    name: "p\(index)", address: IPv4Address(bits: 0xC633_6420 + UInt32(index)),
                    vnis: vnis))
        }
    }

    private mutating func addVSIs(_ random: inout SeededRandom) {
        for index in 1...random.int(in: 1...6) {
            let vni = random.int(in: 0...5) == 0 ? nil : VNI(bits: UInt32(index) * 100)
            var vsi = Configuration.VSI(name: "v\(index)", vni: vni)
            if let vni, random.bool() {
                vsi.floodList = configuration.peers.filter { $0.carries(vni) && random.bool() }
                    .map(\.name)
            }
            vsi.flooding = .init(
                broadcast: random.int(in: 0...4) > 0, unknownUnicast: random.int(in: 0...4) > 0,
                multicast: random.int(in: 0...4) > 0)
            vsi.learning = random.int(in: 0...4) > 0
            vsi.arpSuppression = random.bool()
            vsi.ageingSeconds = random.int(in: 1...20)
            vsi.macLimit = random.bool() ? 0 : random.int(in: 1...5)
            vsi.innerVLAN = Configuration.InnerVLAN.allCases.randomElement(using: &random)!
            configuration.vsis.append(vsi)
        }
    }

    private mutating func addPorts(_ random: inout SeededRandom) {
        for device in 0..<random.int(in: 1...4) {
            let vlans: [UInt16?] = [nil, 10, 20, 30].filter { _ in random.bool() }
            for vlan in vlans {
                let name = "d\(device)" + (vlan.map { ".\($0)" } ?? "")
                configuration.accessPorts.append(
                    .init(
                        name: name, type: .packet, device: "d\(device)", vlan: vlan,
                        vsi: configuration.vsis.randomElement(using: &random)!.name))
            }
        }
    }

    private mutating func addInterfaces(_ random: inout SeededRandom) {
        for (index, vsi) in configuration.vsis.enumerated() where random.bool() {
            configuration.vsiInterfaces.append(
                .init(
                    name: "g\(index + 1)", vsi: vsi.name, vrf: random.bool() ? "red" : "default",
                    addresses: [IPv4Prefix(address: Self.gateway(index + 1), length: 24)],
                    mac: Self.gatewayMAC))
        }
    }

    private mutating func addStatic(_ random: inout SeededRandom) {
        for _ in 0..<random.int(in: 0...6) {
            let mac = Self.mac(random.int(in: 0...Self.hostCount - 1))
            guard let port = configuration.accessPorts.randomElement(using: &random),
                !configuration.staticFDB.contains(where: { $0.mac == mac && $0.vsi == port.vsi })
            else { continue }
            configuration.staticFDB.append(
                .init(vsi: port.vsi, mac: mac, target: .port(port.name)))
        }
    }
}
