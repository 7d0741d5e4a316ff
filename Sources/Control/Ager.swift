internal import Memory
internal import Tables

/// Removes what has not been seen for the time its VSI allows.
extension Agent {
    /// Entries go between their limit and half a second later. Only sources refresh an entry, so
    /// that traffic to a host that has gone does not keep it (IEEE 802.1D section 7.9.2).
    func age(now: UInt64) {
        let time = Self.ticks(now)
        guard time &- lastScan >= Self.ticksPerSecond / 2 else { return }
        lastScan = time
        if writer.forwarding.count > 0 { ageForwarding(time) }
        if writer.neighbors.count > 0 { ageNeighbors(time, now: now) }
    }

    private func ageForwarding(_ time: UInt32) {
        var limits = [UInt32](repeating: .max, count: layout.vsis.bound)
        for (index, vsi) in layout.vsiOf {
            // One tick more: an age of n ticks is between n - 1 and n in time.
            limits[index] = UInt32(clamping: vsi.ageingSeconds * Int(Self.ticksPerSecond)) + 1
        }
        let table = writer.forwarding
        removeForwarding { slot, key, value in
            guard ForwardingTable.kind(of: value) == .dynamic else { return false }
            let vsi = ForwardingTable.vsi(of: key)
            // The worker's tick may be ahead of the agent's.
            let age = Int32(bitPattern: time &- table.lastTouched(slot))
            return vsi >= limits.count || (age > 0 && UInt32(age) > limits[vsi])
        }
    }

    /// An entry of a VSI-interface is asked for before its time is over, early enough that all
    /// attempts fit; one that nobody can ask for just ends.
    private func ageNeighbors(_ time: UInt32, now: UInt64) {
        let seconds = configuration.timers.arpAgeingSeconds
        let asking = Double(configuration.timers.arpAttempts) * Double(retryNanoseconds) / 1e9
        let ticks = Double(Self.ticksPerSecond)
        let limit = UInt32(clamping: Int(seconds * ticks)) &+ 1
        let early = UInt32(clamping: Int(max(seconds - asking, seconds / 2) * ticks)) &+ 1
        let table = writer.neighbors
        var interfaces: [Int: Int] = [:]
        for (index, entry) in layout.interfaceOf {
            if let vsi = layout.vsis[entry.vsi] { interfaces[vsi] = index }
        }
        var due: [(key: UInt64, interface: Int)] = []
        table.visit { slot, key, value in
            guard !NeighborTable.isStatic(value), NeighborTable.isResolved(value) else { return }
            let age = Int32(bitPattern: time &- table.lastTouched(slot))
            guard age > 0 else { return }
            if let interface = interfaces[NeighborTable.vsi(of: key)] {
                if UInt32(age) > early { due.append((key, interface)) }
            } else if UInt32(age) > limit {
                forgetNeighbor(key, at: slot)
            }
        }
        for entry in due { refresh(entry.key, interface: entry.interface, now: now) }
    }
}
