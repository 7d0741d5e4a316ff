internal import Memory
internal import Tables

/// Removes what has not been seen for the time its VSI allows.
///
/// Every learnt entry is on a wheel, filed for the tick at which it would be too old if nobody saw
/// it again. Whoever was seen since is filed anew: a look in each lifetime, and nothing for those
/// whose time has not come.
extension Agent {
    /// Lifetimes beyond this many ticks, seventeen years, count as this.
    private static let longestTicks: UInt32 = 1 << 30

    /// Entries go between their limit and a quarter of a second later. Only sources refresh an
    /// entry, so that traffic to a host that has gone does not keep it (IEEE 802.1D section 7.9.2).
    func age(now: UInt64) {
        let time = Self.ticks(now)
        while let slot = writer.forwardingAges.take(time) { ageForwarding(slot, time) }
        while let slot = writer.neighborAges.take(time) { ageNeighbor(slot, time, now: now) }
    }

    private func ageForwarding(_ slot: Int, _ time: UInt32) {
        let table = writer.forwarding
        let key = table.key(at: slot)
        guard let value = table.value(at: slot, for: key),
            ForwardingTable.kind(of: value) == .dynamic
        else { return }
        guard let vsi = layout.vsiOf[ForwardingTable.vsi(of: key)] else {
            return removeForwarding(slot, key, value)
        }
        let due = Self.end(seconds: Double(vsi.ageingSeconds), from: table.lastTouched(slot))
        if Self.isAhead(due, of: time) {
            writer.forwardingAges.file(slot, due: due)
        } else {
            removeForwarding(slot, key, value)
        }
    }

    /// An entry of a VSI-interface is asked for before its time is over, early enough that all
    /// attempts fit; one that nobody can ask for just ends.
    private func ageNeighbor(_ slot: Int, _ time: UInt32, now: UInt64) {
        let table = writer.neighbors
        let key = table.key(at: slot)
        // Those being asked for, or that did not answer, have a time of their own.
        guard let value = table.value(at: slot, for: key), !NeighborTable.isStatic(value),
            NeighborTable.isResolved(value)
        else { return }
        let seconds = configuration.timers.arpAgeingSeconds
        let touched = table.lastTouched(slot)
        guard let interface = layout.interfaceOfVSI[NeighborTable.vsi(of: key)] else {
            let due = Self.end(seconds: seconds, from: touched)
            guard Self.isAhead(due, of: time) else { return forgetNeighbor(key, at: slot) }
            return writer.neighborAges.file(slot, due: due)
        }
        let asking = Double(configuration.timers.arpAttempts) * Double(retryNanoseconds) / 1e9
        let due = Self.end(seconds: max(seconds - asking, seconds / 2), from: touched)
        if Self.isAhead(due, of: time) { return writer.neighborAges.file(slot, due: due) }
        refresh(key, interface: interface, now: now)
        // When the answer has come the entry is young.
        writer.neighborAges.file(slot, due: time &+ Self.ticksPerSecond / 2)
    }

    /// One tick more: an age of n ticks is between n - 1 and n in time.
    private static func end(seconds: Double, from touched: UInt32) -> UInt32 {
        let ticks = UInt32(clamping: Int(seconds * Double(ticksPerSecond)))
        return touched &+ min(ticks, longestTicks) &+ 1
    }

    /// The worker's tick may be ahead of the agent's, and ticks wrap.
    private static func isAhead(_ due: UInt32, of time: UInt32) -> Bool {
        Int32(bitPattern: due &- time) > 0
    }
}
