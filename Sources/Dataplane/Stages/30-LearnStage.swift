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
        let batch = pipeline.batch
        let table = pipeline.tables.forwarding.table.reader
        let count = batch.activeCount.value
        for position in 0..<count {
            let lane = Int(batch.active[position])
            batch.keys[position] = ForwardingTable.key(
                mac: batch.sourceMAC[lane], vsi: batch.vsi[lane])
        }
        table.guess(batch.keys.column, count: count, slots: batch.foundSlots.column)
        var kept = 0
        var lastReported: UInt64 = 0
        var lastKey = ProbeTable.noKey
        var slot = -1
        for position in 0..<count {
            let lane = Int(batch.active[position])
            let key = batch.keys[position]
            if key != lastKey {
                lastKey = key
                slot = table.find(key, guess: batch.foundSlots[position])
            }
            if slot >= 0 {
                guard compare(lane, slot, table, pipeline) else { continue }
            } else if key != lastReported {
                lastReported = key
                report(lane, pipeline)
            }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    /// A known source. False when the frame must go no further.
    @_noLocks @inline(__always)
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
