internal import Memory
internal import Tables
internal import Wire

/// Reads the headers once and leaves what the later stages ask for in columns.
///
/// Reads: the frame, `ingressDevice`, `outerTOS`, `vlan`.
/// Writes: `vni` (underlay), `destinationMAC`, `sourceMAC`, `etherType`, `vlan`, `segmentations`,
/// and the start of the frame: past the VXLAN header and past a VLAN tag, so that every later stage
/// sees an untagged frame.
/// Drops: `vxlanShort`, `vxlanNoIFlag`, `vxlanReservedBits`, `innerRunt`, `smacInvalid`,
/// `ecnInvalid`.
/// Cost: two cache lines of the frame.
/// Standard: RFC 7348 section 5, RFC 6040 section 4.2, IEEE 802.1Q clause 9.
public enum ParseStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let count = min(batch.activeCount.value, PacketBatch.laneCapacity)
        var areAllParsed = true
        var position = 0
        while true {
            position = passPlain(from: position, count, pipeline)
            guard position < count else { break }
            if !parse(Int(batch.active[position]), pipeline) { areAllParsed = false }
            position &+= 1
        }
        if !areAllParsed { batch.removeSettled() }
    }

    /// Parses frames as nearly all are, up to the first that is not: untagged; out of a tunnel IPv4
    /// with nothing to mend.
    /// - Returns: its position.
    @_noLocks @inline(never)
    private static func passPlain(
        from first: Int, _ count: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let mtu = Int(pipeline.tables.settings.underlayMTU)
        let limit = mtu > 0 ? mtu : .max
        var position = first
        // No call in this loop, so that all it needs stays in registers.
        while position < count {
            let lane = Int(batch.active[position])
            var frame = batch.frame(lane)
            let etherType: UInt16
            let source: UInt64
            if batch.ingressDevice[lane] == PacketBatch.underlay {
                guard frame.count >= VXLANHeader.byteCount else { break }
                let flags = frame.loadUInt32(at: 0)
                let identifier = frame.loadUInt32(at: 4)
                frame = frame.dropFirst(VXLANHeader.byteCount)
                guard flags == VXLANHeader.plainFlags, identifier & 0xFF == 0,
                    batch.outerTOS[lane] & 3 == ECN.notCapable, frame.count <= limit,
                    Segmentation.isSurelyFinished(frame)
                else { break }
                source = EthernetHeader.source(of: frame)
                guard isHost(source) else { break }
                batch.vni[lane] = identifier &>> 8
                batch.setFrame(lane, frame)
                etherType = EtherType.ipv4
            } else {
                guard frame.count >= EthernetHeader.byteCount else { break }
                etherType = frame.loadUInt16(at: 12)
                source = EthernetHeader.source(of: frame)
                guard !EtherType.isTag(etherType), isHost(source) else { break }
            }
            setHeader(lane, frame, source, etherType, batch)
            position &+= 1
        }
        return position
    }

    /// One frame by all the rules. False when it was dropped.
    @_noLocks @inline(never)
    private static func parse(_ lane: Int, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        let isTunnelled = batch.ingressDevice[lane] == PacketBatch.underlay
        var frame = batch.frame(lane)
        if isTunnelled {
            guard parseVXLAN(lane, frame, pipeline) else { return false }
            frame = frame.dropFirst(VXLANHeader.byteCount)
            batch.setFrame(lane, frame)
        }
        guard frame.count >= EthernetHeader.byteCount else {
            return drop(lane, .innerRunt, pipeline)
        }
        var etherType = frame.loadUInt16(at: 12)
        if EtherType.isTag(etherType) && batch.vlan[lane] == 0 {
            guard popTag(lane, frame, pipeline) else { return false }
            frame = batch.frame(lane)
            etherType = frame.loadUInt16(at: 12)
        }
        let source = EthernetHeader.source(of: frame)
        guard isHost(source) else { return drop(lane, .smacInvalid, pipeline) }
        setHeader(lane, frame, source, etherType, batch)
        return !isTunnelled || parseTunnelled(lane, frame, pipeline)
    }

    @_noLocks @inline(__always)
    private static func setHeader(
        _ lane: Int, _ frame: FrameView, _ source: UInt64, _ etherType: UInt16,
        _ batch: PacketBatch
    ) {
        batch.destinationMAC[lane] = EthernetHeader.destination(of: frame)
        batch.sourceMAC[lane] = source
        batch.etherType[lane] = etherType
    }

    /// No group address, and not zero.
    @_noLocks @inline(__always)
    private static func isHost(_ mac: UInt64) -> Bool {
        mac & 0x0100_0000_0000 == 0 && mac != 0
    }

    @_noLocks @inline(never)
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) -> Bool {
        pipeline.batch.drop(lane, reason, pipeline.counters)
        return false
    }

    @_noLocks
    private static func parseVXLAN(
        _ lane: Int, _ payload: FrameView, _ pipeline: Pipeline
    ) -> Bool {
        guard payload.count >= VXLANHeader.byteCount else {
            return drop(lane, .vxlanShort, pipeline)
        }
        let header = payload.loadUInt64(at: 0)
        // All but the I flag and the VNI must be zero on send and is ignored on receipt.
        let isPlain =
            header &>> 32 == UInt64(VXLANHeader.plainFlags) && header & 0xFF == 0
        guard isPlain || accepts(header, lane, pipeline) else { return false }
        pipeline.batch.vni[lane] = UInt32(truncatingIfNeeded: header &>> 8) & 0xFF_FFFF
        return true
    }

    /// A header that is not as most are. False when the packet was dropped.
    @_noLocks @inline(never)
    private static func accepts(_ header: UInt64, _ lane: Int, _ pipeline: Pipeline) -> Bool {
        guard header & 0x0800_0000_0000_0000 != 0 else {
            return drop(lane, .vxlanNoIFlag, pipeline)
        }
        guard !pipeline.tables.settings.reservedBitsAreStrict else {
            return drop(lane, .vxlanReservedBits, pipeline)
        }
        pipeline.counters.count(.reservedBitsSeen)
        return true
    }

    /// What only a frame out of a tunnel needs: ECN, and offload metadata that a UDP socket lost.
    @_noLocks
    private static func parseTunnelled(
        _ lane: Int, _ frame: FrameView, _ pipeline: Pipeline
    ) -> Bool {
        let outer = pipeline.batch.outerTOS[lane] & 3
        if outer != ECN.notCapable, !mergeECN(lane, frame, outer, pipeline) {
            return drop(lane, .ecnInvalid, pipeline)
        }
        let mtu = Int(pipeline.tables.settings.underlayMTU)
        if frame.count > mtu && mtu > 0 || !Segmentation.isSurelyFinished(frame) {
            restoreOffload(lane, frame, pipeline)
        }
        return true
    }

    /// A VXLAN device of the same kernel hands over TCP super-packets uncut, and checksums that its
    /// driver was to finish, without a word about either.
    @_noLocks @inline(never)
    private static func restoreOffload(
        _ lane: Int, _ frame: FrameView, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let known = batch.segmentations[lane]
        guard !known.needsChecksum, !known.isSuperPacket else { return }
        let mtu = Int(pipeline.tables.settings.underlayMTU)
        if mtu > 0, frame.count > mtu,
            let inferred = Segmentation.inferred(
                from: frame, maximumPacketByteCount: mtu &- OuterHeader.packetOverhead)
        {
            batch.segmentations[lane] = inferred
            pipeline.counters.count(.superPackets)
            return
        }
        if let partial = Segmentation.unfinishedChecksum(in: frame) {
            batch.segmentations[lane] = partial
        }
    }

    /// False when the packet must be dropped.
    @_noLocks @inline(never)
    private static func mergeECN(
        _ lane: Int, _ frame: FrameView, _ outer: UInt8, _ pipeline: Pipeline
    ) -> Bool {
        let etherType = pipeline.batch.etherType[lane]
        let offset = EthernetHeader.byteCount
        if etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount, at: offset) {
            let header = IPv4Header(frame: frame, at: offset)
            let inner = header.ecn
            guard let merged = ECN.decapsulated(inner: inner, outer: outer) else { return false }
            if merged != inner { header.setECN(merged) }
        } else if etherType == EtherType.ipv6, frame.holds(IPv6Header.byteCount, at: offset) {
            let header = IPv6Header(frame: frame, at: offset)
            let inner = header.ecn
            guard let merged = ECN.decapsulated(inner: inner, outer: outer) else { return false }
            if merged != inner { header.ecn = merged }
        }
        return true
    }

    /// The same for a tag behind the one that was spent on finding the port. False when the lane
    /// was dropped.
    @_noLocks
    static func popTagIfPresent(_ lane: Int, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        guard EtherType.isTag(batch.etherType[lane]) else { return true }
        guard popTag(lane, batch.frame(lane), pipeline) else { return false }
        batch.etherType[lane] = batch.frame(lane).loadUInt16(at: 12)
        return true
    }

    /// Takes the first tag out of the frame into the `vlan` column; offsets of the offload metadata
    /// move with it.
    @_noLocks @inline(never)
    private static func popTag(
        _ lane: Int, _ frame: FrameView, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        guard frame.count >= EthernetHeader.byteCount &+ EthernetHeader.tagByteCount else {
            batch.drop(lane, .innerRunt, pipeline.counters)
            return false
        }
        let service = frame.loadUInt16(at: 12) == EtherType.serviceTag
        batch.vlan[lane] =
            PacketBatch.tagPresent | (service ? PacketBatch.tagIsService : 0)
            | UInt32(frame.loadUInt16(at: 14))
        _ = EthernetHeader.withoutTag(frame)
        batch.advance(lane, by: EthernetHeader.tagByteCount)
        batch.segmentations[lane] = batch.segmentations[lane].shifted(
            by: -EthernetHeader.tagByteCount)
        return true
    }
}
