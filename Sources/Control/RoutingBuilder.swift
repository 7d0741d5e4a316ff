internal import Tables
internal import Wire

/// Layer 3 of the table set: interfaces with their subnets, next hops, routes and policies.
struct RoutingBuilder {
    let configuration: Configuration
    let layout: GatewayLayout
    let environment: Environment

    /// What belongs into the set.
    struct Routing {
        var interfaces: [InterfaceRecord] = []
        var subnets: [SubnetRecord] = []
        var nextHops: [NextHopRecord] = []
        var policies: [PolicyRecord] = []
        var routes: [RouteTable.Route] = []
    }

    static let noInterface = InterfaceRecord(mac: 0, vsi: 0, vrf: 0, mtu: 0)

    func build(mac: (Configuration.VSIInterface) -> MACAddress) -> Routing {
        var routing = Routing()
        routing.interfaces = [InterfaceRecord](
            repeating: Self.noInterface, count: layout.interfaces.bound)
        // First, as of two routes with one prefix the later wins: nothing hides what is at hand.
        addStaticRoutes(to: &routing)
        for interface in configuration.vsiInterfaces {
            let index = layout.interfaces[interface.name]!
            var record = InterfaceRecord(
                mac: mac(interface).bits, vsi: UInt16(layout.vsis[interface.vsi]!),
                vrf: UInt16(layout.vrfs[interface.vrf]!), mtu: UInt32(mtu(of: interface)))
            record.forwards = interface.forwarding
            record.reversePath =
                switch interface.rpf {
                case .off: .off
                case .loose: .loose
                case .strict: .strict
                }
            record.firstSubnet = Int32(routing.subnets.count)
            addSubnets(of: interface, to: &routing)
            record.subnetCount = Int32(routing.subnets.count) - record.firstSubnet
            record.firstPolicy = Int32(routing.policies.count)
            addPolicies(of: interface, to: &routing)
            record.policyCount = Int32(routing.policies.count) - record.firstPolicy
            routing.interfaces[index] = record
            addConnected(interface, index, to: &routing)
        }
        addOwnAddresses(to: &routing)
        return routing
    }

    /// That of the file; else what the underlay leaves for a VXLAN, and all of it for a local VSI.
    private func mtu(of interface: Configuration.VSIInterface) -> Int {
        if let mtu = interface.mtu { return mtu }
        let isTunnelled = layout.vsis[interface.vsi].flatMap { layout.vsiOf[$0]?.vni } != nil
        guard environment.underlayMTU > OuterHeader.packetOverhead else { return 0 }
        return environment.underlayMTU - (isTunnelled ? OuterHeader.packetOverhead : 0)
    }

    /// Its own subnets, and one of a single address for each next hop that is reached onlink.
    private func addSubnets(
        of interface: Configuration.VSIInterface, to routing: inout Routing
    ) {
        for prefix in interface.addresses {
            routing.subnets.append(
                SubnetRecord(
                    network: prefix.network.bits, mask: prefix.mask,
                    address: prefix.address.bits))
        }
        let own = interface.addresses.first?.address.bits ?? 0
        for route in configuration.staticRoutes where route.onlink {
            for via in route.via
            where layout.interface(of: route, via: via)?.name == interface.name {
                routing.subnets.append(
                    SubnetRecord(network: via.bits, mask: .max, address: own))
            }
        }
    }

    private func addConnected(
        _ interface: Configuration.VSIInterface, _ index: Int, to routing: inout Routing
    ) {
        let first = routing.nextHops.count
        routing.nextHops.append(nextHop(interface, index, 0))
        for prefix in interface.addresses where prefix.length < 32 {
            routing.routes.append(
                RouteTable.Route(
                    vrf: layout.vrfs[interface.vrf]!, prefix: prefix, action: .forward,
                    firstNextHop: first, nextHopCount: 1))
            addEdges(of: prefix, layout.vrfs[interface.vrf]!, to: &routing)
        }
    }

