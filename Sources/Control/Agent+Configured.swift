internal import Memory
internal import Tables
internal import Wire

/// Entries that the configuration demands: own addresses, static FDB, static ARP.
extension Agent {
    /// The MAC and IPv4 addresses of the VSI-interfaces, in their VSIs.
    func synchronizeOwn(_ builder: TableSetBuilder, time: UInt32) {
        var macs: [UInt64: UInt32] = [:]
        var addresses: [UInt64: MACAddress] = [:]
        for interface in configuration.vsiInterfaces {
            let vsi = layout.vsis[interface.vsi]!
            let mac = builder.mac(of: interface)
            macs[ForwardingTable.key(mac: mac, vsi: vsi)] = ForwardingTable.value(
                .own(layout.interfaces[interface.name]!), kind: ForwardingTable.Kind.own.rawValue)
            for prefix in interface.addresses {
                let key = NeighborTable.key(vsi: UInt16(vsi), address: prefix.address.bits)
                addresses[key] = mac
            }
        }
        removeForwarding { _, key, value in
            ForwardingTable.kind(of: value) == .own && macs[key] == nil
        }
        removeNeighbors { key, value in NeighborTable.isOwn(value) && addresses[key] == nil }
        // The order of insertion is that of the table, and so of what is seen of it.
        for (key, value) in macs.sorted(by: { $0.key < $1.key }) { place(key, value, time: time) }
        for (key, mac) in addresses.sorted(by: { $0.key < $1.key }) {
            abandon(key)
            setStaticNeighbor(
                key, mac, flags: NeighborTable.ownFlag | NeighborTable.staticFlag, time: time)
        }
    }

    /// Static entries of the file: new ones are set, those it no longer has are removed. What the
    /// operator added by hand stays while its VSI and its place do.
    func synchronizeStatic(time: UInt32) {
        var wanted: [UInt64: UInt32] = [:]
        for entry in configuration.staticFDB {
            guard let vsi = layout.vsis[entry.vsi], let place = place(of: entry.target) else {
                continue
            }
            wanted[ForwardingTable.key(mac: entry.mac, vsi: vsi)] = ForwardingTable.value(
                place, kind: ForwardingTable.Kind.static.rawValue)
        }
        let gone = configuredFDB.filter { wanted[$0.key] == nil }
        removeForwarding { _, key, value in gone[key] == value }
        for (key, value) in wanted.sorted(by: { $0.key < $1.key }) where isFree(key) {
            place(key, value, time: time)
        }
        configuredFDB = wanted
        synchronizeStaticARP(time: time)
    }

    private func synchronizeStaticARP(time: UInt32) {
        var wanted: [UInt64: MACAddress] = [:]
        for entry in configuration.staticARP {
            guard let key = neighborKey(entry.interface, entry.address) else { continue }
            wanted[key] = entry.mac
        }
        let gone = configuredARP.filter { wanted[$0.key] == nil }
        removeNeighbors { key, value in
            gone[key] != nil && NeighborTable.isStatic(value) && !NeighborTable.isOwn(value)
        }
        for (key, mac) in wanted.sorted(by: { $0.key < $1.key })
        where !NeighborTable.isOwn(neighborValue(key) ?? 0) {
            setStaticNeighbor(key, mac, flags: NeighborTable.staticFlag, time: time)
        }
        configuredARP = wanted
    }

    /// Sets an entry that does not age; what waited for it goes on.
    func setStaticNeighbor(_ key: UInt64, _ mac: MACAddress, flags: UInt32, time: UInt32) {
        if let value = neighborValue(key), self.mac(ofNeighbor: value) == mac,
            NeighborTable.isStatic(value),
            NeighborTable.isOwn(value) == (flags & NeighborTable.ownFlag != 0)
        {
            return
        }
        failures[key] = nil
        addressMoves.forget(key)
        writer.setNeighbor(key, mac: mac.bits, egress: .none, flags: flags, time: time)
        settle(key)
    }

    /// The key of an address on a VSI-interface, nil when there is no such interface.
    func neighborKey(_ interface: String, _ address: IPv4Address) -> UInt64? {
        guard let index = layout.interfaces[interface],
            let vsi = layout.interfaceOf[index].flatMap({ layout.vsis[$0.vsi] })
        else { return nil }
        return NeighborTable.key(vsi: UInt16(vsi), address: address.bits)
    }

    func neighborValue(_ key: UInt64) -> UInt32? {
        writer.neighbors.value(at: writer.neighbors.find(key), for: key)
    }

    func place(of target: FDBTarget) -> Destination? {
        switch target {
        case .port(let name): layout.ports[name].map { .port($0) }
        case .peer(let name): layout.peerNamed[name].map { .peer($0) }
        }
    }

    /// No address of the gateway itself.
    func isFree(_ key: UInt64) -> Bool {
        guard let value = forwardingValue(key) else { return true }
        return ForwardingTable.kind(of: value) != .own
    }

    func forwardingValue(_ key: UInt64) -> UInt32? {
        writer.forwarding.value(at: writer.forwarding.find(key), for: key)
    }

    /// Sets a static or own entry in place of whatever is there.
    func place(_ key: UInt64, _ value: UInt32, time: UInt32) {
        let previous = forwardingValue(key)
        guard previous != value else { return }
        if let previous, ForwardingTable.kind(of: previous) == .dynamic {
            learnedCount[ForwardingTable.vsi(of: key), default: 1] -= 1
        }
        moves[key] = nil
        macMoves.forget(key)
        writer.setForwarding(key, value, time: time)
    }
}
