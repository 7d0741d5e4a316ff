internal import CLinux
internal import Memory
internal import Uring
internal import Wire

/// One sending thread: its share of the flows, its ring, its schedule.
///
/// A turn: what is due is written and queued, handed over with one system call, and the answers
/// are counted. Sends never block: what a full queue refuses is due again.
///
/// Thread-safety: made, run and closed on its own thread.
@safe
struct SendWorker {
    /// Frames of one turn into a device.
    static var deviceBatch: Int { @_noLocks get { 64 } }
    /// Frames of one turn into a tunnel, in segmented sends.
    static var tunnelBatch: Int { @_noLocks get { 256 } }
    /// Datagrams the kernel cuts one send into, and the payload bytes of one send (UDP_SEGMENT).
    static var maximumSegments: Int { @_noLocks get { 64 } }
    static var maximumSegmentedBytes: Int { @_noLocks get { 65_507 } }
    /// Without one frame gone for so long, the run has failed.
    static var patience: UInt64 { @_noLocks get { 2_000_000_000 } }
    /// The thread sleeps when the next frame is due later than this, and asks to be woken so much
    /// earlier: about what waking takes. More would be more even, but on a machine with few cores
    /// it would spin in the place of what it measures.
    static var spinTime: UInt64 { @_noLocks get { 5_000 } }
    /// Pause after the device took no more.
    static var stallPause: Int64 { @_noLocks get { 20_000 } }

    let ring: UringInstance
    let sender: BatchSender
    var route: SendRoute
    let writer: FrameWriter
    let flows: Column<Flow>
    /// Flow 0 of this worker and the distance to its next one, as the run numbers them.
    let firstStream: UInt32
    let streamStride: UInt32
    /// The flow that sends next, for each file of the route.
    let cursors: Column<Int>
    let tally: Tally
    let completions: UnsafeMutablePointer<Completion>
    var pacer: Pacer
    var file = 0
    var step = 0
    var stalledSince: UInt64 = 0
    var lastSuccess: UInt64 = 0
    /// The kernel's last refusal other than a full queue, positive.
    var lastError: Int32 = 0
    var hasRefusals = false
    /// No frame has left for so long that none will.
    var hasGivenUp = false

    private static var sendTag: UInt64 { @_noLocks get { 1 &<< 56 } }

    /// Ends the ring and frees everything.
    func close() {
        ring.close()
        sender.close()
        route.files.deallocate()
        writer.deallocate()
        flows.deallocate()
        cursors.deallocate()
        unsafe completions.deallocate()
    }

    /// One turn. False when the run is over.
    @_noLocks
    mutating func turn() -> Bool {
        let now = vx_monotonic_nanoseconds()
        let due = pacer.due(at: now, most: route.isDevice ? Self.deviceBatch : Self.tunnelBatch)
        if due > 0 {
            offer(due)
            ring.submit()
            reap(now)
            if hasRefusals { return pauseAfterRefusal() }
            return true
        }
        if sender.inFlight > 0 {
            ring.submit(waitFor: 1, timeoutNanoseconds: 1_000_000)
            reap(now)
            return true
        }
        guard !pacer.isOver(at: now) else { return false }
        wait(pacer.wait(at: now))
        return true
    }

    /// Sleeps through a long gap, and spins through a short one: a sleep ends too late by more
    /// than a frame's time.
    @_noLocks
    private func wait(_ nanoseconds: UInt64) {
        guard nanoseconds > Self.spinTime else { return vx_pause() }
        // Bounded, so that a request to stop is noticed.
        let sleep = min(nanoseconds &- Self.spinTime, 10_000_000)
        ring.submit(waitFor: 1, timeoutNanoseconds: Int64(sleep))
    }

    /// The device takes no more: waits a little. False when it has not taken any for too long.
    @_noLocks
    private mutating func pauseAfterRefusal() -> Bool {
        hasRefusals = false
        ring.submit(waitFor: 1, timeoutNanoseconds: Self.stallPause)
        let now = vx_monotonic_nanoseconds()
        hasGivenUp = now &- max(lastSuccess, pacer.start) >= Self.patience
        return !hasGivenUp
    }

    // MARK: Sending

    /// Queues `count` frames, or as many as the arena has room for.
    @_noLocks
    private mutating func offer(_ count: Int) {
        var left = count
        while left > 0 {
            let queued = route.isSegmented ? queueRun(most: left) : queueOne()
            guard queued > 0 else { return }
            left &-= queued
        }
    }

    /// Queues the next frame alone.
    @_noLocks
    private mutating func queueOne() -> Int {
        let time = vx_monotonic_nanoseconds()
        let begun =
            route.isDevice
            ? sender.beginPacket(from: route.files[0])
            : sender.beginDatagram(from: route.files[file], to: route.address, port: route.port)
        guard let operation = begun else { return 0 }
        if route.isDevice { operation.append(OffloadHeader()) }
        let length = writer.frameByteCount(step)
        guard append(1, to: operation, time) == 1 else {
            sender.abandon(operation)
            return 0
        }
        advanceStep(1)
        return commit(operation, packets: 1, bytes: length)
    }

