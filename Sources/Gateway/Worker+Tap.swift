internal import Dataplane
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// Sends through the underlay's tap: the outer headers are ours to write, and TCP super-packets go
/// into the tunnel as they are.
///
/// A frame whose inner checksum is unfinished is finished here unless it is a super-packet: cards
/// that know TCP and UDP alone would look for it in the outer headers.
extension Worker {
    /// The longest inner IP packet: 65,535 less VXLAN, UDP and IPv4 headers and the inner Ethernet
    /// header, which the outer total length counts.
    private static var maximumInnerPacket: Int { @_noLocks get { 65_485 } }

    @_noLocks
    func sendThroughTap(_ output: Int, _ lane: Int, toPeer peer: Int) {
        let segmentation = batch.segmentations[lane]
        guard segmentation.isSuperPacket else { return sendFrameThroughTap(output, lane, peer) }
        guard let segmenter = Segmenter.make(batch.frame(lane), segmentation) else {
            counters.count(.txError)
            return
        }
        let outer =
            segmenter.maximumPacketByteCount &+ EthernetHeader.byteCount &+ tagBytes(lane)
            &+ OuterHeader.frameOverhead
        let mtu = Int(pipeline.tables.settings.underlayMTU)
        guard mtu == 0 || outer <= mtu else {
            counters.count(.encapMtu)
            return
        }
        guard fitsPath(output, peer, outer) else { return }
        if goesUncut(segmenter, segmentation) {
            sendUncut(output, lane, peer, segmenter, segmentation)
        } else {
            cutThroughTap(output, lane, peer, segmenter)
        }
    }

    /// The kernel cuts TCP inside of VXLAN, where it also fills the checksums of the segments.
    @_noLocks
    private func goesUncut(_ segmenter: Segmenter, _ segmentation: Segmentation) -> Bool {
        guard tap.takesSuperPackets, segmentation.needsChecksum, segmenter.segmentCount > 1,
            segmenter.packetByteCount <= Worker.maximumInnerPacket
        else { return false }
        switch segmentation.kind {
        case .tcp4, .tcp6: return true
        case .none, .udp4, .udp6, .fragments4: return false
        }
    }

    /// A packet that may not be fragmented is refused here as a socket would refuse it, where a
    /// router has told that it is too long.
    /// - Parameter byteCount: of the outer IPv4 packet.
    @_noLocks
    private func fitsPath(_ output: Int, _ peer: Int, _ byteCount: Int) -> Bool {
        let path = Int(pipeline.tables.peers[peer].pathMTU)
        guard path > 0, byteCount > path, batch.outputFields[output].doNotFragment else {
            return true
        }
        counters.count(.txEmsgsize)
        return false
    }

    @_noLocks
    private func tagBytes(_ lane: Int) -> Int {
        batch.vlan[lane] == 0 ? 0 : EthernetHeader.tagByteCount
    }

    // MARK: One frame

    @_noLocks
    private func sendFrameThroughTap(_ output: Int, _ lane: Int, _ peer: Int) {
        if batch.segmentations[lane].needsChecksum { completeChecksum(lane) }
        let frame = batch.frame(lane)
        let inner = frame.count &+ tagBytes(lane)
        guard fitsPath(output, peer, inner &+ OuterHeader.frameOverhead),
            let send = beginWhole(frame, batch.vlan[lane])
        else { return }
        TunnelOffload.write(OffloadHeader(), to: send.header, tap.headerByteCount)
        let fields = writeOuter(send.header, output, lane, peer, innerByteCount: inner, packets: 1)
        if tap.isChecksummed { writeOuterChecksum(send.header, fields, send.rest) }
        commit(
            send.operation, lane, toPeer: peer, packets: 1,
            bytes: inner &+ VXLANHeader.byteCount)
    }

    /// A send that was begun: memory for its headers, and the bytes behind them.
    private struct TunnelSend {
        let operation: SendOperation
        let header: FrameView
        let rest: FrameView
    }

    /// Bytes in front of the inner frame: offload, outer and VXLAN headers.
    private var tunnelBytes: Int {
        @_noLocks get { tap.headerByteCount &+ OuterHeader.innerOffset }
    }

