internal import Wire

/// Rules about static routes, policy routes and static ARP entries: their next hops can be reached.
extension ConfigurationCheck {
    func checkStaticRoutes() {
        var places = StaticPaths()
        let connected = connectedSubnets()
        for (index, route) in configuration.staticRoutes.enumerated() {
            let path = "static-routes[\(index)]"
            checkScope(of: route, path: path)
            warnOfConnected(route, path: path, among: connected)
            let isKnown = !log.hasFailed("\(path).via") && !log.hasFailed("\(path).prefix")
            if route.blackhole {
                if !route.via.isEmpty || route.interface != nil || route.onlink {
                    log.refuse(
                        path, "a blackhole has no 'via', 'interface' or 'onlink': remove them")
                }
                refuseSecond(route, via: nil, path: path, in: &places)
                continue
            }
            if route.via.isEmpty, isKnown, !log.isWritten("\(path).via") {
                log.refuse(path, "the route leads nowhere: add 'via' or 'blackhole: true'")
            }
            if route.onlink, route.interface == nil, !log.hasFailed("\(path).interface") {
                log.refuse(
                    "\(path).onlink",
                    "onlink needs an 'interface' on which the next hop is asked for")
            }
            let paths = log.itemPaths(of: "\(path).via", count: route.via.count)
            for (hop, hopPath) in zip(route.via, paths) {
                checkNextHop(hop, of: route, path: path, hopPath: hopPath)
                if isKnown { refuseSecond(route, via: hop, path: hopPath, in: &places) }
            }
        }
    }

    private struct RoutePath: Hashable {
        let vrf: String
        let prefix: IPv4Prefix
        let via: IPv4Address?
    }

    private struct RoutePlace: Hashable {
        let vrf: String
        let prefix: IPv4Prefix

        init(vrf: String, prefix: IPv4Prefix) {
            self.vrf = vrf
            self.prefix = IPv4Prefix(address: prefix.network, length: prefix.length)
        }
    }

    /// The interface of each subnet that is at hand.
    private func connectedSubnets() -> [RoutePlace: String] {
        var result: [RoutePlace: String] = [:]
        for interface in interfaces {
            for subnet in interface.addresses {
                result[RoutePlace(vrf: interface.vrf, prefix: subnet)] = interface.name
            }
        }
        return result
    }

    /// The connected subnet wins, as it does in Linux, where the route cannot be added at all.
    private func warnOfConnected(
        _ route: Configuration.StaticRoute, path: String, among connected: [RoutePlace: String]
    ) {
        let place = RoutePlace(vrf: route.vrf, prefix: route.prefix)
        guard let interface = connected[place], !log.hasFailed("\(path).prefix") else { return }
        log.warn(
            "\(path).prefix",
            "\(route.prefix) is connected by interface \(interface), which wins: the route does "
                + "nothing")
    }

    /// Where each path stands, and the first to each prefix.
    private struct StaticPaths {
        var all: [RoutePath: String] = [:]
        var firsts: [RoutePlace: (path: String, isBlackhole: Bool)] = [:]
    }

    /// The same path twice, or a blackhole beside a path.
    private func refuseSecond(
        _ route: Configuration.StaticRoute, via: IPv4Address?, path: String,
        in places: inout StaticPaths
    ) {
        let key = RoutePath(vrf: route.vrf, prefix: route.prefix, via: via)
        let place = RoutePlace(vrf: route.vrf, prefix: route.prefix)
        if let first = places.all[key] {
            log.refuse(
                path, "the same route to \(route.prefix) is at \(log.reference(first)) already")
        } else if let first = places.firsts[place], first.isBlackhole != (via == nil) {
            log.refuse(
                path,
                "a blackhole and a next hop for \(route.prefix) contradict each other: "
                    + "\(log.reference(first.path)); keep one")
        } else if places.firsts[place] == nil {
            places.firsts[place] = (path, via == nil)
        }
        places.all[key] = path
    }

    private func checkScope(of route: Configuration.StaticRoute, path: String) {
        guard configuration.vrfs.contains(route.vrf) else {
            refuseDanglingVRF("\(path).vrf", route.vrf)
            return
        }
        guard let name = route.interface else { return }
        guard let index = interfaceNames[name] else {
            refuseDangling("\(path).interface", "interface", name, among: interfaceNames)
            return
        }
        let vrf = interfaces[index].vrf
        if vrf != route.vrf, !log.hasFailed("\(interfaces[index].path).vrf") {
            log.refuse(
                "\(path).vrf",
                "interface \(name) is in VRF \(vrf), the route in \(route.vrf): write 'vrf: \(vrf)'"
            )
        }
    }

