internal import Memory
internal import Tables

/// Compares the source MAC with the FDB: refreshes what it says, and tells the agent what it does
/// not.
///
/// Reads: `vsi`, `sourceMAC`, `ingress`, `outerSource`.
/// Writes: the age of the entry; the ring `workerToAgent`.
/// Drops: `smacOwnFromAc`, `fdbStaticMove`, `macFrozen`. A limit is the agent's business and drops
/// nothing.
/// Cost: one probe of the FDB a packet, none for a run of frames from one source.
/// Standard: RFC 7348 section 4.1, RFC 7432 section 15.1; own addresses are never learnt (RFC 9135
/// section 4.1).
public enum LearnStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        var lastReported = ProbeTable.noKey
        ForwardingPasses.run(pipeline, key: key, small: passSmall, large: passLarge) {
            lane, key, table in
            settle(lane, key, &lastReported, table, pipeline)
        }
    }

    @_noLocks @inline(__always)
    private static func key(of position: Int, _ batch: PacketBatch) -> UInt64 {
        let lane = Int(batch.active[position])
        return ForwardingTable.key(mac: batch.sourceMAC[lane], vsi: batch.vsi[lane])
    }

    @_noLocks @inline(never)
    private static func passSmall(
        from first: Int, _ count: Int, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Int {
        pass(from: first, count, isSmall: true, table, pipeline)
    }

    @_noLocks @inline(never)
    private static func passLarge(
        from first: Int, _ count: Int, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Int {
        pass(from: first, count, isSmall: false, table, pipeline)
    }

    /// Refreshes the entries of sources that are where the FDB says, up to the first that is not.
    /// See `ForwardingPasses.Pass`.
    @_noLocks @inline(__always)
    private static func pass(
        from first: Int, _ count: Int, isSmall: Bool, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let time = batch.coarseTime.value
        var position = first
        var lastKey = ProbeTable.noKey
        var lastPlace = Destination.none
        // No call in this loop, so that all it needs stays in registers.
        while position < count {
            let key = isSmall ? key(of: position, batch) : batch.keys[position]
            let place = batch.ingress[Int(batch.active[position])]
            if key != lastKey || place.bits != lastPlace.bits {
                let entry =
                    isSmall
                    ? table.findFirst(key) : table.confirm(key, guess: batch.foundSlots[position])
                guard entry.isFound else { break }
                let value = table.value(of: entry)
                if ForwardingTable.destination(of: value).bits == place.bits {
                    table.touch(entry, time: time)
                } else if !ForwardingTable.isOwn(value) || place.isPort {
                    break
                }
                lastKey = key
                lastPlace = place
            }
            position &+= 1
        }
        return position
    }

    /// One source by all the rules. False when the frame must go no further.
    @_noLocks @inline(never)
    private static func settle(
        _ lane: Int, _ key: UInt64, _ lastReported: inout UInt64, _ table: ProbeReader,
        _ pipeline: Pipeline
    ) -> Bool {
        let slot = table.find(key)
        if slot >= 0 { return compare(lane, slot, table, pipeline) }
        if key != lastReported {
            lastReported = key
            report(lane, pipeline)
        }
        return true
    }

    /// A known source. False when the frame must go no further.
    @_noLocks
    private static func compare(
        _ lane: Int, _ slot: Int, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let value = table.value(at: slot)
        let place = batch.ingress[lane]
        if ForwardingTable.isOwn(value) {
            // Another gateway with the same shared MAC is behind a tunnel, never behind a port.
            guard !place.isPort else {
                batch.drop(lane, .smacOwnFromAc, pipeline.counters)
                return false
            }
            return true
        }
        if ForwardingTable.destination(of: value).bits == place.bits {
            table.touch(slot, time: batch.coarseTime.value)
            return true
        }
        if ForwardingTable.isStatic(value) {
            batch.drop(lane, .fdbStaticMove, pipeline.counters)
            return false
        }
        if ForwardingTable.isFrozen(value) {
            batch.drop(lane, .macFrozen, pipeline.counters)
            return false
        }
        report(lane, pipeline)
        return true
    }

    @_noLocks @inline(never)
    private static func report(_ lane: Int, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        guard pipeline.tables.vsis[Int(batch.vsi[lane])].has(.learning) else { return }
        pipeline.punt(
            PuntEvent(
                kind: .macSeen, vsi: batch.vsi[lane], place: batch.ingress[lane],
                mac: batch.sourceMAC[lane], address: batch.outerSource[lane]))
    }
}
