internal import CLinux
internal import Memory
internal import Uring
internal import Wire

extension SendWorker {
    /// Queues `count` frames, or as many as the arena has room for.
    @_noLocks
    mutating func offer(_ count: Int) {
        var left = count
        while left > 0 {
            let queued = queueRun(most: left)
            guard queued > 0 else { return }
            left &-= queued
        }
    }

    /// Queues the next frame, or into a tunnel a run of frames of one stream and one length as one
    /// segmented send from one source port.
    /// - Returns: how many frames; 0 when there is no room.
    @_noLocks
    private mutating func queueRun(most: Int) -> Int {
        let turn = turns[scheduled]
        let cursor = cursors[turn.stream]
        let step = cursor.firstStep &+ cursor.step
        let length = writer.frameByteCount(step)
        var count = 1
        if route.isSegmented {
            let datagram = length &+ VXLANHeader.byteCount
            let fitting = min(Self.maximumSegments, Self.maximumSegmentedBytes / datagram)
            count = min(min(most, turn.frames &- takenOfTurn), min(runLength(cursor), fitting))
        }
        guard let operation = begin(cursor) else { return 0 }
        let appended = append(count, turn.stream, cursor, to: operation)
        guard appended > 0 else {
            sender.abandon(operation)
            return 0
        }
        if appended > 1 {
            operation.setSegmentSize(UInt16(truncatingIfNeeded: length &+ VXLANHeader.byteCount))
        }
        return commit(operation, turn, packets: appended, length: length)
    }

    @_noLocks
    private func begin(_ cursor: StreamCursor) -> SendOperation? {
        switch route.kind {
        case .messages:
            guard let operation = sender.beginPacket(from: route.files[0]) else { return nil }
            operation.append(OffloadHeader())
            return operation
        case .tap:
            guard let operation = sender.beginFrame(into: route.files[0]) else { return nil }
            operation.append(OffloadHeader())
            return operation
        case .tunnel:
            return sender.beginDatagram(
                from: route.files[cursor.file], to: route.address, port: route.port,
                isLarge: route.isSegmented)
        }
    }

    /// Appends the next frames of a stream and of its current file, all of the current length.
    /// - Returns: how many found room.
    @_noLocks
    private mutating func append(
        _ count: Int, _ stream: Int, _ cursor: StreamCursor, to operation: SendOperation
    ) -> Int {
        let time = vx_monotonic_nanoseconds()
        let step = cursor.firstStep &+ cursor.step
        let outer = route.isTunnel ? VXLANHeader.byteCount : 0
        let head = outer &+ writer.headByteCount(step)
        let fill = writer.fillView(step)
        // Heads without anything between them are one piece for the kernel.
        let together = fill.count == 0 ? count : 1
        let place = stream &* fileStride &+ cursor.file
        var next = nextFlows[place]
        var done = 0
        while done < count {
            guard operation.freePieces >= 2,
                let bytes = unsafe operation.appendScratch(count: head &* together)
            else { break }
            let view = unsafe FrameView(base: bytes, count: head &* together)
            for index in 0..<together {
                let frame = view.dropFirst(index &* head).prefix(head)
                writeFrame(cursor, next, step, time, to: frame, outer)
                next &+= cursor.fileCount
                if next >= cursor.flowCount { next = cursor.file }
            }
            if fill.count > 0 { unsafe operation.append(fill.pointer, count: fill.count) }
            done &+= together
        }
        nextFlows[place] = next
        return done
    }

    @_noLocks
    private func writeFrame(
        _ cursor: StreamCursor, _ index: Int, _ step: Int, _ time: UInt64, to frame: FrameView,
        _ outer: Int
    ) {
        var flow = flows[cursor.firstFlow &+ index]
        if outer > 0 { VXLANHeader(frame: frame, at: 0).emit(vni: flow.vni) }
        writer.write(
            flow,
            number: cursor.firstNumber &+ UInt32(truncatingIfNeeded: index)
                &* cursor.numberStride, step: step, time: time, to: frame.dropFirst(outer))
        flow.sequence &+= 1
        flows[cursor.firstFlow &+ index] = flow
    }

    /// Steps of the stream's pattern with one length, from the current one on; a pattern of one
    /// length never ends.
    @_noLocks
    private func runLength(_ cursor: StreamCursor) -> Int {
        guard cursor.stepCount > 1 else { return Self.maximumSegments }
        let last = cursor.firstStep &+ cursor.stepCount
        let first = cursor.firstStep &+ cursor.step
        var end = first
        while end < last && writer.frameByteCount(end) == writer.frameByteCount(first) {
            end &+= 1
        }
        return end &- first
    }

    /// Hands an operation to the ring; the stream's next one leaves from the next source port.
    @_noLocks
    private mutating func commit(
        _ operation: SendOperation, _ turn: StreamSchedule.Turn, packets: Int, length: Int
    ) -> Int {
        let bytes = packets &* (length &+ FrameWriter.checkByteCount)
        let note = UInt64(turn.stream) &<< 40 | UInt64(packets) &<< 24 | UInt64(bytes)
        guard sender.commit(operation, tag: Self.sendTag, note: note) else { return 0 }
        pacer.take(packets)
        if isCounting {
            tally.add(UInt64(truncatingIfNeeded: packets), .offered, stream: turn.stream)
        }
        var cursor = cursors[turn.stream]
        cursor.advance(frames: packets)
        cursors[turn.stream] = cursor
        takenOfTurn &+= packets
        if takenOfTurn >= turn.frames {
            takenOfTurn = 0
            scheduled = scheduled &+ 1 < turns.count ? scheduled &+ 1 : 0
        }
        return packets
    }

    // MARK: Answers

    /// Counts what became of sends that have ended.
    @_noLocks
    mutating func reap(_ now: UInt64) {
        let count = unsafe ring.reap(into: completions, limit: Self.tunnelBatch)
        for index in 0..<count {
            let completion = unsafe completions[index]
            guard let note = sender.finish(completion) else { continue }
            let packets = Int(truncatingIfNeeded: note &>> 24 & 0xFFFF)
            if completion.result >= 0 {
                noteSuccess(now)
                guard isCounting else { continue }
                let stream = Int(truncatingIfNeeded: note &>> 40)
                tally.add(UInt64(truncatingIfNeeded: packets), .sentPackets, stream: stream)
                tally.add(note & 0xFF_FFFF, .sentBytes, stream: stream)
            } else {
                noteRefusal(0 &- completion.result, packets, now)
            }
        }
    }

    @_noLocks
    private mutating func noteSuccess(_ now: UInt64) {
        lastSuccess = now
        endStall(now)
    }

    @_noLocks
    mutating func endStall(_ now: UInt64) {
        guard stalledSince != 0 else { return }
        if isCounting { tally.add(now &- stalledSince, .stalled, stream: Tally.none) }
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
        tally.add(UInt64(truncatingIfNeeded: packets), .refused, stream: Tally.none)
    }
}
