internal import CLinux
internal import Dataplane
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// From lanes through the stages to sends.
extension Worker {
    /// Runs the lanes of the batch and sends what they become.
    @_noLocks
    func runBatch() {
        let count = batch.laneCount.value
        guard count > 0 else { return }
        let bytes = batch.activeBytes()
        counters.add(UInt64(truncatingIfNeeded: count), .received)
        counters.record(.receive, packets: count, bytes: bytes, clocks: 0)
        pipeline.process()
        finishBatch(count)
    }

    /// Sends what the lanes of the batch have become, and lets go of them.
    @_noLocks
    func finishBatch(_ count: Int) {
        var cursor = ReplicateStage.Cursor()
        var isComplete = false
        while !isComplete {
            isComplete = pipeline.makeOutputs(&cursor)
            transmit()
        }
        countConsumed(count)
        for lane in 0..<count { release(batch.slots[lane]) }
        batch.removeAll()
    }

    @_noLocks
    private func countConsumed(_ count: Int) {
        var consumed: UInt64 = 0
        for lane in 0..<count {
            if case .consumed = batch.verdict[lane] { consumed &+= 1 }
        }
        if consumed > 0 { counters.add(consumed, .consumed) }
    }

    @_noLocks
    private func transmit() {
        let count = batch.outputCount.value
        guard count > 0 else { return }
        let start = vx_clocks()
        completeSharedChecksums(count)
        var bytes: UInt64 = 0
        for output in 0..<count {
            let destination = batch.outputDestination[output]
            let lane = Int(batch.outputLane[output])
            bytes &+= UInt64(batch.lengths[lane])
            if destination.isPeer {
                enqueue(output, lane, toPeer: destination.index)
            } else {
                gather(output, lane, toPort: destination.index)
            }
        }
        endRun()
        sendQueues()
        counters.record(.transmit, packets: count, bytes: bytes, clocks: vx_clocks() &- start)
        // More outputs than one arena holds: what is queued leaves before the next are made.
        if sender.freeCount < PacketBatch.outputCapacity { drainSends() }
    }

    /// Hands the queued sends over and takes back their operations. Other completions wait for the
    /// next turn; there are never more of them than buffers and devices.
    @_noLocks
    func drainSends() {
        ring.submit()
        while deferredCount < Worker.deferredCapacity {
            let next = unsafe deferred + deferredCount
            guard unsafe ring.reap(into: next, limit: 1) == 1 else { return }
            if unsafe Source.kind(next.pointee.userData) == Source.send {
                finish(unsafe next.pointee)
            } else {
                deferredCount &+= 1
            }
        }
    }

    /// A partial checksum of a frame with several copies is finished before the first is made: some
    /// copies need it finished, and all share the bytes.
    @_noLocks
    private func completeSharedChecksums(_ count: Int) {
        for output in 0..<count {
            let lane = Int(batch.outputLane[output])
            let segmentation = batch.segmentations[lane]
            guard segmentation.needsChecksum, !segmentation.isSuperPacket,
                case .replicate = batch.verdict[lane]
            else { continue }
            completeChecksum(lane)
        }
    }

    @_noLocks
    func completeChecksum(_ lane: Int) {
        _ = batch.segmentations[lane].completeChecksum(in: batch.frame(lane))
        batch.segmentations[lane] = .none
        counters.count(.checksumCompleted)
    }

    // MARK: To a peer

    @_noLocks
    func send(_ output: Int, _ lane: Int, toPeer peer: Int) {
        if batch.segmentations[lane].needsChecksum { completeChecksum(lane) }
        let frame = batch.frame(lane)
        guard let operation = beginDatagram(output, peer, isSegmented: false) else { return }
        guard appendTunnelHeader(operation, lane) else { return abandon(operation) }
        let skipped = batch.vlan[lane] == 0 ? 0 : 12
        guard unsafe operation.append(frame.pointer + skipped, count: frame.count &- skipped)
        else { return abandon(operation) }
        commit(operation, lane, .peer(peer), packets: 1)
    }

    @_noLocks
    func beginDatagram(_ output: Int, _ peer: Int, isSegmented: Bool) -> SendOperation? {
        let file = underlay.file(
            sourcePort: batch.outputSourcePort[output],
            doNotFragment: batch.outputFields[output].doNotFragment, isSegmented: isSegmented)
        guard
            let operation = sender.beginDatagram(
                from: file, to: pipeline.tables.peers[peer].address, port: underlay.port,
                isLarge: isSegmented)
        else {
            counters.count(.txRingFull)
            return nil
        }
        let tos = batch.outputFields[output].typeOfService
        if tos != underlay.defaultTOS { operation.setTOS(tos) }
        let ttl = batch.outputFields[output].timeToLive
        if ttl != underlay.defaultTTL { operation.setTTL(ttl) }
        return operation
    }

