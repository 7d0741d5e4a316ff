internal import Dataplane
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// Several lanes in one system call: datagrams of one size to one peer leave as one segmented send,
/// and TCP segments of one flow to one port are written as one super-packet.
extension Worker {
    /// The payload of one UDP_SEGMENT send.
    private static var maximumPayload: Int { @_noLocks get { 65_507 } }

    // MARK: To peers

    /// Puts an output into the queue of its peer and source port. A super-packet goes at once,
    /// after what its flow already has in the queue.
    @_noLocks
    func enqueue(_ output: Int, _ lane: Int, toPeer peer: Int) {
        let takesRuns = tap.isInUse ? tap.takesDatagramRuns : underlay.hasSegmentation
        guard takesRuns else { return sendAlone(output, lane, toPeer: peer) }
        let place = queues.queue(peer: peer, sourcePort: batch.outputSourcePort[output])
        guard batch.segmentations[lane].isSuperPacket else {
            return queues.append(output, to: place)
        }
        sendQueue(place)
        sendAlone(output, lane, toPeer: peer)
    }

    /// One lane for itself, by whatever carries the tunnels.
    @_noLocks
    private func sendAlone(_ output: Int, _ lane: Int, toPeer peer: Int) {
        if tap.isInUse {
            sendThroughTap(output, lane, toPeer: peer)
        } else if batch.segmentations[lane].isSuperPacket {
            sendSuperPacket(output, lane, toPeer: peer)
        } else {
            send(output, lane, toPeer: peer)
        }
    }

    @_noLocks
    func sendQueues() {
        for index in 0..<queues.count { sendQueue(queues.place(at: index)) }
        queues.removeAll()
    }

    /// Sends what waits in one queue, as few sends as its sizes allow. That the peer's route
    /// refuses segmented ones may become known between two of them.
    @_noLocks
    private func sendQueue(_ place: Int) {
        var output = queues.first(place)
        while output >= 0 {
            let isRefused = refusesSegmentation[batch.outputDestination[output].index]
            let length = isRefused ? 1 : runLength(output)
            let next: Int
            if length > 1 {
                next = sendRun(output, length)
            } else {
                next = queues.following(output)
                sendAlone(
                    output, Int(batch.outputLane[output]),
                    toPeer: batch.outputDestination[output].index)
            }
            output = next
        }
        queues.clear(place)
    }

    /// How many outputs from `first` on one send takes: equal sizes, of which the last may be
    /// shorter, and equal outer headers.
    @_noLocks
    private func runLength(_ first: Int) -> Int {
        let size = datagramBytes(first)
        var total = size
        var count = 1
        var output = queues.following(first)
        while output >= 0, count < SlotGroups.laneCapacity {
            let bytes = datagramBytes(output)
            guard bytes <= size, total &+ bytes <= Worker.maximumPayload,
                batch.outputFields[output] == batch.outputFields[first]
            else { break }
            count &+= 1
            total &+= bytes
            if bytes < size { break }
            output = queues.following(output)
        }
        return count
    }

    @_noLocks
    func datagramBytes(_ output: Int) -> Int {
        let lane = Int(batch.outputLane[output])
        return Int(batch.lengths[lane]) &+ VXLANHeader.byteCount
            &+ (batch.vlan[lane] == 0 ? 0 : EthernetHeader.tagByteCount)
    }

    /// One segmented send of `count` outputs. Gives the output after them.
    @_noLocks
    private func sendRun(_ first: Int, _ count: Int) -> Int {
        if sender.freeLargeCount == 0 || !slotGroups.hasFree { drainSends() }
        let peer = batch.outputDestination[first].index
        let group = slotGroups.take()
        guard group >= 0 else {
            sendAlone(first, Int(batch.outputLane[first]), toPeer: peer)
            return queues.following(first)
        }
        let begun =
            tap.isInUse
            ? beginTapRun(first, count, peer) : beginDatagram(first, peer, isSegmented: true)
        guard let operation = begun else {
            // It has counted the first; the others are tried for themselves.
            slotGroups.giveBack(group)
            return queues.following(first)
        }
        let start = operation.byteCount
        var output = first
        var isComplete = true
        for _ in 0..<count {
            let lane = Int(batch.outputLane[output])
            if batch.segmentations[lane].needsChecksum { completeChecksum(lane) }
            let frame = batch.frame(lane)
            let skipped = batch.vlan[lane] == 0 ? 0 : 12
            if !appendTunnelHeader(operation, lane) { isComplete = false }
            let isAppended = unsafe operation.append(
                frame.pointer + skipped, count: frame.count &- skipped)
            if !isAppended { isComplete = false }
            slots.retain(batch.slots[lane])
            slotGroups.append(batch.slots[lane], to: group)
            output = queues.following(output)
        }
        guard isComplete else {
            sender.abandon(operation)
            release(group: group)
            counters.count(.txError, UInt64(truncatingIfNeeded: count))
            return output
        }
        if !tap.isInUse {
            operation.setSegmentSize(UInt16(truncatingIfNeeded: datagramBytes(first)))
        }
        commit(
            operation, group: group, .peer(peer), bytes: operation.byteCount &- start,
            isSegmented: true)
        return output
    }

