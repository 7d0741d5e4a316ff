internal import Memory
internal import Tables
internal import Wire

/// The tables as operators see them.
extension Agent {
    /// What `show fdb` is made of.
    public func fdbListing(
        _ selection: Selection, now: UInt64
    ) throws(ControlError) -> FDBListing {
        let filter = try forwardingFilter(selection)
        var entries: [FDBListing.Entry] = []
        writer.forwarding.visit { slot, key, value in
            guard filter(key, value) else { return }
            entries.append(
                FDBListing.Entry(
                    key: key, value: value, ageTicks: age(writer.forwarding, slot, now),
                    moves: UInt32(clamping: moves[key] ?? 0)))
        }
        let peer = try selection.peer.map { name throws(ControlError) in try peerIndex(name) }
        return FDBListing(
            entries: entries, selection: selection, peer: peer, configuration: configuration,
            layout: layout)
    }

    /// What `show arp` is made of.
    public func arpListing(
        _ selection: Selection, now: UInt64
    ) throws(ControlError) -> ARPListing {
        let filter = try neighborFilter(selection)
        var entries: [ARPListing.Entry] = []
        writer.neighbors.visit { slot, key, value in
            guard filter(key, value) else { return }
            let isOwn = NeighborTable.isOwn(value)
            entries.append(
                ARPListing.Entry(
                    key: key, mac: mac(ofNeighbor: value), value: value,
                    place: isOwn ? .none : place(ofNeighbor: key, value) ?? .none,
                    ageTicks: age(writer.neighbors, slot, now),
                    isRefreshed: resolutions[key]?.isRefresh == true,
                    isFrozen: addressMoves.isFrozen(key)))
        }
        return ARPListing(entries: entries, layout: layout)
    }

    /// Ticks since an entry was seen. A worker's clock may be a little ahead.
    private func age(_ table: ProbeTable, _ slot: Int, _ now: UInt64) -> UInt32 {
        UInt32(max(Int32(bitPattern: Self.ticks(now) &- table.lastTouched(slot)), 0))
    }

    /// Rows of `show route`: the connected subnets, then the static routes, a row for each next
    /// hop. With an address, those of the longest prefix that holds it, in each VRF.
    public func routeReport(_ selection: Selection) throws(ControlError) -> [RouteReport] {
        try checkNames(selection)
        let connected = configuration.vsiInterfaces.flatMap(connectedRows)
        // A connected subnet wins over a route to the same prefix.
        let places = Set(connected.map { "\($0.vrf) \($0.prefix)" })
        let rows = connected + staticRows().filter { !places.contains("\($0.vrf) \($0.prefix)") }
        let best = selection.address.map { longest($0, rows) }
        return rows.filter { row in
            (selection.vrf == nil || selection.vrf == row.vrf)
                && (selection.interface == nil || selection.interface == row.interface)
                && (best == nil || best?[row.vrf] == row.prefix)
        }
    }

    /// The longest prefix of each VRF that holds an address.
    private func longest(_ address: IPv4Address, _ rows: [RouteReport]) -> [String: String] {
        var best: [String: IPv4Prefix] = [:]
        for row in rows {
            guard let prefix = IPv4Prefix(row.prefix), prefix.contains(address) else { continue }
            if let other = best[row.vrf], other.length >= prefix.length { continue }
            best[row.vrf] = prefix
        }
        return best.mapValues(\.description)
    }

    /// The VRF and the interface of a selection exist.
    private func checkNames(_ selection: Selection) throws(ControlError) {
        if let name = selection.vrf, layout.vrfs[name] == nil {
            throw .notFound("no vrf \(name): see vxgate config show")
        }
        if let name = selection.interface, layout.interfaces[name] == nil {
            throw .notFound("no vsi-interface \(name): see vxgate config show")
        }
    }

    private func connectedRows(_ interface: Configuration.VSIInterface) -> [RouteReport] {
        interface.addresses.map { prefix in
            RouteReport(
                vrf: interface.vrf,
                prefix: IPv4Prefix(address: prefix.network, length: prefix.length).description,
                kind: prefix.length == 32 ? .host : .connected, interface: interface.name)
        }
    }

    private func staticRows() -> [RouteReport] {
        configuration.staticRoutes.flatMap { route -> [RouteReport] in
            let prefix = IPv4Prefix(
                address: route.prefix.network, length: route.prefix.length
            ).description
            guard !route.blackhole else {
                return [RouteReport(vrf: route.vrf, prefix: prefix, kind: .blackhole)]
            }
            return route.via.map { via in
                RouteReport(
                    vrf: route.vrf, prefix: prefix, kind: .static, via: via.description,
                    interface: layout.interface(of: route, via: via)?.name,
                    onlink: route.onlink)
            }
        }
    }

    /// The policy routes in the order they are tried, with the index of their hit counter.
    public func policyReport(
        _ selection: Selection
    ) throws(ControlError) -> [(report: PolicyReport, counter: Int)] {
        try checkNames(selection)
        if let name = selection.name, layout.policyNames[name] == nil {
            throw .notFound("no policy route \(name): see vxgate show policy")
        }
        let chosen = layout.policies.filter { route, _ in
            let interface = layout.interfaces[route.interface].flatMap { layout.interfaceOf[$0] }
            return (selection.name == nil || selection.name == route.name)
                && (selection.interface == nil || selection.interface == route.interface)
                && (selection.vrf == nil || selection.vrf == interface?.vrf)
        }
        return chosen.map { policy in
            let number = policy.route.protocolNumber
            let names: [UInt8: String] = [1: "icmp", 6: "tcp", 17: "udp"]
            let ports = policy.route.destinationPorts.map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
            }
            let report = PolicyReport(
                name: policy.route.name, order: policy.route.order,
                interface: policy.route.interface, source: policy.route.source.description,
                destination: policy.route.destination.description,
                protocol: number.map { names[$0] ?? "\($0)" }, destinationPorts: ports,
                nextHop: policy.route.nextHop.description, packets: 0)
            return (report, policy.counter)
        }
    }

    /// Bytes of the largest IP packet that is routed into a VSI; nil when unknown.
    public func mtu(ofVSI vsi: Configuration.VSI) -> Int? {
        let interface = configuration.vsiInterfaces.first { $0.vsi == vsi.name }
        if let mtu = interface?.mtu { return mtu }
        guard environment.underlayMTU > OuterHeader.packetOverhead else { return nil }
        return environment.underlayMTU - (vsi.vni == nil ? 0 : OuterHeader.packetOverhead)
    }

    /// How many FDB entries each VSI has, by its index.
    public func forwardingCounts() -> [Int] {
        var counts = [Int](repeating: 0, count: layout.vsis.bound)
        writer.forwarding.visit { _, key, _ in counts[ForwardingTable.vsi(of: key)] += 1 }
        return counts
    }

    /// Names and addresses of every peer by index, those without a name of their own included.
    public var peersByIndex: [(index: Int, name: String, address: String, vnis: [UInt32])] {
        layout.peers.indexes.sorted { $0.value < $1.value }.map { address, index in
            let vnis = configuration.vsis.compactMap(\.vni).filter {
                layout.peerOf[index]?.carries($0) ?? true
            }
            return (
                index, layout.peerName(index) ?? address.description, address.description,
                vnis.map(\.bits).sorted()
            )
        }
    }
}