    private func checkNextHop(
        _ hop: IPv4Address, of route: Configuration.StaticRoute, path: String, hopPath: String
    ) {
        if ownAddresses.contains(RoutedAddress(vrf: route.vrf, address: hop)) {
            log.refuse(hopPath, "next hop \(hop) is an address of this gateway itself")
            return
        }
        let isScopeWrong =
            log.hasFailed("\(path).vrf") || log.hasFailed("\(path).interface")
            || log.hasFailed("\(path).onlink")
        guard !route.onlink, !isScopeWrong else { return }
        let interface = route.interface.flatMap { interfaceNames[$0] }.map { interfaces[$0] }
        if let own = interface?.subnets.first(where: { $0.contains(hop) }) {
            _ = refuseEdge(hop, of: own, path: hopPath)
            return
        }
        guard !uncertainVRFs.contains(route.vrf) else { return }
        guard let found = subnets[route.vrf]?.find(hop) else {
            log.refuse(
                hopPath,
                "next hop \(hop) is outside every connected subnet of VRF \(route.vrf): "
                    + "add 'onlink: true' with an interface, or correct it")
            return
        }
        if refuseEdge(hop, of: found.prefix, path: hopPath) { return }
        if let interface {
            log.refuse(
                hopPath,
                "next hop \(hop) is in the subnet of interface \(found.interface), not of "
                    + "\(interface.name): "
                    + "correct the interface or add 'onlink: true'")
        }
    }

    /// The network and broadcast addresses of a subnet are no hosts; true when that was the error.
    private func refuseEdge(_ hop: IPv4Address, of subnet: IPv4Prefix, path: String) -> Bool {
        guard subnet.length <= 30, hop == subnet.network || hop == subnet.lastAddress else {
            return false
        }
        let network = IPv4Prefix(address: subnet.network, length: subnet.length)
        let kind = hop == subnet.network ? "network" : "broadcast"
        log.refuse(path, "\(hop) is the \(kind) address of \(network), not a host")
        return true
    }

    func checkPolicyRoutes() {
        for (index, policy) in configuration.policyRoutes.enumerated() {
            let path = "policy-routes[\(index)]"
            for (ports, key) in [
                (policy.sourcePorts, "source-ports"),
                (policy.destinationPorts, "destination-ports"),
            ] where ports != nil && !log.hasFailed("\(path).protocol") {
                if policy.protocolNumber.map(protocolsWithPorts.contains) != true {
                    log.refuse("\(path).\(key)", "ports need 'protocol: tcp', udp or sctp")
                }
            }
            guard let interface = interfaceNames[policy.interface] else {
                refuseDangling(
                    "\(path).interface", "interface", policy.interface, among: interfaceNames)
                continue
            }
            let vrf = interfaces[interface].vrf
            let hop = policy.nextHop
            let hopPath = "\(path).next-hop"
            if ownAddresses.contains(RoutedAddress(vrf: vrf, address: hop)) {
                log.refuse(hopPath, "next hop \(hop) is an address of this gateway itself")
            } else if let found = subnets[vrf]?.find(hop) {
                _ = refuseEdge(hop, of: found.prefix, path: hopPath)
            } else if !uncertainVRFs.contains(vrf) {
                log.refuse(
                    hopPath, "next hop \(hop) is outside every connected subnet of VRF \(vrf)")
            }
        }
    }

    func checkStaticARP() {
        struct Key: Hashable {
            let interface: String
            let address: IPv4Address
        }
        var places: [Key: String] = [:]
        let onlink = Set(
            configuration.staticRoutes.filter(\.onlink).flatMap { route in
                route.via.map { Key(interface: route.interface ?? "", address: $0) }
            })
        for (index, entry) in configuration.staticARP.enumerated() {
            let path = "static-arp[\(index)]"
            guard let found = interfaceNames[entry.interface] else {
                refuseDangling(
                    "\(path).interface", "interface", entry.interface, among: interfaceNames)
                continue
            }
            guard !log.hasFailed("\(path).address") else { continue }
            let interface = interfaces[found]
            let key = Key(interface: entry.interface, address: entry.address)
            if let first = places[key] {
                log.refuse(
                    "\(path).address",
                    "\(entry.address) has an entry on \(entry.interface): \(log.reference(first))")
            } else if interface.addresses.contains(where: { $0.address == entry.address }) {
                log.refuse("\(path).address", "\(entry.address) is the interface's own address")
            } else if !interface.subnets.contains(where: { $0.contains(entry.address) }),
                !onlink.contains(key)
            {
                log.warn(
                    "\(path).address",
                    "\(entry.address) is in no subnet of \(entry.interface) and no onlink hop: "
                        + "no packet will use the entry")
            }
            places[key] = path
        }
    }
}