    // MARK: To ports

    /// Adds an output to the run that is being gathered, or ends that run and begins another.
    @_noLocks
    func gather(_ output: Int, _ lane: Int, toPort port: Int) {
        let isCandidate = isMergeable(lane, port)
        if run.count > 0 {
            if isCandidate, extendRun(output, batch.frame(lane), port) { return }
            endRun()
        }
        guard isCandidate, let merger = SegmentMerger(batch.frame(lane)) else {
            return send(lane, toPort: port)
        }
        run = PortRun(first: output, count: 1, port: port, merger: merger)
    }

    /// Only what came out of a tunnel is in pieces; a tag would have to be repeated.
    @_noLocks
    private func isMergeable(_ lane: Int, _ port: Int) -> Bool {
        guard batch.ingressDevice[lane] == PacketBatch.underlay, batch.vlan[lane] == 0,
            case .forward = batch.verdict[lane], !batch.segmentations[lane].needsChecksum,
            !batch.segmentations[lane].isSuperPacket
        else { return false }
        return pipeline.tables.ports[port].vlan == PortRecord.noVLAN
    }

    /// Writes the run that was gathered, if any.
    @_noLocks
    func endRun() {
        let ended = run
        run = PortRun()
        guard ended.count > 0, let merger = ended.merger else { return }
        guard ended.count > 1 else {
            return send(Int(batch.outputLane[ended.first]), toPort: ended.port)
        }
        if sender.freeLargeCount == 0 || !slotGroups.hasFree { drainSends() }
        guard !sendMerged(ended, merger) else { return }
        for output in ended.first..<ended.first &+ ended.count {
            send(Int(batch.outputLane[output]), toPort: ended.port)
        }
    }

    /// False, with nothing sent, when there was no room for it.
    @_noLocks
    private func sendMerged(_ run: PortRun, _ merger: SegmentMerger) -> Bool {
        let index = Int(pipeline.tables.ports[run.port].device)
        guard index < deviceBound, unsafe devices[index].isAttached else { return false }
        let device = unsafe devices[index]
        let begun =
            device.isTap
            ? sender.beginFrame(into: device.file, isLarge: true)
            : sender.beginPacket(from: device.file, isLarge: true)
        guard let operation = begun else { return false }
        let group = slotGroups.take()
        guard group >= 0, append(run, merger, to: operation) else {
            if group >= 0 { slotGroups.giveBack(group) }
            sender.abandon(operation)
            return false
        }
        for output in run.first..<run.first &+ run.count {
            let slot = batch.slots[Int(batch.outputLane[output])]
            slots.retain(slot)
            slotGroups.append(slot, to: group)
        }
        counters.count(.superPackets)
        commit(
            operation, group: group, .port(run.port), bytes: operation.byteCount,
            isSegmented: false)
        return true
    }

    /// Offload header, one set of headers, and the payloads where they lie.
    @_noLocks
    private func append(
        _ run: PortRun, _ merger: SegmentMerger, to operation: SendOperation
    ) -> Bool {
        let offload = OffloadHeader.byteCount
        let count = offload &+ merger.headerByteCount
        guard let bytes = unsafe operation.appendScratch(count: count) else { return false }
        let header = unsafe FrameView(base: bytes, count: count)
        let segmentation = merger.writeHeader(header.dropFirst(offload))
        _ = unsafe OffloadMapping.header(segmentation).store(to: bytes, count: offload)
        for output in run.first..<run.first &+ run.count {
            let frame = batch.frame(Int(batch.outputLane[output]))
            let payload = merger.payload(of: frame)
            guard unsafe operation.append(payload.pointer, count: payload.count) else {
                return false
            }
        }
        return true
    }
}

/// Consecutive outputs to one port that make one super-packet.
struct PortRun {
    var first = 0
    var count = 0
    var port = 0
    var merger: SegmentMerger?

    /// Takes another output. False when it does not continue the run.
    @_noLocks
    mutating func take(_ output: Int, _ frame: FrameView, _ port: Int) -> Bool {
        guard port == self.port, count < SlotGroups.laneCapacity, first &+ count == output,
            merger?.take(frame) == true
        else { return false }
        count &+= 1
        return true
    }
}