    /// The network and the broadcast address of a subnet of more than two: nothing is routed there
    /// (RFC 2644).
    private func addEdges(of prefix: IPv4Prefix, _ vrf: Int, to routing: inout Routing) {
        guard prefix.length < 31 else { return }
        let network = prefix.network.bits
        for address in [network, network | ~prefix.mask] {
            routing.routes.append(
                RouteTable.Route(
                    vrf: vrf, prefix: IPv4Prefix(address: IPv4Address(bits: address), length: 32),
                    action: .edge))
        }
    }

    /// Routes of one VRF and prefix are one route whose next hops share the flows.
    private func addStaticRoutes(to routing: inout Routing) {
        struct Place: Hashable {
            let vrf: Int
            let prefix: IPv4Prefix
        }
        var nextHops: [Place: [NextHopRecord]] = [:]
        var order: [Place] = []
        for route in configuration.staticRoutes {
            guard let vrf = layout.vrfs[route.vrf] else { continue }
            let place = Place(
                vrf: vrf,
                prefix: IPv4Prefix(address: route.prefix.network, length: route.prefix.length))
            if nextHops[place] == nil { order.append(place) }
            nextHops[place, default: []] += route.blackhole ? [] : records(of: route)
        }
        // Many routes have few next hops, and what they share stays in the cache.
        var firsts: [[NextHopRecord]: Int] = [:]
        for place in order {
            let hops = nextHops[place] ?? []
            let first = firsts[hops] ?? routing.nextHops.count
            if firsts.updateValue(first, forKey: hops) == nil { routing.nextHops += hops }
            routing.routes.append(
                RouteTable.Route(
                    vrf: place.vrf, prefix: place.prefix,
                    action: hops.isEmpty ? .blackhole : .forward,
                    firstNextHop: first, nextHopCount: hops.count))
        }
    }

    private func nextHop(
        _ interface: Configuration.VSIInterface, _ index: Int, _ address: UInt32
    ) -> NextHopRecord {
        NextHopRecord(
            interface: index, vsi: UInt16(layout.vsis[interface.vsi]!), address: address)
    }

    private func records(of route: Configuration.StaticRoute) -> [NextHopRecord] {
        route.via.compactMap { via in
            guard let interface = layout.interface(of: route, via: via),
                let index = layout.interfaces[interface.name]
            else { return nil }
            return nextHop(interface, index, via.bits)
        }
    }

    /// Last, so that no route hides them.
    private func addOwnAddresses(to routing: inout Routing) {
        for interface in configuration.vsiInterfaces {
            for prefix in interface.addresses {
                routing.routes.append(
                    RouteTable.Route(
                        vrf: layout.vrfs[interface.vrf]!,
                        prefix: IPv4Prefix(address: prefix.address, length: 32), action: .own))
            }
        }
    }

    private func addPolicies(
        of interface: Configuration.VSIInterface, to routing: inout Routing
    ) {
        for (route, counter) in layout.policies where route.interface == interface.name {
            let isNear = interface.addresses.contains { $0.contains(route.nextHop) }
            let egress =
                isNear
                ? interface
                : layout.interface(holding: route.nextHop, vrf: interface.vrf) ?? interface
            var record = PolicyRecord()
            record.source = route.source.network.bits
            record.sourceMask = route.source.mask
            record.destination = route.destination.network.bits
            record.destinationMask = route.destination.mask
            record.protocolNumber = route.protocolNumber ?? 0
            if let ports = route.sourcePorts {
                record.firstSourcePort = ports.lowerBound
                record.lastSourcePort = ports.upperBound
                record.comparesPorts = true
            }
            if let ports = route.destinationPorts {
                record.firstDestinationPort = ports.lowerBound
                record.lastDestinationPort = ports.upperBound
                record.comparesPorts = true
            }
            record.counter = UInt16(counter)
            record.nextHop = Int32(routing.nextHops.count)
            routing.nextHops.append(
                nextHop(egress, layout.interfaces[egress.name]!, route.nextHop.bits))
            routing.policies.append(record)
        }
    }
}