    /// A send of headers and `rest`. Nil, and one packet counted as dropped, when there is no room.
    @_noLocks
    private func beginTunnelFrame(headerByteCount count: Int, _ rest: FrameView) -> TunnelSend? {
        guard let operation = sender.beginFrame(into: tap.file) else {
            counters.count(.txRingFull)
            return nil
        }
        guard let bytes = unsafe operation.appendScratch(count: count),
            unsafe operation.append(rest.pointer, count: rest.count)
        else {
            abandon(operation)
            return nil
        }
        return unsafe TunnelSend(
            operation: operation, header: FrameView(base: bytes, count: count), rest: rest)
    }

    /// A send of a whole frame; a tag that stays, and the addresses in front of it, are written
    /// already.
    @_noLocks
    private func beginWhole(_ frame: FrameView, _ tag: UInt32) -> TunnelSend? {
        guard tag != 0 else { return beginTunnelFrame(headerByteCount: tunnelBytes, frame) }
        let send = beginTunnelFrame(headerByteCount: tunnelBytes &+ 16, frame.dropFirst(12))
        if let send {
            writeAddressesAndTag(send.header.dropFirst(tunnelBytes), frame, tag)
        }
        return send
    }

    /// Outer and VXLAN headers behind the offload header.
    /// - Parameters:
    ///   - innerByteCount: of the inner frame with its tag.
    ///   - packets: how many IPv4 identifications it uses.
    @_noLocks
    private func writeOuter(
        _ header: FrameView, _ output: Int, _ lane: Int, _ peer: Int, innerByteCount: Int,
        packets: Int
    ) -> OuterHeader.Fields {
        let fields = outerFields(
            output, peer, payloadByteCount: innerByteCount &+ VXLANHeader.byteCount,
            packets: packets)
        let outer = header.dropFirst(tap.headerByteCount)
        tap.outer.emit(fields, to: outer)
        let vni = pipeline.tables.vsis[Int(batch.vsi[lane])].vni
        VXLANHeader(frame: outer, at: OuterHeader.byteCount).emit(vni: VNI(bits: vni))
        return fields
    }

    @_noLocks
    private func outerFields(
        _ output: Int, _ peer: Int, payloadByteCount: Int, packets: Int
    ) -> OuterHeader.Fields {
        let identification = nextIdentification
        nextIdentification = identification &+ UInt16(truncatingIfNeeded: packets)
        let fields = batch.outputFields[output]
        return OuterHeader.Fields(
            destination: pipeline.tables.peers[peer].address,
            sourcePort: SourcePorts.first
                &+ UInt16(truncatingIfNeeded: batch.outputSourcePort[output]),
            payloadByteCount: payloadByteCount, typeOfService: fields.typeOfService,
            timeToLive: fields.timeToLive, doNotFragment: fields.doNotFragment,
            identification: identification)
    }

    /// Over what lies in `header` from the UDP header on, and over `rest` behind it.
    @_noLocks
    private func writeOuterChecksum(
        _ header: FrameView, _ fields: OuterHeader.Fields, _ rest: FrameView
    ) {
        let offset = tap.headerByteCount &+ OuterHeader.transportOffset
        var sum = InternetChecksum.sum(
            header, offset: offset, length: header.count &- offset,
            initial: tap.outer.pseudoHeader(fields))
        sum = InternetChecksum.sum(rest, offset: 0, length: rest.count, initial: sum)
        header.store(
            InternetChecksum.checksumUDP(sum), at: offset &+ UDPHeader.checksumOffset)
    }

    // MARK: Several frames

    /// A send of `count` outputs of one size, the last of which may be shorter: offload and outer
    /// headers of the first, which the kernel repeats. VXLAN headers and frames are to follow.
    /// Nil, and the first counted as dropped, when there is no room or the path is too short.
    @_noLocks
    func beginTapRun(_ first: Int, _ count: Int, _ peer: Int) -> SendOperation? {
        let size = datagramBytes(first)
        guard fitsPath(first, peer, size &+ IPv4Header.byteCount &+ UDPHeader.byteCount) else {
            return nil
        }
        guard let operation = sender.beginFrame(into: tap.file, isLarge: true) else {
            counters.count(.txRingFull)
            return nil
        }
        let headerByteCount = tap.headerByteCount &+ OuterHeader.byteCount
        guard let bytes = unsafe operation.appendScratch(count: headerByteCount) else {
            abandon(operation)
            return nil
        }
        var total = 0
        var output = first
        for _ in 0..<count {
            total &+= datagramBytes(output)
            output = queues.following(output)
        }
        let header = unsafe FrameView(base: bytes, count: headerByteCount)
        TunnelOffload.write(TunnelOffload.merged(size: size), to: header, tap.headerByteCount)
        let fields = outerFields(first, peer, payloadByteCount: total, packets: count)
        tap.outer.emit(fields, to: header.dropFirst(tap.headerByteCount))
        writePartialChecksum(header, fields)
        return operation
    }

