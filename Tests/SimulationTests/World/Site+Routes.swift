internal import Control
internal import Wire

/// Ways out of a site: borders, policies and routes across a VXLAN between gateways.
extension Site {
    static let blackhole: UInt32 = outsidePrefix + 128
    /// Nobody has it.
    static let nowhere: UInt32 = 200

    // MARK: Outside

    /// The address by which a native port is the router of the outside.
    func outsideAddress(_ gateway: Int) -> UInt32 {
        Self.outsidePrefix + 254 - UInt32(plan.hasOutside ? 0 : gateway - plan.siteCount)
    }

    /// The gateways by which a host may send to the outside.
    func waysOut(from home: Plan.Home, to target: Plan.Home) -> [Int] {
        if plan.hasOutside { return target.isBlackholed ? [] : [0] }
        if let border = policyBorder(for: home) { return [border] }
        return target.isBlackholed || plan.wayOut == .policy ? [] : plan.outsideGateways
    }

    /// Where the policy of a host's segment sends it.
    private func policyBorder(for home: Plan.Home) -> Int? {
        guard plan.wayOut != .route else { return nil }
        // 8/30 holds the first two hosts of a segment.
        guard plan.wayOut == .policy || home.number < 2 else { return nil }
        return policyBorder(ofVSI: home.vsi)
    }

    private func policyBorder(ofVSI vsi: Int) -> Int {
        plan.outsideGateways[vsi % plan.outsideGateways.count]
    }

    /// The native port of those that have one, and the way of the others to them.
    func addOutside(_ gateway: Int, _ result: inout Configuration) {
        guard !plan.outsideGateways.isEmpty else { return }
        let isOutside = plan.outsideGateways.contains(gateway)
        if isOutside {
            let address = IPv4Address(bits: outsideAddress(gateway))
            result.nativePorts = [
                .init(
                    name: "wan", type: .packet, device: "wan",
                    addresses: [IPv4Prefix(address: address, length: 24)],
                    mac: MACAddress(bits: gatewayMAC(gateway, -1)))
            ]
        }
        // Neither a leaf of a central gateway nor a border sends to the outside by a route.
        guard isOutside == plan.hasOutside else { return }
        if plan.hasBlackhole {
            result.staticRoutes.append(
                .init(
                    prefix: IPv4Prefix(address: IPv4Address(bits: Self.blackhole), length: 25),
                    via: [], blackhole: true))
        }
        guard !isOutside else { return }
        if plan.wayOut != .policy {
            result.staticRoutes.append(
                .init(
                    prefix: IPv4Prefix(address: .any, length: 0),
                    via: plan.outsideGateways.map { IPv4Address(bits: gatewayAddress($0, 0)) },
                    interface: "i0"))
        }
        if plan.wayOut != .route { addPolicies(&result) }
    }

    /// For each segment of the first VRF one policy, behind one for another protocol to nowhere.
    private func addPolicies(_ result: inout Configuration) {
        let outside = IPv4Prefix(address: IPv4Address(bits: Self.outsidePrefix), length: 24)
        for vsi in 0..<plan.vsiCount where plan.vrf(ofVSI: vsi) == 0 {
            let source =
                plan.wayOut == .policy
                ? Configuration.PolicyRoute.everything
                : IPv4Prefix(address: IPv4Address(bits: subnet(vsi) + 8), length: 30)
            let border = policyBorder(ofVSI: vsi)
            result.policyRoutes.append(
                .init(
                    name: "p\(vsi)", order: 20, interface: "i\(vsi)", source: source,
                    destination: outside, protocolNumber: 1,
                    nextHop: IPv4Address(bits: gatewayAddress(border, 0))))
            result.policyRoutes.append(
                .init(
                    name: "tcp\(vsi)", order: 10, interface: "i\(vsi)", protocolNumber: 6,
                    nextHop: IPv4Address(bits: subnet(0) + Self.nowhere)))
        }
    }

    // MARK: Between gateways

    /// The segments of a gateway in a VRF.
    private func segments(of gateway: Int, vrf: Int) -> [Int] {
        (0..<plan.vsiCount).filter {
            plan.onlySite(of: $0) == gateway && plan.vrf(ofVSI: $0) == vrf
        }
    }

    /// A single address inside the first segment of the gateway, as in the Linux document.
    func transitAddress(_ gateway: Int, vrf: Int) -> UInt32? {
        segments(of: gateway, vrf: vrf).first.map { subnet($0) + 254 }
    }

    func transitMAC(_ gateway: Int, vrf: Int) -> UInt64 {
        0x0222_0000_0000 + UInt64(gateway) << 8 + UInt64(vrf)
    }

    /// A VXLAN for each VRF, and a route across it to every segment of another gateway.
    func addTransit(_ gateway: Int, _ result: inout Configuration) {
        for vrf in 0..<plan.vrfCount {
            guard let address = transitAddress(gateway, vrf: vrf) else { continue }
            let name = Self.name(ofVRF: vrf)
            let vni = VNI(bits: Self.vni(plan.transit(ofVRF: vrf)))
            result.vsis.append(
                .init(name: "x\(vrf)", vni: vni, ageingSeconds: Self.segmentSeconds))
            result.vsiInterfaces.append(
                .init(
                    name: "t\(vrf)", vsi: "x\(vrf)", vrf: name,
                    addresses: [IPv4Prefix(address: IPv4Address(bits: address), length: 32)],
                    mac: MACAddress(bits: transitMAC(gateway, vrf: vrf))))
            for other in 0..<plan.gatewayCount where other != gateway {
                guard let hop = transitAddress(other, vrf: vrf) else { continue }
                for vsi in segments(of: other, vrf: vrf) {
                    result.staticRoutes.append(
                        .init(
                            prefix: IPv4Prefix(
                                address: IPv4Address(bits: subnet(vsi)), length: 24),
                            via: [IPv4Address(bits: hop)], interface: "t\(vrf)", vrf: name,
                            onlink: true))
                }
            }
        }
    }
}
