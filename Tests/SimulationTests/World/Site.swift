internal import Control
internal import Wire

/// Addresses and configurations of the gateways of a plan.
struct Site {
    let plan: Plan

    static let segmentSeconds = 20
    static let neighborSeconds = 20.0
    static let outsidePrefix: UInt32 = 0x3201_0100
    static let hostMAC: UInt64 = 0x02AA_0000_0001

    static func vtep(_ gateway: Int) -> UInt32 { 0xC000_0201 + UInt32(gateway) }
    static func vni(_ vsi: Int) -> UInt32 { 100 + UInt32(vsi) }

    /// The /24 of a segment; segments of different VRFs share it, and all of them when bridged.
    func subnet(_ vsi: Int) -> UInt32 {
        if vsi < 0 { return Self.outsidePrefix }
        let number = plan.mode == .bridged ? 0 : vsi / plan.vrfCount
        return 0x0A01_0000 + UInt32(number) << 8
    }

    func isBorder(_ gateway: Int) -> Bool { gateway >= plan.siteCount }

    static func name(ofVRF vrf: Int) -> String { vrf == 0 ? "default" : "r\(vrf)" }

    /// Whether a gateway has an address in a segment.
    func hasInterface(_ gateway: Int, _ vsi: Int) -> Bool {
        switch plan.mode {
        case .bridged: false
        case .centralized: gateway == 0
        case .distributed: !isBorder(gateway) || plan.vrf(ofVSI: vsi) == 0
        case .pointToPoint: plan.onlySite(of: vsi) == gateway
        }
    }

    func gatewayAddress(_ gateway: Int, _ vsi: Int) -> UInt32 {
        subnet(vsi) + (isBorder(gateway) ? 2 + UInt32(gateway - plan.siteCount) : 1)
    }

    func gatewayMAC(_ gateway: Int, _ vsi: Int) -> UInt64 {
        if vsi < 0 || isBorder(gateway) {
            return 0x02BD_0000_0000 + UInt64(gateway) << 8 + UInt64(vsi + 1)
        }
        if plan.sharesMAC { return 0x0000_5E00_0101 }
        return 0x0211_0000_0000 + UInt64(gateway) << 8 + UInt64(vsi)
    }

    /// MAC addresses of gateways in a segment.
    func gatewayMACs(_ vsi: Int) -> Set<UInt64> {
        if vsi < 0 { return Set(plan.outsideGateways.map { gatewayMAC($0, -1) }) }
        let owners = (0..<plan.gatewayCount).filter { hasInterface($0, vsi) }
        return Set(owners.map { gatewayMAC($0, vsi) })
    }

    static func ports(_ host: Int) -> [String] { ["h\(host)a", "h\(host)b"] }

    func configuration(_ gateway: Int) -> Configuration {
        var result = Configuration(
            vtep: .init(address: .address(IPv4Address(bits: Self.vtep(gateway)))))
        for other in 0..<plan.gatewayCount where other != gateway {
            result.peers.append(
                .init(name: "g\(other)", address: IPv4Address(bits: Self.vtep(other))))
        }
        result.vrfs = (0..<max(plan.vrfCount, 1)).map { Self.name(ofVRF: $0) }
        for vsi in 0..<plan.vsiCount where plan.onlySite(of: vsi) ?? gateway == gateway {
            result.vsis.append(
                .init(
                    name: "v\(vsi)",
                    vni: plan.onlySite(of: vsi) == nil ? VNI(bits: Self.vni(vsi)) : nil,
                    arpSuppression: plan.suppressesARP, ageingSeconds: Self.segmentSeconds,
                    macLimit: plan.macLimit))
            if hasInterface(gateway, vsi) { result.vsiInterfaces.append(interface(gateway, vsi)) }
        }
        for (index, home) in plan.homes.enumerated()
        where home.vsi >= 0 && !isBorder(gateway)
            && plan.onlySite(of: home.vsi) ?? gateway == gateway
        {
            for port in Self.ports(index) {
                result.accessPorts.append(
                    .init(name: port, type: .packet, device: port, vsi: "v\(home.vsi)"))
            }
        }
        result.timers.arpAgeingSeconds = Self.neighborSeconds
        addOutside(gateway, &result)
        if plan.mode == .pointToPoint { addTransit(gateway, &result) }
        return result.withNativePorts()
    }

    private func interface(_ gateway: Int, _ vsi: Int) -> Configuration.VSIInterface {
        let isDistributed = plan.mode == .distributed && !isBorder(gateway)
        let vrf = plan.vrf(ofVSI: vsi)
        return .init(
            name: "i\(vsi)", vsi: "v\(vsi)", vrf: Self.name(ofVRF: vrf),
            addresses: [
                IPv4Prefix(
                    address: IPv4Address(bits: gatewayAddress(gateway, vsi)), length: 24)
            ],
            mac: MACAddress(bits: gatewayMAC(gateway, vsi)), distributedGateway: isDistributed,
            localProxyARP: isDistributed)
    }
}