    /// What a sender leaves to its card: the sum of the outer pseudo-header, not complemented.
    @_noLocks
    private func writePartialChecksum(_ header: FrameView, _ fields: OuterHeader.Fields) {
        header.store(
            InternetChecksum.fold(tap.outer.pseudoHeader(fields)),
            at: tap.headerByteCount &+ OuterHeader.transportOffset &+ UDPHeader.checksumOffset)
    }

    // MARK: Super-packets

    @_noLocks
    private func sendUncut(
        _ output: Int, _ lane: Int, _ peer: Int, _ segmenter: Segmenter,
        _ segmentation: Segmentation
    ) {
        let frame = batch.frame(lane)
        let tag = tagBytes(lane)
        guard let send = beginWhole(frame, batch.vlan[lane]) else { return }
        // Offsets as the frame's own bytes say, not as its sender did.
        var found = segmentation
        found.headerLength = UInt16(truncatingIfNeeded: segmenter.headerByteCount)
        found.checksumStart = UInt16(truncatingIfNeeded: segmenter.transportOffset)
        found.checksumOffset = UInt16(truncatingIfNeeded: TCPHeader.checksumOffset)
        var (offload, offsets) = TunnelOffload.sent(
            OffloadMapping.header(found), tagByteCount: tag)
        let fields = writeOuter(
            send.header, output, lane, peer, innerByteCount: frame.count &+ tag,
            packets: segmenter.segmentCount)
        if tap.isChecksummed {
            offload.flags |= TunnelOffsets.outerChecksum
            writePartialChecksum(send.header, fields)
        }
        TunnelOffload.write(offload, offsets, to: send.header, tap.headerByteCount)
        counters.count(.superPackets)
        let each = VXLANHeader.byteCount &+ tag &+ segmenter.headerByteCount
        commit(
            send.operation, lane, toPeer: peer, packets: segmenter.segmentCount,
            bytes: segmenter.segmentCount &* each &+ segmenter.payloadByteCount)
    }

    /// One frame for each segment.
    @_noLocks
    private func cutThroughTap(
        _ output: Int, _ lane: Int, _ peer: Int, _ segmenter: Segmenter
    ) {
        for index in 0..<segmenter.segmentCount {
            if index > 0 { counters.add(1, .replicated) }
            if sender.freeCount == 0 { drainSends() }
            sendSegmentThroughTap(output, lane, peer, segmenter, index)
        }
    }

    @_noLocks
    private func sendSegmentThroughTap(
        _ output: Int, _ lane: Int, _ peer: Int, _ segmenter: Segmenter, _ index: Int
    ) {
        let tag = tagBytes(lane)
        let start = tunnelBytes &+ tag
        let extent = segmenter.payloadExtent(of: index)
        let payload = batch.frame(lane).dropFirst(extent.offset).prefix(extent.byteCount)
        let count = start &+ segmenter.headerByteCount(of: index)
        guard let send = beginTunnelFrame(headerByteCount: count, payload) else { return }
        guard segmenter.segment(index, header: send.header.dropFirst(start)) != nil else {
            return abandon(send.operation)
        }
        TunnelOffload.write(OffloadHeader(), to: send.header, tap.headerByteCount)
        let inner = count &- tunnelBytes &+ payload.count
        let fields = writeOuter(send.header, output, lane, peer, innerByteCount: inner, packets: 1)
        if tag > 0 { insertTag(send.header.dropFirst(tunnelBytes), batch.vlan[lane]) }
        if tap.isChecksummed { writeOuterChecksum(send.header, fields, payload) }
        commit(
            send.operation, lane, toPeer: peer, packets: 1,
            bytes: inner &+ VXLANHeader.byteCount)
    }
}