    /// The VXLAN header, and with a tag that stays the frame's addresses and the tag behind it.
    @_noLocks
    func appendTunnelHeader(_ operation: SendOperation, _ lane: Int) -> Bool {
        let tag = batch.vlan[lane]
        let count = VXLANHeader.byteCount &+ (tag == 0 ? 0 : 16)
        guard let bytes = unsafe operation.appendScratch(count: count) else { return false }
        let header = unsafe FrameView(base: bytes, count: count)
        let vni = pipeline.tables.vsis[Int(batch.vsi[lane])].vni
        VXLANHeader(frame: header, at: 0).emit(vni: VNI(bits: vni))
        guard tag != 0 else { return true }
        writeAddressesAndTag(header.dropFirst(VXLANHeader.byteCount), batch.frame(lane), tag)
        return true
    }

    /// Sixteen bytes: the two addresses of `frame`, and a tag.
    @_noLocks
    func writeAddressesAndTag(_ header: FrameView, _ frame: FrameView, _ tag: UInt32) {
        header.store(frame.loadMACAddress(at: 0), at: 0)
        header.store(frame.loadMACAddress(at: 6), at: 6)
        writeTag(header, 12, tag)
    }

    @_noLocks
    private func writeTag(_ header: FrameView, _ offset: Int, _ tag: UInt32) {
        let isService = tag & PacketBatch.tagIsService != 0
        header.store(isService ? EtherType.serviceTag : EtherType.customerTag, at: offset)
        header.store(UInt16(truncatingIfNeeded: tag), at: offset &+ 2)
    }

    // MARK: To a port

    @_noLocks
    func send(_ lane: Int, toPort port: Int) {
        let record = pipeline.tables.ports[port]
        let index = Int(record.device)
        guard index < deviceBound, unsafe devices[index].isAttached else {
            counters.count(.portDown)
            return
        }
        let segmentation = batch.segmentations[lane]
        if mustBeCut(segmentation, index) {
            return cutIntoFrames(lane, port, record)
        }
        guard let operation = beginFrame(index) else { return }
        let frame = batch.frame(lane)
        let tags = tagBytes(lane, record)
        operation.append(OffloadMapping.header(segmentation.shifted(by: tags)))
        let skipped = tags == 0 ? 0 : 12
        guard appendTags(operation, lane, record, frame, tags),
            unsafe operation.append(frame.pointer + skipped, count: frame.count &- skipped)
        else { return abandon(operation) }
        commit(operation, lane, .port(port), packets: 1)
    }

    /// The device does not cut it: fragments no device makes, UDP super-packets some do not.
    @_noLocks
    private func mustBeCut(_ segmentation: Segmentation, _ index: Int) -> Bool {
        switch segmentation.kind {
        case .fragments4: true
        case .udp4, .udp6: unsafe !devices[index].takesDatagramSuperPackets
        case .none, .tcp4, .tcp6: false
        }
    }

    @_noLocks
    func beginFrame(_ index: Int) -> SendOperation? {
        let device = unsafe devices[index]
        let operation =
            device.isTap
            ? sender.beginFrame(into: device.file) : sender.beginPacket(from: device.file)
        if operation == nil { counters.count(.txRingFull) }
        return operation
    }

    /// Bytes of the tags that go in front of a lane's frame at this port.
    @_noLocks
    func tagBytes(_ lane: Int, _ port: PortRecord) -> Int {
        (port.vlan == PortRecord.noVLAN ? 0 : 4) &+ (batch.vlan[lane] == 0 ? 0 : 4)
    }

    /// The frame's addresses, the tag of the port, and a tag that the frame keeps.
    @_noLocks
    func appendTags(
        _ operation: SendOperation, _ lane: Int, _ port: PortRecord, _ frame: FrameView,
        _ tags: Int
    ) -> Bool {
        guard tags > 0 else { return true }
        guard let bytes = unsafe operation.appendScratch(count: 12 &+ tags) else { return false }
        let header = unsafe FrameView(base: bytes, count: 12 &+ tags)
        header.store(frame.loadMACAddress(at: 0), at: 0)
        header.store(frame.loadMACAddress(at: 6), at: 6)
        var offset = 12
        if port.vlan != PortRecord.noVLAN {
            writeTag(header, offset, UInt32(port.vlan))
            offset &+= 4
        }
        if batch.vlan[lane] != 0 { writeTag(header, offset, batch.vlan[lane]) }
        return true
    }
}
