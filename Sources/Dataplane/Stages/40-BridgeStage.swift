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
        let forwarding = pipeline.tables.forwarding
        let count = batch.activeCount.value
        for position in 0..<count {
            let lane = Int(batch.active[position])
            batch.keys[position] = ForwardingTable.key(
                mac: batch.destinationMAC[lane], vsi: batch.vsi[lane])
        }
        forwarding.table.find(
            keys: batch.keys.column, count: count, slots: batch.foundSlots.column)
        var kept = 0
        for position in 0..<count {
            let lane = Int(batch.active[position])
            let value = forwarding.table.value(
                at: Int(batch.foundSlots[position]), for: batch.keys[position])
            bridge(lane, value ?? 0, pipeline)
            if batch.verdict[lane].isSettled { continue }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    /// - Parameter value: the FDB's word for the destination, 0 when it has none.
    @_noLocks @inline(__always)
    private static func bridge(_ lane: Int, _ value: UInt64, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        let vsi = pipeline.tables.vsis[Int(batch.vsi[lane])]
        let destination = MACAddress(bits: batch.destinationMAC[lane])
        if batch.etherType[lane] == EtherType.arp,
            vsi.flags.rawValue & inspectsARP != 0,
            ARPResponder.settle(lane, vsi, isKnown: value != 0, pipeline)
        {
            return
        }
        if destination.isGroup {
            guard !destination.isLinkLocalGroup else {
                return batch.drop(lane, .linkLocalGroup, pipeline.counters)
            }
            let isFlooded =
                destination.isBroadcast
                ? vsi.has(.floodsBroadcast) : vsi.has(.floodsMulticast)
            return flood(lane, isFlooded, pipeline)
        }
        guard value != 0 else { return flood(lane, vsi.has(.floodsUnknownUnicast), pipeline) }
        if ForwardingTable.isOwn(value) {
            batch.verdict[lane] = .route
            return
        }
        let place = ForwardingTable.destination(of: value)
        let origin = batch.ingress[lane]
        if place.bits == origin.bits { return batch.drop(lane, .hairpin, pipeline.counters) }
        if place.isPeer && origin.isPeer {
            return batch.drop(lane, .splitHorizon, pipeline.counters)
        }
        batch.egress[lane] = place
        batch.verdict[lane] = .forward
    }

    private static var inspectsARP: UInt16 {
        @_noLocks get {
            VSIRecord.Flags.suppressesARP.rawValue | VSIRecord.Flags.hasInterface.rawValue
                | VSIRecord.Flags.proxiesARP.rawValue
        }
    }

    @_noLocks
    private static func flood(_ lane: Int, _ isFlooded: Bool, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        guard isFlooded else { return batch.drop(lane, .floodDisabled, pipeline.counters) }
        batch.verdict[lane] = .replicate
        pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .floodedPackets)
    }
}
