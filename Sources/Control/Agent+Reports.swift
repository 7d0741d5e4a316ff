internal import Memory
internal import Tables
internal import Wire

/// The tables as operators see them.
extension Agent {
    /// Rows of `show fdb`: the entries by VSI and address, then the default entry of each VSI.
    public func fdbReport(_ selection: Selection, now: UInt64) throws(ControlError) -> [FDBReport] {
        let filter = try forwardingFilter(selection)
        let time = Self.ticks(now)
        var rows: [(order: UInt64, row: FDBReport)] = []
        writer.forwarding.visit { slot, key, value in
            guard filter(key, value) else { return }
            let kind = ForwardingTable.kind(of: value)
            let age = Int32(bitPattern: time &- writer.forwarding.lastTouched(slot))
            var row = row(
                vsi: ForwardingTable.vsi(of: key), place: ForwardingTable.destination(of: value))
            row.mac = ForwardingTable.mac(of: key).description
            row.kind = Self.kind(kind)
            row.ageSeconds = kind == .dynamic ? Int(max(age, 0)) / Int(Self.ticksPerSecond) : 0
            row.moves = moves[key] ?? 0
            row.isFrozen = ForwardingTable.isFrozen(value)
            rows.append((key << 48 | key >> 16, row))
        }
        let entries = rows.sorted { $0.order < $1.order }.map(\.row)
        return entries + (try floodReport(selection))
    }

    /// The all-zero default entries: where what the FDB does not know goes (the Linux form of a
    /// flood list).
    private func floodReport(_ selection: Selection) throws(ControlError) -> [FDBReport] {
        guard selection.mac == nil || selection.mac == .zero, selection.port == nil else {
            return []
        }
        let wanted = try selection.peer.map { name throws(ControlError) in try peerIndex(name) }
        var rows: [FDBReport] = []
        for vsi in configuration.vsis where selection.vsi == nil || selection.vsi == vsi.name {
            for peer in configuration.floodPeers(of: vsi) {
                let index = layout.peers[peer.address]!
                guard wanted == nil || wanted == index else { continue }
                var row = row(vsi: layout.vsis[vsi.name]!, place: .peer(index))
                row.mac = MACAddress.zero.description
                row.kind = .flood
                rows.append(row)
            }
        }
        return rows
    }

    private func row(vsi: Int, place: Destination) -> FDBReport {
        let settings = layout.vsiOf[vsi]
        var row = FDBReport(
            vsi: settings?.name ?? "", vni: settings?.vni?.bits, mac: "", kind: .dynamic)
        if place.isPort { row.port = layout.portOf[place.index]?.name }
        if place.isPeer {
            row.peer = layout.peerName(place.index)
            row.address = layout.peers.name(of: place.index)?.description
        }
        return row
    }

    private static func kind(_ kind: ForwardingTable.Kind) -> FDBReport.Kind {
        switch kind {
        case .dynamic: .dynamic
        case .static: .static
        case .own: .own
        }
    }

    /// Rows of `show arp`. A binding of a VSI without a VSI-interface bears the name of the VSI.
    public func arpReport(_ selection: Selection, now: UInt64) throws(ControlError) -> [ARPReport] {
        let filter = try neighborFilter(selection)
        let time = Self.ticks(now)
        let interfaceOf = Dictionary(
            layout.interfaceOf.values.compactMap { entry in
                layout.vsis[entry.vsi].map { ($0, entry) }
            }, uniquingKeysWith: { first, _ in first })
        var rows: [(order: UInt64, row: ARPReport)] = []
        writer.neighbors.visit { slot, key, value in
            guard filter(key, value) else { return }
            let vsi = NeighborTable.vsi(of: key)
            let interface = interfaceOf[vsi]
            let isOwn = NeighborTable.isOwn(value)
            let isStatic = NeighborTable.isStatic(value)
            let age = Int32(bitPattern: time &- writer.neighbors.lastTouched(slot))
            var row = ARPReport(
                vrf: interface?.vrf ?? Configuration.defaultVRF,
                interface: interface?.name ?? layout.vsiOf[vsi]?.name ?? "",
                address: NeighborTable.address(of: key).description,
                mac: mac(ofNeighbor: value)?.description,
                kind: isOwn ? .own : isStatic ? .static : .dynamic, state: state(key, value))
            row.isFrozen = addressMoves.isFrozen(key)
            if !isStatic { row.ageSeconds = Int(max(age, 0)) / Int(Self.ticksPerSecond) }
            if !isOwn, let place = place(ofNeighbor: key, value) {
                row.port = place.isPort ? layout.portOf[place.index]?.name : nil
                row.peer = place.isPeer ? layout.peerName(place.index) : nil
            }
            rows.append((key, row))
        }
        return rows.sorted { $0.order < $1.order }.map(\.row)
    }

    private func state(_ key: UInt64, _ value: UInt32) -> ARPReport.State {
        if NeighborTable.isFailed(value) { return .failed }
        if NeighborTable.isIncomplete(value) { return .incomplete }
        return resolutions[key]?.isRefresh == true ? .stale : .reachable
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
    public func forwardingCounts() -> [Int: Int] {
        var counts: [Int: Int] = [:]
        writer.forwarding.visit { _, key, _ in
            counts[ForwardingTable.vsi(of: key), default: 0] += 1
        }
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