    /// Queues a run of frames of one length as one segmented send from one source port.
    @_noLocks
    private mutating func queueRun(most: Int) -> Int {
        let length = writer.frameByteCount(step)
        let datagram = length &+ VXLANHeader.byteCount
        let fitting = min(Self.maximumSegments, Self.maximumSegmentedBytes / datagram)
        let count = min(most, min(runLength(), fitting))
        guard
            let operation = sender.beginDatagram(
                from: route.files[file], to: route.address, port: route.port, isLarge: true)
        else { return 0 }
        let appended = append(count, to: operation, vx_monotonic_nanoseconds())
        guard appended > 0 else {
            sender.abandon(operation)
            return 0
        }
        if appended > 1 { operation.setSegmentSize(UInt16(truncatingIfNeeded: datagram)) }
        advanceStep(appended)
        return commit(operation, packets: appended, bytes: length &* appended)
    }

    /// Appends the next frames of the current source port, all of the current length.
    /// - Returns: how many found room.
    @_noLocks
    private mutating func append(_ count: Int, to operation: SendOperation, _ time: UInt64) -> Int {
        let outer = route.isDevice ? 0 : VXLANHeader.byteCount
        let head = outer &+ FrameWriter.headByteCount
        let fill = writer.fillView(step)
        // Heads without anything between them are one piece for the kernel.
        let together = fill.count == 0 ? count : 1
        var done = 0
        while done < count {
            guard operation.freePieces >= 2,
                let bytes = unsafe operation.appendScratch(count: head &* together)
            else { break }
            let view = unsafe FrameView(base: bytes, count: head &* together)
            for index in 0..<together {
                let place = view.dropFirst(index &* head)
                if outer > 0 { VXLANHeader(frame: place, at: 0).emit(vni: route.vni) }
                writeNext(place.dropFirst(outer).prefix(FrameWriter.headByteCount), time)
            }
            if fill.count > 0 { unsafe operation.append(fill.pointer, count: fill.count) }
            done &+= together
        }
        return done
    }

    @_noLocks
    private mutating func writeNext(_ head: FrameView, _ time: UInt64) {
        let index = cursors[file]
        var flow = flows[index]
        writer.write(
            flow, stream: firstStream &+ UInt32(truncatingIfNeeded: index) &* streamStride,
            step: step, time: time, to: head)
        flow.sequence &+= 1
        flows[index] = flow
        let next = index &+ cursors.count
        cursors[file] = next < flows.count ? next : file
    }

    /// Steps of the pattern with one length, from the current one on; a pattern of one length
    /// never ends.
    @_noLocks
    private func runLength() -> Int {
        guard writer.steps > 1 else { return Self.maximumSegments }
        let length = writer.frameByteCount(step)
        var end = step
        while end < writer.steps && writer.frameByteCount(end) == length { end &+= 1 }
        return end &- step
    }

    @_noLocks
    private mutating func advanceStep(_ count: Int) {
        guard writer.steps > 1 else { return }
        step &+= count
        if step >= writer.steps { step = 0 }
    }

    /// Hands an operation to the ring; the next one leaves from the next source port.
    @_noLocks
    private mutating func commit(_ operation: SendOperation, packets: Int, bytes: Int) -> Int {
        let note = UInt64(packets) &<< 32 | UInt64(bytes &+ packets &* FrameWriter.checkByteCount)
        guard sender.commit(operation, tag: Self.sendTag, note: note) else { return 0 }
        pacer.take(packets)
        file = file &+ 1 < cursors.count ? file &+ 1 : 0
        return packets
    }

    // MARK: Answers

    @_noLocks
    mutating func reap(_ now: UInt64) {
        let count = unsafe ring.reap(into: completions, limit: Self.tunnelBatch)
        for index in 0..<count {
            let completion = unsafe completions[index]
            guard let note = sender.finish(completion) else { continue }
            let packets = Int(truncatingIfNeeded: note &>> 32)
            if completion.result >= 0 {
                noteSuccess(now)
                tally.add(UInt64(truncatingIfNeeded: packets), .sentPackets)
                tally.add(note & 0xFFFF_FFFF, .sentBytes)
            } else {
                noteRefusal(0 &- completion.result, packets, now)
            }
        }
    }

    @_noLocks
    private mutating func noteSuccess(_ now: UInt64) {
        lastSuccess = now
        guard stalledSince != 0 else { return }
        tally.add(now &- stalledSince, .stalled)
        stalledSince = 0
    }

    @_noLocks
    private mutating func noteRefusal(_ code: Int32, _ packets: Int, _ now: UInt64) {
        pacer.giveBack(packets)
        // EIO and EINVAL: this route or kernel does not cut; from here on every frame goes alone.
        if route.isSegmented && packets > 1 && (code == 5 || code == 22) {
            route.isSegmented = false
            return
        }
        hasRefusals = true
        if stalledSince == 0 { stalledSince = now }
        // EAGAIN and ENOBUFS: the queue is full.
        guard code != 11 && code != 105 else { return }
        lastError = code
        tally.add(UInt64(truncatingIfNeeded: packets), .refused)
    }
}
