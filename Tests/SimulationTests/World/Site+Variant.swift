internal import Control
internal import TestKit
internal import Wire

/// What a reload makes of a gateway's configuration: more, less, or the same in another order.
extension Site {
    struct Variant: Equatable {
        /// The order of the file; nil is the usual one.
        var order: UInt64?
        /// A segment that nobody lives in, and the routes across it; 0 leaves it no address.
        var hasSpare = false
        var spareRoutes = 0
        var withdrawnVSI: Int?
        var withdrawnPort: String?
        /// A gateway that is no longer a peer.
        var withdrawnPeer: Int?
    }

    static let spare = "spare"

    func configuration(_ gateway: Int, _ variant: Variant) -> Configuration {
        var result = configuration(gateway)
        if let vsi = variant.withdrawnVSI { withdraw("v\(vsi)", &result) }
        result.accessPorts.removeAll { $0.name == variant.withdrawnPort }
        if let peer = variant.withdrawnPeer { result.peers.removeAll { $0.name == "g\(peer)" } }
        if variant.hasSpare { addSpare(variant.spareRoutes, gateway, &result) }
        guard let order = variant.order else { return result }
        var random = SeededRandom(seed: order)
        result.vrfs = ["default"] + result.vrfs.dropFirst().shuffled(using: &random)
        result.vsis.shuffle(using: &random)
        result.accessPorts.shuffle(using: &random)
        result.vsiInterfaces.shuffle(using: &random)
        result.peers.shuffle(using: &random)
        result.staticRoutes.shuffle(using: &random)
        result.policyRoutes.shuffle(using: &random)
        return result
    }

    /// Takes a segment out, and whatever refers to it.
    private func withdraw(_ vsi: String, _ result: inout Configuration) {
        result.vsis.removeAll { $0.name == vsi }
        result.accessPorts.removeAll { $0.vsi == vsi }
        let gone = result.vsiInterfaces.filter { $0.vsi == vsi }
        result.vsiInterfaces.removeAll { $0.vsi == vsi }
        result.staticRoutes.removeAll { route in gone.contains { $0.name == route.interface } }
        result.policyRoutes.removeAll { policy in
            gone.contains {
                $0.name == policy.interface
                    || $0.addresses[0].contains(policy.nextHop)
                        && $0.vrf == Configuration.defaultVRF
            }
        }
    }

    private func addSpare(_ routes: Int, _ gateway: Int, _ result: inout Configuration) {
        result.vsis.append(.init(name: Self.spare, vni: VNI(bits: 900)))
        result.accessPorts.append(
            .init(name: Self.spare, type: .packet, device: Self.spare, vsi: Self.spare))
        guard routes > 0 else { return }
        result.vsiInterfaces.append(
            .init(
                name: Self.spare, vsi: Self.spare,
                addresses: [IPv4Prefix(address: IPv4Address(bits: 0x0A4D_0001), length: 24)],
                mac: MACAddress(bits: gatewayMAC(gateway, 77))))
        for number in 0..<routes {
            let network = IPv4Address(bits: 0x0A4E_0000 + UInt32(number) << 8)
            result.staticRoutes.append(
                .init(
                    prefix: IPv4Prefix(address: network, length: 24),
                    via: [IPv4Address(bits: 0x0A4D_0002)], interface: Self.spare))
        }
        result.policyRoutes.append(
            .init(
                name: Self.spare, order: 1, interface: Self.spare,
                nextHop: IPv4Address(bits: 0x0A4D_0003)))
    }
}
