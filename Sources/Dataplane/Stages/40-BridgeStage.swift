internal import Memory
internal import Tables
internal import Wire

/// Decides where a frame goes inside its VSI.
///
/// Reads: `vsi`, `destinationMAC`, `etherType`, `ingress`.
/// Writes: `verdict`, `egress`. An ARP request that can be answered here becomes its own answer.
/// Drops: `linkLocalGroup`, `floodDisabled`, `hairpin`, `splitHorizon` and those of `ARPResponder`.
/// Cost: one probe of the FDB a packet, none for a run of frames to one destination.
/// Standard: RFC 7348 sections 4.1 and 4.2, IEEE 802.1D section 7.7.
public enum BridgeStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let table = pipeline.tables.forwarding.table.reader
        let count = batch.activeCount.value
        for position in 0..<count {
            let lane = Int(batch.active[position])
            batch.keys[position] = ForwardingTable.key(
                mac: batch.destinationMAC[lane], vsi: batch.vsi[lane])
        }
        table.guess(batch.keys.column, count: count, slots: batch.foundSlots.column)
        var kept = 0
        var lastKey = ProbeTable.noKey
        var value: UInt32 = 0
        for position in 0..<count {
            let lane = Int(batch.active[position])
            let key = batch.keys[position]
            if key != lastKey {
                lastKey = key
                let slot = table.find(key, guess: batch.foundSlots[position])
                value = slot < 0 ? 0 : table.value(at: slot)
            }
            guard bridge(lane, value, pipeline) else { continue }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    /// Writes the verdict. False when the frame goes no further.
    /// - Parameter value: the FDB's word for the destination, 0 when it has none.
    @_noLocks @inline(__always)
    private static func bridge(_ lane: Int, _ value: UInt32, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        if batch.etherType[lane] == EtherType.arp, settleARP(lane, value != 0, pipeline) {
            return !batch.verdict[lane].isSettled
        }
        let destination = MACAddress(bits: batch.destinationMAC[lane])
        guard !destination.isGroup, value != 0 else {
            return flood(lane, destination, pipeline)
        }
        if ForwardingTable.isOwn(value) {
            batch.route(lane)
            return true
        }
        let place = ForwardingTable.destination(of: value)
        let origin = batch.ingress[lane]
        if place.bits == origin.bits { return drop(lane, .hairpin, pipeline) }
        if place.isPeer && origin.isPeer { return drop(lane, .splitHorizon, pipeline) }
        batch.egress[lane] = place
        batch.verdict[lane] = .forward
        return true
    }

    /// False when it is to be bridged like any other frame.
    @_noLocks @inline(never)
    private static func settleARP(_ lane: Int, _ isKnown: Bool, _ pipeline: Pipeline) -> Bool {
        let vsi = pipeline.tables.vsis[Int(pipeline.batch.vsi[lane])]
        return vsi.flags.rawValue & inspectsARP != 0
            && ARPResponder.settle(lane, vsi, isKnown: isKnown, pipeline)
    }

    private static var inspectsARP: UInt16 {
        @_noLocks get {
            VSIRecord.Flags.suppressesARP.rawValue | VSIRecord.Flags.hasInterface.rawValue
                | VSIRecord.Flags.proxiesARP.rawValue
        }
    }

    /// A group address, or one that the FDB does not have.
    @_noLocks @inline(never)
    private static func flood(
        _ lane: Int, _ destination: MACAddress, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let vsi = pipeline.tables.vsis[Int(batch.vsi[lane])]
        let isFlooded: Bool
        if !destination.isGroup {
            isFlooded = vsi.has(.floodsUnknownUnicast)
        } else if destination.isLinkLocalGroup {
            return drop(lane, .linkLocalGroup, pipeline)
        } else {
            isFlooded =
                destination.isBroadcast
                ? vsi.has(.floodsBroadcast) : vsi.has(.floodsMulticast)
        }
        guard isFlooded else { return drop(lane, .floodDisabled, pipeline) }
        batch.verdict[lane] = .replicate
        pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .floodedPackets)
        return true
    }

    @_noLocks @inline(never)
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) -> Bool {
        pipeline.batch.drop(lane, reason, pipeline.counters)
        return false
    }
}
