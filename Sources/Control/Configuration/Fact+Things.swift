internal import Wire

/// The lists of a configuration as things of a plan.
extension Fact {
    static func switching(of configuration: Configuration) -> [Thing] {
        let peers = configuration.peers.map { peer in
            Thing(
                .peer, peer.name,
                [
                    Fact("address", peer.address.description),
                    Fact("vnis", list: peer.vnis, none: "every"),
                ])
        }
        let vrfs = configuration.vrfs.map { Thing(.vrf, $0, []) }
        let fdb = configuration.staticFDB.map { entry in
            let target =
                switch entry.target {
                case .port(let name): "port \(name)"
                case .peer(let name): "peer \(name)"
                }
            return Thing(.staticFDB, "\(entry.vsi) \(entry.mac)", [Fact("to", target)])
        }
        return peers + vrfs + configuration.vsis.map(vsi)
            + configuration.accessPorts.map(accessPort) + fdb
    }

    private static func vsi(_ vsi: Configuration.VSI) -> Thing {
        Thing(
            .vsi, vsi.name,
            [
                Fact("vni", vsi.vni, none: "none"),
                Fact("flood-list", list: vsi.floodList, none: "default"),
                Fact("flooding.broadcast", vsi.flooding.broadcast),
                Fact("flooding.unknown-unicast", vsi.flooding.unknownUnicast),
                Fact("flooding.multicast", vsi.flooding.multicast),
                Fact("learning", vsi.learning), Fact("arp-suppression", vsi.arpSuppression),
                Fact("ageing", "\(vsi.ageingSeconds)s"), Fact("mac-limit", String(vsi.macLimit)),
                Fact("inner-vlan", vsi.innerVLAN.rawValue),
            ])
    }

    private static func accessPort(_ port: Configuration.AccessPort) -> Thing {
        Thing(
            .accessPort, port.name,
            [
                Fact("type", port.type.rawValue), Fact("device", port.device),
                Fact("netns", port.netns, none: "own"), Fact("vlan", port.vlan, none: "untagged"),
                Fact("vsi", port.vsi),
            ])
    }

    static func routing(of configuration: Configuration) -> [Thing] {
        let arp = configuration.staticARP.map { entry in
            Thing(
                .staticARP, "\(entry.interface) \(entry.address)",
                [Fact("mac", entry.mac.description)])
        }
        return configuration.vsiInterfaces.map(vsiInterface)
            + configuration.nativePorts.map(nativePort) + arp
            + configuration.staticRoutes.map(staticRoute)
            + configuration.policyRoutes.map(policyRoute)
    }

    private static func vsiInterface(_ interface: Configuration.VSIInterface) -> Thing {
        Thing(
            .vsiInterface, interface.name,
            [
                Fact("vsi", interface.vsi), Fact("vrf", interface.vrf),
                Fact("address", list: interface.addresses, none: "none"),
                Fact("source", sourceText(interface.source)),
                Fact("mac", interface.mac, none: "derived"),
                Fact("distributed-gateway", interface.distributedGateway),
                Fact("local-proxy-arp", interface.localProxyARP),
                Fact("mtu", interface.mtu, none: "of the underlay"),
                Fact("rpf", interface.rpf.rawValue), Fact("forwarding", interface.forwarding),
            ])
    }

    private static func sourceText(_ source: Configuration.SenderSource) -> String {
        switch source {
        case .own: "own"
        case .vtep: "vtep"
        case .interface(let name): name
        }
    }

    private static func nativePort(_ port: Configuration.NativePort) -> Thing {
        Thing(
            .nativePort, port.name,
            [
                Fact("type", port.type.rawValue), Fact("device", port.device),
                Fact("netns", port.netns, none: "own"), Fact("vlan", port.vlan, none: "untagged"),
                Fact("vrf", port.vrf), Fact("address", list: port.addresses, none: "none"),
                Fact("mac", port.mac, none: "of the device"),
                Fact("mtu", port.mtu, none: "of the device"),
            ])
    }

    /// A route has no name: all of it says which one it is, so that it comes and goes but never
    /// changes.
    private static func staticRoute(_ route: Configuration.StaticRoute) -> Thing {
        var name = "\(route.prefix)"
        if route.blackhole { name += " blackhole" }
        if !route.via.isEmpty {
            name += " via \(route.via.map(\.description).joined(separator: ", "))"
        }
        if let interface = route.interface { name += " interface \(interface)" }
        if route.onlink { name += " onlink" }
        return Thing(.staticRoute, "\(name) vrf \(route.vrf)", [])
    }

    private static func policyRoute(_ route: Configuration.PolicyRoute) -> Thing {
        func text(_ ports: ClosedRange<UInt16>?) -> String {
            guard let ports else { return "any" }
            return ports.count == 1
                ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        }
        return Thing(
            .policyRoute, route.name,
            [
                Fact("order", String(route.order)), Fact("interface", route.interface),
                Fact("source", route.source.description),
                Fact("destination", route.destination.description),
                Fact("protocol", route.protocolNumber, none: "any"),
                Fact("source-ports", text(route.sourcePorts)),
                Fact("destination-ports", text(route.destinationPorts)),
                Fact("next-hop", route.nextHop.description),
            ])
    }
}
