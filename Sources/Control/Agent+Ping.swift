internal import Tables
public import Wire

/// Where a packet of the gateway's own begins its way.
public struct PingOrigin: Sendable, Equatable {
    /// The VSI whose VSI-interface routes it.
    public var vsi: Int
    public var source: IPv4Address
    public var mac: MACAddress
}

/// A packet of the gateway's own that cannot be delivered, as an ICMP error would tell its sender.
public struct OwnRefusal: Sendable {
    public var type: UInt8
    public var code: UInt8
    /// For "fragmentation needed", else 0.
    public var mtu: Int
    /// Ethernet header and the beginning of the packet.
    public var bytes: [UInt8]
}

/// Packets that the gateway sends in its own name.
extension Agent {
    /// What one turn keeps; more are not told.
    private static let maximumRefusals = 1024

    /// The VSI-interface that pings `address`: the one named, or the one by which the VRF reaches
    /// it.
    ///
    /// - Throws: `notFound` for a name that does not exist, `conflict` when no route leads to the
    ///   address or the names contradict each other, `malformed` for an address of no host.
    public func pingOrigin(
        to address: IPv4Address, vrf: String?, interface: String?
    ) throws(ControlError) -> PingOrigin {
        if let vrf, layout.vrfs[vrf] == nil {
            throw .notFound("no vrf \(vrf): see vxgate config show")
        }
        guard let interface else {
            return try routedOrigin(to: address, vrf: vrf ?? Configuration.defaultVRF)
        }
        guard let entry = layout.interfaces[interface].flatMap({ layout.interfaceOf[$0] }) else {
            throw .notFound("no vsi-interface \(interface): see vxgate config show")
        }
        guard vrf == nil || vrf == entry.vrf else {
            throw .conflict(
                "vsi-interface \(interface) is in vrf \(entry.vrf): leave out --vrf or name that")
        }
        return origin(entry, toward: address)
    }

    /// Has a worker route a frame of the gateway's own.
    public func originate(_ frame: [UInt8], vsi: Int) { orders.append(.route(frame, vsi: vsi)) }

    /// What could not be delivered since the last call.
    public func takeRefusals() -> [OwnRefusal] {
        defer { refusals = [] }
        return refusals
    }

    func refuse(_ refusal: OwnRefusal) {
        if refusals.count < Self.maximumRefusals { refusals.append(refusal) }
    }

    /// The way of the longest prefix: an own address, a connected subnet, a static route.
    private func routedOrigin(
        to address: IPv4Address, vrf: String
    ) throws(ControlError) -> PingOrigin {
        let interfaces = configuration.vsiInterfaces.filter { $0.vrf == vrf }
        for interface in interfaces
        where interface.addresses.contains(where: { $0.address == address }) {
            return origin(interface, toward: address)
        }
        var length = -1
        var found: (interface: Configuration.VSIInterface, toward: IPv4Address)?
        for interface in interfaces {
            for prefix in interface.addresses where prefix.length < 32 && prefix.contains(address) {
                if prefix.length < 31, address == prefix.network || address == prefix.lastAddress {
                    throw .malformed("\(address) is no host's address in \(prefix)")
                }
                length = Int(prefix.length)
                found = (interface, address)
            }
        }
        for route in configuration.staticRoutes
        where route.vrf == vrf && route.prefix.contains(address)
            && Int(route.prefix.length) > length
        {
            length = Int(route.prefix.length)
            found = route.via.first.flatMap { via in
                layout.interface(of: route, via: via).map { ($0, via) }
            }
        }
        guard let found else {
            let what = length < 0 ? "no route" : "only a blackhole route"
            throw .conflict("vrf \(vrf) has \(what) to \(address): see vxgate show route")
        }
        return origin(found.interface, toward: found.toward)
    }

    private func origin(
        _ interface: Configuration.VSIInterface, toward address: IPv4Address
    ) -> PingOrigin {
        PingOrigin(
            vsi: layout.vsis[interface.vsi]!, source: ownAddress(interface, toward: address),
            mac: mac(of: interface))
    }
}
