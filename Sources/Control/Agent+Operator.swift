internal import Memory
internal import Tables
public import Wire

/// What operators ask for by name. A name that does not exist changes nothing and is said.
extension Agent {
    public func addFDB(
        vsi: String, mac: MACAddress, target: FDBTarget, now: UInt64
    ) throws(ControlError) {
        let index = try vsiIndex(vsi)
        guard !mac.isGroup, !mac.isZero else {
            throw .malformed("mac \(mac) is not a unicast address: name one host's address")
        }
        let place = try place(named: target)
        let fits =
            place.isPort
            ? layout.vsi(ofPort: place.index) == index : layout.peer(place.index, carries: index)
        guard fits else {
            throw .conflict("\(Self.text(target)) does not belong to vsi \(vsi)")
        }
        let key = ForwardingTable.key(mac: mac, vsi: index)
        guard isFree(key) else {
            throw .conflict("mac \(mac) is the gateway's own in vsi \(vsi)")
        }
        self.place(
            key, ForwardingTable.value(place, kind: ForwardingTable.Kind.static.rawValue),
            time: Self.ticks(now))
    }

    public func deleteFDB(vsi: String, mac: MACAddress) throws(ControlError) {
        let key = ForwardingTable.key(mac: mac, vsi: try vsiIndex(vsi))
        let slot = writer.forwarding.find(key)
        guard slot >= 0, let value = writer.forwarding.value(at: slot, for: key),
            ForwardingTable.kind(of: value) != .own
        else { throw .notFound("vsi \(vsi) has no entry \(mac): see vxgate show fdb") }
        removeForwarding(slot, key, value)
    }

    /// Removes dynamic entries, and static ones when asked; returns how many.
    public func clearFDB(
        _ selection: Selection, includingStatic: Bool
    ) throws(ControlError) -> Int {
        let filter = try forwardingFilter(selection)
        return removeForwarding { _, key, value in
            switch ForwardingTable.kind(of: value) {
            case .own: false
            case .static: includingStatic && filter(key, value)
            case .dynamic: filter(key, value)
            }
        }
    }

    public func addARP(
        interface: String, address: IPv4Address, mac: MACAddress, now: UInt64
    ) throws(ControlError) {
        guard let key = neighborKey(interface, address) else {
            throw .notFound("no vsi-interface \(interface): see vxgate show arp")
        }
        guard !mac.isGroup, !mac.isZero else {
            throw .malformed("mac \(mac) is not a unicast address: name one host's address")
        }
        guard !NeighborTable.isOwn(neighborValue(key) ?? 0) else {
            throw .conflict("address \(address) is the gateway's own: name a host's address")
        }
        try checkScope(of: address, on: interface)
        setStaticNeighbor(key, mac, flags: NeighborTable.staticFlag, time: Self.ticks(now))
    }

    private func checkScope(
        of address: IPv4Address, on interface: String
    ) throws(ControlError) {
        guard let entry = layout.interfaces[interface].flatMap({ layout.interfaceOf[$0] }) else {
            return
        }
        let scope = NeighborScope(of: entry, configuration, layout)
        guard !scope.mayHold(address) else { return }
        guard !scope.isEdge(address) else {
            throw .conflict(
                "address \(address) is the network or broadcast address of a subnet of "
                    + "vsi-interface \(interface): name a host's address")
        }
        throw .conflict(
            "address \(address) is in no subnet of vsi-interface \(interface) and no onlink next "
                + "hop there: name an address of its subnets, or add the onlink route first")
    }

    public func deleteARP(interface: String, address: IPv4Address) throws(ControlError) {
        guard let key = neighborKey(interface, address) else {
            throw .notFound("no vsi-interface \(interface): see vxgate show arp")
        }
        let slot = writer.neighbors.find(key)
        guard let value = neighborValue(key), !NeighborTable.isOwn(value) else {
            throw .notFound(
                "vsi-interface \(interface) has no entry \(address): see vxgate show arp")
        }
        forgetNeighbor(key, at: slot)
    }

