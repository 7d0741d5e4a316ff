internal import Memory
internal import Tables
public import Wire

/// Finding out who has an address, and whether who had it still does.
///
/// A next hop that nobody knows is asked for once in `arp-retry`, `arp-attempts` times, while the
/// newest packets for it wait; then it has failed for a while, and its packets are dropped. An
/// entry about to age is asked for in time, by unicast, so that a silent host is not lost (RFC 1122
/// sections 2.3.2.1 and 2.3.2.2, RFC 9161 section 3.5).
extension Agent {
    /// An address that is being asked for.
    struct Resolution {
        var interface: Int
        var attempts = 0
        /// Nanoseconds of the next question, or of the end.
        var due: UInt64
        var held: [HeldPacket] = []
        /// The entry is known and its host is asked whether it still holds.
        var isRefresh = false
        /// When the entry had last been heard of as a refresh began, in ticks.
        var lastHeard: UInt32 = 0
    }

    /// How long a next hop that did not answer is not asked for again.
    static let failedNanoseconds: UInt64 = 5_000_000_000
    /// Unknown addresses asked for at once, and bytes of packets that wait, over the whole gateway.
    static let maximumResolutions = 4096
    /// Addresses that made room for others, remembered so that they are not asked for too soon.
    static let maximumRests = 1 << 16
    static let maximumHeldBytes = 16 << 20

    var retryNanoseconds: UInt64 {
        // RFC 1122 allows one request a second to one address; a shorter time is the operator's.
        max(UInt64(configuration.timers.arpRetrySeconds * 1e9), 100_000_000)
    }

    /// A packet whose next hop is not known.
    public func hold(_ packet: HeldPacket, interface: Int, nextHop: IPv4Address, now: UInt64) {
        guard let entry = layout.interfaceOf[interface],
            let key = neighborKey(entry.name, nextHop)
        else { return discard([packet]) }
        let value = neighborValue(key) ?? 0
        // Answered while the packet was on its way here.
        if NeighborTable.isResolved(value) { return orders.append(.resume(packet)) }
        if NeighborTable.isFailed(value) { return discard([packet], failedAt: now) }
        if resolutions[key] == nil {
            guard begin(key, interface: interface, now: now) else { return discard([packet]) }
        }
        heldBytes += packet.bytes.count
        resolutions[key]?.held.append(packet)
        while let count = resolutions[key]?.held.count,
            count > max(configuration.limits.unresolvedQueue, 1)
                || (heldBytes > Self.maximumHeldBytes && count > 1)
        {
            // The oldest goes: the newest is the one its sender still waits for.
            guard let oldest = resolutions[key]?.held.removeFirst() else { break }
            heldBytes -= oldest.bytes.count
            discard([oldest])
        }
    }

    /// Begins to ask for an address. False when there is no room for it.
    ///
    /// However many addresses that nobody has are sent to, there is room for one more: the one
    /// asked for longest ago goes. A host that is there has answered by then.
    private func begin(_ key: UInt64, interface: Int, now: UInt64) -> Bool {
        if unresolved.count >= Self.maximumResolutions, let oldest = unresolved.oldest() {
            makeRoom(oldest)
        }
        guard
            writer.setNeighbor(
                key, mac: 0, egress: .none, flags: NeighborTable.incompleteFlag,
                time: Self.ticks(now))
        else { return false }
        unresolved.add(key)
        resolutions[key] = Resolution(interface: interface, due: now)
        if let rest = rests.removeValue(forKey: key), rest > now {
            resolutions[key]?.due = rest
            questions.add(key, due: rest)
        } else {
            ask(key, now: now)
        }
        return true
    }

    /// Lets an address go that nobody has answered for yet. It has been asked for, and may not be
    /// again before its time (RFC 1122 section 2.3.2.1).
    private func makeRoom(_ key: UInt64) {
        if let due = resolutions[key]?.due, rests.count < Self.maximumRests {
            rests[key] = due
            restEnds.add(key, due: due)
        }
        forgetNeighbor(key)
    }

    /// The address is known: what waited goes on, in order.
    func settle(_ key: UInt64) {
        unresolved.remove(key)
        guard let resolution = resolutions.removeValue(forKey: key) else { return }
        for packet in resolution.held {
            heldBytes -= packet.bytes.count
            orders.append(.resume(packet))
        }
    }

    /// The address is no longer asked for: what waited is dropped.
    /// - Parameter moment: when nobody had answered, nil when it ends for another reason.
    func abandon(_ key: UInt64, failedAt moment: UInt64? = nil) {
        unresolved.remove(key)
        guard let resolution = resolutions.removeValue(forKey: key) else { return }
        for packet in resolution.held { heldBytes -= packet.bytes.count }
        discard(resolution.held, failedAt: moment)
    }

    private func discard(_ packets: [HeldPacket], failedAt moment: UInt64? = nil) {
        if let moment {
            events.heldFailed += UInt64(packets.count)
            for packet in packets { reportUnreachable(packet, now: moment) }
        } else {
            events.heldOverflow += UInt64(packets.count)
        }
    }

