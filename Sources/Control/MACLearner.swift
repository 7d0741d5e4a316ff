internal import Memory
public import Tables
public import Wire

/// What workers report, put into the tables.
extension Agent {
    /// A source MAC was seen where the FDB does not have it (RFC 7348 section 4.1).
    ///
    /// - Parameter address: the outer source, for a VTEP that no configuration names.
    public func macSeen(
        _ mac: MACAddress, vsi: Int, place: Destination, address: IPv4Address, now: UInt64
    ) {
        guard let settings = layout.vsiOf[vsi], settings.learning,
            let place = known(place, vsi: vsi, address: address, now: now)
        else { return }
        let time = Self.ticks(now)
        let key = ForwardingTable.key(mac: mac, vsi: vsi)
        let fresh = ForwardingTable.value(
            place, kind: ForwardingTable.Kind.dynamic.rawValue)
        if let value = forwardingValue(key) {
            guard ForwardingTable.kind(of: value) == .dynamic, value != fresh,
                !ForwardingTable.isFrozen(value)
            else { return }
            let isFrozen = freezesForwarding(
                key, from: ForwardingTable.destination(of: value), to: place, now: now)
            writer.setForwarding(
                key, isFrozen ? ForwardingTable.frozen(fresh) : fresh, time: time)
            let slot = writer.forwarding.find(key)
            writer.forwarding.touch(slot, time: time)
            moveNeighbors(mac: mac, vsi: vsi, to: place, time: time)
            return
        }
        let learned = learnedCount[vsi, default: 0]
        guard settings.macLimit == 0 || learned < settings.macLimit,
            writer.forwarding.count < Self.maximumLearned,
            writer.setForwarding(key, fresh, time: time, isLearnt: true)
        else {
            events.fdbLimit += 1
            return
        }
        learnedCount[vsi] = learned + 1
    }

    /// An ARP packet said who has an address (RFC 826).
    ///
    /// - Parameter isAnnouncement: a gratuitous packet changes what is known but makes nothing
    ///   known, so that nobody fills the table by shouting.
    /// - Returns: false when the address is frozen elsewhere.
    @discardableResult
    public func addressSeen(
        _ address: IPv4Address, mac: MACAddress, vsi: Int, place: Destination,
        isAnnouncement: Bool, now: UInt64
    ) -> Bool {
        guard layout.vsiOf[vsi] != nil,
            let place = known(place, vsi: vsi, address: nil, now: now)
        else { return true }
        let key = NeighborTable.key(vsi: UInt16(vsi), address: address.bits)
        let previous = neighborValue(key)
        if let previous {
            guard !NeighborTable.isStatic(previous) else { return true }
            guard admitsMove(ofNeighbor: key, previous, to: mac, place, now: now) else {
                return false
            }
        }
        guard
            previous != nil || (!isAnnouncement && writer.neighbors.count < Self.maximumNeighbors),
            writer.setNeighbor(
                key, mac: mac.bits, egress: place, flags: 0, time: Self.ticks(now), isLearnt: true)
        else { return true }
        failures[key] = nil
        moved[key] = nil
        settle(key)
        return true
    }

    /// A host has moved inside its VSI: ARP entries with its MAC lead where its frames come from
    /// now.
    ///
    /// Gateways that share a MAC look like one host that moves without end. They are known by ARP:
    /// entries that came from different peers keep to them.
    private func moveNeighbors(mac: MACAddress, vsi: Int, to place: Destination, time: UInt32) {
        let keys = writer.neighborIndex.neighbors(of: ForwardingTable.key(mac: mac, vsi: vsi))
        let origins = keys.map { moved[$0] ?? egress(of: neighborValue($0) ?? 0) }
        let isShared = place.isPeer && Set(origins.filter(\.isPeer)).count > 1
        for (key, origin) in zip(keys, origins) {
            guard let value = neighborValue(key) else { continue }
            let next = isShared ? origin : place
            moved[key] = next == origin ? nil : origin
            guard egress(of: value) != next else { continue }
            writer.setNeighbor(key, mac: mac.bits, egress: next, flags: 0, time: time)
        }
    }

    /// The place a report speaks of as the tables have it now, or nil when it has left the VSI
    /// since.
    private func known(
        _ place: Destination, vsi: Int, address: IPv4Address?, now: UInt64
    ) -> Destination? {
        if place == .unknownPeer {
            guard let address, configuration.vtep.acceptUnknownPeers else { return nil }
            return unknownPeer(address, now: now)
        }
        switch place.kind {
        case .port: return layout.vsi(ofPort: place.index) == vsi ? place : nil
        case .peer: return layout.peer(place.index, carries: vsi) ? place : nil
        case .own, .none: return nil
        }
    }

    /// Gives a VTEP that only traffic made known a place in the tables.
    private func unknownPeer(_ address: IPv4Address, now: UInt64) -> Destination? {
        if let index = layout.peers[address] { return .peer(index) }
        let unknown = layout.peers.indexes.count - layout.peerOf.count
        guard unknown < Self.maximumUnknownPeers else { return nil }
        let index = layout.peers.assign(address, now: now)
        publish()
        // A set for every stranger of a burst would be hundreds of megabytes by the next tick.
        writer.reclaim()
        return .peer(index)
    }
}