    /// Removes what was learnt, and who has asked for it or was told of the question; returns how
    /// many entries.
    public func clearARP(_ selection: Selection) throws(ControlError) -> Int {
        let filter = try neighborFilter(selection)
        passedOn.remove { filter($0, neighborValue($0) ?? 0) }
        pending = pending.filter { !filter($0.key, neighborValue($0.key) ?? 0) }
        return removeNeighbors { key, value in
            !NeighborTable.isStatic(value) && filter(key, value)
        }
    }

    // MARK: Names

    func vsiIndex(_ name: String) throws(ControlError) -> Int {
        guard let index = layout.vsis[name] else {
            throw .notFound("no vsi \(name): see vxgate show vsi")
        }
        return index
    }

    func portIndex(_ name: String) throws(ControlError) -> Int {
        guard let index = layout.ports[name] else {
            throw .notFound("no port \(name): see vxgate show port")
        }
        return index
    }

    func peerIndex(_ name: String) throws(ControlError) -> Int {
        if let index = layout.peerNamed[name] { return index }
        if let address = IPv4Address(name), let index = layout.peers[address] { return index }
        throw .notFound("no peer \(name): see vxgate show peer")
    }

    private func place(named target: FDBTarget) throws(ControlError) -> Destination {
        switch target {
        case .port(let name): .port(try portIndex(name))
        case .peer(let name): .peer(try peerIndex(name))
        }
    }

    private static func text(_ target: FDBTarget) -> String {
        switch target {
        case .port(let name): "port \(name)"
        case .peer(let name): "peer \(name)"
        }
    }

    /// Which FDB entries a selection means.
    func forwardingFilter(
        _ selection: Selection
    ) throws(ControlError) -> (_ key: UInt64, _ value: UInt32) -> Bool {
        var vsi: Int?
        var places: [Destination] = []
        if let name = selection.vsi { vsi = try vsiIndex(name) }
        if let name = selection.port { places.append(.port(try portIndex(name))) }
        if let name = selection.peer { places.append(.peer(try peerIndex(name))) }
        let mac = selection.mac
        return { key, value in
            (vsi == nil || vsi == ForwardingTable.vsi(of: key))
                && (mac == nil || mac == ForwardingTable.mac(of: key))
                && places.allSatisfy { $0 == ForwardingTable.destination(of: value) }
        }
    }

    /// Which ARP entries a selection means.
    func neighborFilter(
        _ selection: Selection
    ) throws(ControlError) -> (_ key: UInt64, _ value: UInt32) -> Bool {
        var vsis: [Set<Int>] = []
        if let name = selection.vsi { vsis.append([try vsiIndex(name)]) }
        if let name = selection.interface {
            guard let index = layout.interfaces[name], let entry = layout.interfaceOf[index] else {
                throw .notFound("no vsi-interface \(name): see vxgate config show")
            }
            vsis.append([try vsiIndex(entry.vsi)])
        }
        if let name = selection.vrf {
            guard layout.vrfs[name] != nil else {
                throw .notFound("no vrf \(name): see vxgate config show")
            }
            let bound = layout.interfaceOf.values.filter { $0.vrf == name }
            vsis.append(Set(bound.compactMap { layout.vsis[$0.vsi] }))
        }
        var places: [Destination] = []
        if let name = selection.port { places.append(.port(try portIndex(name))) }
        if let name = selection.peer { places.append(.peer(try peerIndex(name))) }
        return { key, value in
            vsis.allSatisfy { $0.contains(NeighborTable.vsi(of: key)) }
                && (selection.address == nil
                    || selection.address == NeighborTable.address(of: key))
                && (selection.mac == nil
                    || selection.mac == self.mac(ofNeighbor: value))
                && places.allSatisfy { $0 == self.place(ofNeighbor: key, value) }
        }
    }

    /// Where packets to a neighbor go: by its ARP entry, or where that does not say, by the FDB.
    func place(ofNeighbor key: UInt64, _ value: UInt32) -> Destination? {
        guard let mac = mac(ofNeighbor: value) else { return nil }
        let learned = egress(of: value)
        guard learned == .none else { return learned }
        let vsi = NeighborTable.vsi(of: key)
        return forwardingValue(ForwardingTable.key(mac: mac, vsi: vsi))
            .map(ForwardingTable.destination)
    }
}
