internal import Dataplane
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// Super-packets at the sending side: cut into inner segments, each with headers and a checksum of
/// its own, that leave together in one segmented send where the kernel takes it.
///
/// In the accounts a lane that is cut into n sends is one packet and n - 1 replicated ones.
extension Worker {
    /// Segments of one UDP_SEGMENT send (UDP_MAX_SEGMENTS), and its payload.
    private static var maximumSegments: Int { @_noLocks get { 128 } }
    private static var maximumPayload: Int { @_noLocks get { 65_507 } }

    @_noLocks
    func sendSuperPacket(_ output: Int, _ lane: Int, toPeer peer: Int) {
        let frame = batch.frame(lane)
        guard let segmenter = Segmenter.make(frame, batch.segmentations[lane]) else {
            counters.count(.txError)
            return
        }
        let mtu = Int(pipeline.tables.settings.underlayMTU)
        let tag = batch.vlan[lane] == 0 ? 0 : EthernetHeader.tagByteCount
        let outer =
            segmenter.maximumPacketByteCount &+ EthernetHeader.byteCount &+ tag
            &+ OuterHeader.frameOverhead
        guard mtu == 0 || outer <= mtu else {
            counters.count(.encapMtu)
            return
        }
        let isSegmented = underlay.hasSegmentation && !refusesSegmentation[peer]
        let perSend = isSegmented ? segmentsPerSend(segmenter, tag) : 1
        var next = 0
        var sends: UInt64 = 0
        while next < segmenter.segmentCount {
            // The first fragment may have more options than the others.
            let fitting = next == 0 && !segmenter.hasEqualHeaders ? 1 : perSend
            let count = min(fitting, segmenter.segmentCount &- next)
            sendSegments(output, lane, peer, segmenter, next, count, isSegmented && count > 1)
            next &+= count
            sends &+= 1
        }
        if sends > 1 { counters.add(sends &- 1, .replicated) }
    }

    /// How many segments fit one send: by number, by payload, by pieces and by header memory.
    @_noLocks
    private func segmentsPerSend(_ segmenter: Segmenter, _ tag: Int) -> Int {
        let header = segmenter.headerByteCount &+ VXLANHeader.byteCount &+ tag
        let payload =
            segmenter.maximumPacketByteCount &+ EthernetHeader.byteCount &+ VXLANHeader.byteCount
            &+ tag
        let byPayload = Worker.maximumPayload / max(payload, 1)
        let byScratch = BatchSender.largeScratch / max(header, 1)
        return max(min(Worker.maximumSegments, min(byPayload, byScratch)), 1)
    }

    /// One send of `count` segments from `first` on.
    @_noLocks
    private func sendSegments(
        _ output: Int, _ lane: Int, _ peer: Int, _ segmenter: Segmenter, _ first: Int,
        _ count: Int, _ isSegmented: Bool
    ) {
        if isSegmented && sender.freeLargeCount == 0 { drainSends() }
        guard let operation = beginDatagram(output, peer, isSegmented: isSegmented) else { return }
        let frame = batch.frame(lane)
        var segmentSize = 0
        for index in first..<first &+ count {
            guard let bytes = appendSegment(operation, lane, segmenter, index, frame) else {
                return abandon(operation)
            }
            if index == first { segmentSize = bytes }
        }
        if isSegmented { operation.setSegmentSize(UInt16(truncatingIfNeeded: segmentSize)) }
        commit(operation, lane, .peer(peer), packets: count)
    }

    /// VXLAN header, the segment's own headers and its payload; gives the bytes of the three.
    @_noLocks
    private func appendSegment(
        _ operation: SendOperation, _ lane: Int, _ segmenter: Segmenter, _ index: Int,
        _ frame: FrameView
    ) -> Int? {
        let tag = batch.vlan[lane]
        let tagBytes = tag == 0 ? 0 : EthernetHeader.tagByteCount
        let start = VXLANHeader.byteCount &+ tagBytes
        let count = start &+ segmenter.headerByteCount(of: index)
        guard let bytes = unsafe operation.appendScratch(count: count) else { return nil }
        let header = unsafe FrameView(base: bytes, count: count)
        guard let segment = segmenter.segment(index, header: header.dropFirst(start)) else {
            return nil
        }
        let vni = pipeline.tables.vsis[Int(batch.vsi[lane])].vni
        VXLANHeader(frame: header, at: 0).emit(vni: VNI(bits: vni))
        if tag != 0 { insertTag(header.dropFirst(VXLANHeader.byteCount), tag) }
        let payload = frame.dropFirst(segment.payloadOffset)
        if segment.payloadByteCount > 0 {
            guard unsafe operation.append(payload.pointer, count: segment.payloadByteCount) else {
                return nil
            }
        }
        return count &+ segment.payloadByteCount
    }

    /// Puts a tag into a frame that starts four bytes into `header`.
    @_noLocks
    func insertTag(_ header: FrameView, _ tag: UInt32) {
        _ = EthernetHeader.insertTag(
            header, vlanIdentifier: UInt16(truncatingIfNeeded: tag & 0xFFF),
            priority: UInt8(truncatingIfNeeded: tag &>> 13 & 7))
        if tag & PacketBatch.tagIsService != 0 { header.store(EtherType.serviceTag, at: 12) }
    }

    /// For a device that takes no UDP super-packets: one frame for each datagram.
    @_noLocks
    func cutIntoFrames(_ lane: Int, _ port: Int, _ record: PortRecord) {
        let frame = batch.frame(lane)
        guard let segmenter = Segmenter.make(frame, batch.segmentations[lane]) else {
            counters.count(.txError)
            return
        }
        for index in 0..<segmenter.segmentCount {
            if index > 0 { counters.add(1, .replicated) }
            if sender.freeCount == 0 { drainSends() }
            guard let operation = beginFrame(Int(record.device)) else { continue }
            operation.append(OffloadHeader())
            guard appendFrameSegment(operation, lane, record, segmenter, index, frame) else {
                abandon(operation)
                continue
            }
            commit(operation, lane, .port(port), packets: 1)
        }
    }

    @_noLocks
    private func appendFrameSegment(
        _ operation: SendOperation, _ lane: Int, _ record: PortRecord, _ segmenter: Segmenter,
        _ index: Int, _ frame: FrameView
    ) -> Bool {
        let tags = tagBytes(lane, record)
        let count = tags &+ segmenter.headerByteCount(of: index)
        guard let bytes = unsafe operation.appendScratch(count: count) else { return false }
        let header = unsafe FrameView(base: bytes, count: count)
        guard let segment = segmenter.segment(index, header: header.dropFirst(tags)) else {
            return false
        }
        if batch.vlan[lane] != 0 {
            insertTag(header.dropFirst(tags &- EthernetHeader.tagByteCount), batch.vlan[lane])
        }
        if record.vlan != PortRecord.noVLAN { insertTag(header, UInt32(record.vlan)) }
        return unsafe operation.append(
            frame.dropFirst(segment.payloadOffset).pointer, count: segment.payloadByteCount)
    }
}
