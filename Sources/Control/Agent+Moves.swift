internal import Memory
public import Tables
internal import Wire

/// Dampening of moves (D9): an address that keeps changing its place is frozen for a while.
extension Agent {
    var moveSettings: MoveDampener.Settings { Self.moveSettings(configuration) }

    static func moveSettings(_ configuration: Configuration) -> MoveDampener.Settings {
        MoveDampener.Settings(
            moves: configuration.limits.macMoves,
            windowNanoseconds: UInt64(configuration.timers.macMoveWindowSeconds * 1e9),
            freezeNanoseconds: UInt64(configuration.timers.macFreezeSeconds * 1e9))
    }

    /// An FDB entry moves. True when it is to be frozen at its new place.
    func freezesForwarding(
        _ key: UInt64, from: Destination, to place: Destination, now: UInt64
    ) -> Bool {
        moves[key, default: 0] += 1
        events.fdbMoves += 1
        guard MoveDampener.isWatched(from: from, to: place), macMoves.move(key, now: now) else {
            return false
        }
        events.fdbFrozen += 1
        notices.add(
            .macFrozen(
                ForwardingTable.mac(of: key), vsi: vsiName(ForwardingTable.vsi(of: key)),
                place: place), now: now)
        return true
    }

    /// Whether an ARP packet may change a known entry; counts the move if it does.
    func admitsMove(
        ofNeighbor key: UInt64, _ previous: UInt32, to mac: MACAddress, _ place: Destination,
        now: UInt64
    ) -> Bool {
        guard NeighborTable.isResolved(previous) else { return true }
        let from = egress(of: previous)
        guard from != place || self.mac(ofNeighbor: previous) != mac else { return true }
        guard !addressMoves.isFrozen(key) else {
            events.arpRefused += 1
            return false
        }
        events.arpMoves += 1
        guard MoveDampener.isWatched(from: from, to: place), addressMoves.move(key, now: now)
        else { return true }
        events.arpFrozen += 1
        notices.add(
            .addressFrozen(
                NeighborTable.address(of: key), vsi: vsiName(NeighborTable.vsi(of: key)), mac: mac,
                place: place), now: now)
        return true
    }

    /// Ends what has been frozen long enough.
    func thaw(now: UInt64) {
        while let key = macMoves.thaw(now: now) {
            guard let value = forwardingValue(key), ForwardingTable.isFrozen(value) else {
                continue
            }
            writer.setForwarding(key, ForwardingTable.thawed(value), time: Self.ticks(now))
            let name = vsiName(ForwardingTable.vsi(of: key))
            notices.add(.macReleased(ForwardingTable.mac(of: key), vsi: name), now: now)
        }
        while let key = addressMoves.thaw(now: now) {
            let name = vsiName(NeighborTable.vsi(of: key))
            notices.add(.addressReleased(NeighborTable.address(of: key), vsi: name), now: now)
        }
    }

    /// What operators want to hear of since the last call.
    public func takeNotices(now: UInt64) -> [AgentNotice] { notices.take(now: now) }

    /// The name of a port or of a peer, for a log line; a VTEP without a name is its address.
    public func name(of place: Destination) -> String {
        if place.isPort { return "port \(layout.portOf[place.index]?.name ?? "-")" }
        let address = layout.peers.name(of: place.index)?.description
        return "peer \(layout.peerName(place.index) ?? address ?? "-")"
    }

    private func vsiName(_ index: Int) -> String { layout.vsiOf[index]?.name ?? "" }
}