    /// Questions that are due, entries that have failed, entries that are about to age.
    func resolve(now: UInt64) {
        while let entry = questions.take(now: now) {
            let key = entry.key
            guard let resolution = resolutions[key], resolution.due == entry.due else { continue }
            if resolution.isRefresh, hasAnswered(key, since: resolution.lastHeard) {
                resolutions[key] = nil
            } else if resolution.attempts < max(configuration.timers.arpAttempts, 1) {
                ask(key, now: now)
            } else if resolution.isRefresh {
                resolutions[key] = nil
                forgetNeighbor(key)
            } else {
                fail(key, now: now)
            }
        }
        while let entry = failureEnds.take(now: now) {
            guard failures[entry.key] == entry.due else { continue }
            failures[entry.key] = nil
            if NeighborTable.isFailed(neighborValue(entry.key) ?? 0) { forgetNeighbor(entry.key) }
        }
        while let entry = restEnds.take(now: now) {
            if rests[entry.key] == entry.due { rests[entry.key] = nil }
        }
    }

    private func forgetNeighbor(_ key: UInt64) {
        let slot = writer.neighbors.find(key)
        guard slot >= 0 else { return abandon(key) }
        forgetNeighbor(key, at: slot)
    }

    private func fail(_ key: UInt64, now: UInt64) {
        abandon(key, failedAt: now)
        guard let value = neighborValue(key), NeighborTable.isIncomplete(value) else { return }
        writer.setNeighbor(
            key, mac: 0, egress: .none, flags: NeighborTable.failedFlag, time: Self.ticks(now))
        failures[key] = now + Self.failedNanoseconds
        failureEnds.add(key, due: now + Self.failedNanoseconds)
    }

    /// Begins to ask an entry's host whether it is still there. There are no more of these than
    /// entries, and no limit on them, so that strangers cannot have known hosts forgotten.
    func refresh(_ key: UInt64, interface: Int, now: UInt64) {
        guard resolutions[key] == nil else { return }
        let slot = writer.neighbors.find(key)
        guard slot >= 0 else { return }
        resolutions[key] = Resolution(
            interface: interface, due: now, isRefresh: true,
            lastHeard: writer.neighbors.lastTouched(slot))
        ask(key, now: now)
    }

    /// Workers refresh an entry that says what they see without telling; its age then tells. An
    /// answer comes within a tick of its question: what counts is that the age is another, not that
    /// it is younger than the question.
    private func hasAnswered(_ key: UInt64, since lastHeard: UInt32) -> Bool {
        let slot = writer.neighbors.find(key)
        guard slot >= 0 else { return true }
        return writer.neighbors.lastTouched(slot) != lastHeard
    }

    /// Sends one question: to everybody, or to the host that is known.
    private func ask(_ key: UInt64, now: UInt64) {
        guard var resolution = resolutions[key] else { return }
        guard let interface = layout.interfaceOf[resolution.interface],
            let vsi = layout.vsis[interface.vsi]
        else {
            // The interface is gone; nobody else asks in its place.
            return forgetNeighbor(key)
        }
        resolution.attempts += 1
        resolution.due = now + retryNanoseconds
        resolutions[key] = resolution
        questions.add(key, due: resolution.due)
        let address = NeighborTable.address(of: key)
        let source = mac(of: interface)
        let sender = senderAddress(interface, for: address)
        let value = neighborValue(key) ?? 0
        if resolution.isRefresh, NeighborTable.isResolved(value),
            let place = place(ofNeighbor: key, value)
        {
            let owner = MACAddress(bits: writer.neighborTable.mac(of: value))
            let frame = ARPFrame.request(
                source: source, senderIP: sender, targetIP: address, destination: owner)
            return orders.append(.send(frame, vsi: vsi, place: place))
        }
        let frame = ARPFrame.request(source: source, senderIP: sender, targetIP: address)
        orders.append(.flood(frame, vsi: vsi, local: true, remote: true, origin: .none))
    }

    /// The address that asks for `address`: the one that the interface borrows, or its own.
    func senderAddress(
        _ interface: Configuration.VSIInterface, for address: IPv4Address
    ) -> IPv4Address {
        borrowedAddress(interface, for: address) ?? ownAddress(interface, toward: address)
    }

    /// The address of the interface that speaks to `address`: that of its subnet, or the first; one
    /// that has none speaks with what it borrows (RFC 1812 section 5.2.2.1).
    func ownAddress(
        _ interface: Configuration.VSIInterface, toward address: IPv4Address
    ) -> IPv4Address {
        interface.addresses.first { $0.contains(address) }?.address
            ?? interface.addresses.first?.address
            ?? borrowedAddress(interface, for: address) ?? .any
    }

    private func borrowedAddress(
        _ interface: Configuration.VSIInterface, for address: IPv4Address
    ) -> IPv4Address? {
        switch interface.source {
        case .own: return nil
        case .vtep: return environment.vtepAddress
        case .interface(let name):
            let lender = layout.interfaces[name].flatMap { layout.interfaceOf[$0] }
            return (lender?.addresses.first { $0.contains(address) } ?? lender?.addresses.first)?
                .address
        }
    }

    func mac(of interface: Configuration.VSIInterface) -> MACAddress {
        TableSetBuilder(configuration: configuration, layout: layout, environment: environment)
            .mac(of: interface)
    }
}
