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
        ForwardingPasses.run(pipeline, key: key, small: passSmall, large: passLarge) {
            lane, key, table in
            settle(lane, key, table, pipeline)
        }
    }

    @_noLocks @inline(__always)
    private static func key(of position: Int, _ batch: PacketBatch) -> UInt64 {
        let lane = Int(batch.active[position])
        return ForwardingTable.key(mac: batch.destinationMAC[lane], vsi: batch.vsi[lane])
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

    /// Settles frames to addresses that the FDB has in another place, up to the first that is none;
    /// ARP is none. No group address is in the FDB.
    /// See `ForwardingPasses.Pass`.
    @_noLocks @inline(__always)
    private static func pass(
        from first: Int, _ count: Int, isSmall: Bool, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        var position = first
        // That of no frame: there are fewer VSIs.
        var lastKey = UInt64.max
        var value: UInt32 = 0
        // No call in this loop, so that all it needs stays in registers.
        while position < count {
            let key = isSmall ? key(of: position, batch) : batch.keys[position]
            let lane = Int(batch.active[position])
            guard batch.etherType[lane] != EtherType.arp else { break }
            if key != lastKey {
                let entry =
                    isSmall
                    ? table.findFirst(key) : table.confirm(key, guess: batch.foundSlots[position])
                guard entry.isFound else { break }
                lastKey = key
                value = table.value(of: entry)
            }
            if ForwardingTable.isOwn(value) {
                batch.route(lane)
            } else {
                let place = ForwardingTable.destination(of: value)
                let origin = batch.ingress[lane]
                guard !place.isOfKind(of: origin) || mayPass(place, origin) else { break }
                batch.egress[lane] = place
                batch.verdict[lane] = .forward
            }
            position &+= 1
        }
        return position
    }

    /// One frame by all the rules. False when it goes no further.
    @_noLocks @inline(never)
    private static func settle(
        _ lane: Int, _ key: UInt64, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Bool {
        let slot = table.find(key)
        return bridge(lane, slot < 0 ? 0 : table.value(at: slot), pipeline)
    }

    /// Writes the verdict. False when the frame goes no further.
    /// - Parameter value: the FDB's word for the destination, 0 when it has none.
    @_noLocks
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
        guard mayPass(place, origin) else { return drop(lane, .splitHorizon, pipeline) }
        batch.egress[lane] = place
        batch.verdict[lane] = .forward
        return true
    }

    /// Never back to where it came from, and never from one peer to another.
    @_noLocks @inline(__always)
    private static func mayPass(_ place: Destination, _ origin: Destination) -> Bool {
        place.bits != origin.bits && (!place.isPeer || !origin.isPeer)
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
