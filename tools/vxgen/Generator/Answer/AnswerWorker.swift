internal import CLinux
internal import Memory
internal import Uring
internal import Wire

/// The turns of an emulation: receive, answer, announce, send.
@safe
struct AnswerWorker {
    private static let bufferCount = 1024
    private static let bufferLength = 65_536 + 256
    private static let stride = bufferLength + 64
    private static let batch = 256
    private static let sendTag: UInt64 = 1 << 56
    /// In the note of an announcement, beside its host: there is no buffer to give back.
    private static let announcement: UInt64 = 1 << 32
    /// A request to stop is noticed after so long at the latest.
    private static let idleTime: UInt64 = 10_000_000

    private let plan: AnswerPlan
    private let ring: UringInstance
    private let memory: PageRegion
    private let buffers: BufferRing
    private let sender: BatchSender
    private let responder: Responder
    private let completions: UnsafeMutablePointer<Completion>
    private let ports: [AnswerPort]
    private var announcing: Pacer
    private var moving: Pacer
    private var chance: UInt64
    /// Hosts whose announcement a full queue refused.
    private var unheard: [Int] = []
    private(set) var totals = AnswerTotals()

    init(_ plan: AnswerPlan, _ ports: [FramePort]) throws(UringError) {
        self.plan = plan
        ring = try UringInstance(entries: 512, completionEntries: 4096)
        ring.reserveFiles(ports.count)
        memory = PageRegion(byteCount: Self.bufferCount * Self.stride)
        buffers = try unsafe BufferRing(
            ring: ring, groupID: 1, count: Self.bufferCount, base: memory.base,
            slotStride: Self.stride, headroom: 64, bufferLength: Self.bufferLength)
        sender = BatchSender(ring: ring, count: Self.bufferCount + Self.batch)
        responder = Responder(plan.hosts, ports: ports.count, reflects: plan.reflects)
        unsafe completions = .allocate(capacity: Self.batch)
        let (ring, buffers) = (ring, buffers)
        self.ports = ports.enumerated().map {
            AnswerPort($1, number: $0, ring: ring, buffers: buffers)
        }
        announcing = Pacer(
            start: 0, packetsPerSecond: nil, duration: nil, limit: 0, burst: 1)
        moving = announcing
        chance = plan.seed
        totals.hosts = plan.hosts.count
    }

    func close() {
        buffers.close()
        ring.close()
        sender.close()
        for port in ports { port.receiver.close() }
        responder.deallocate()
        unsafe completions.deallocate()
    }

    mutating func start(at time: UInt64) {
        if let rate = plan.announceRate {
            announcing = Pacer(
                start: time, packetsPerSecond: rate, duration: nil,
                limit: UInt64(plan.hosts.count), burst: 1)
        }
        if let rate = plan.moveRate, ports.count > 1 {
            // Hosts that nobody knows cannot be missed: moves begin after the announcements.
            let delay = plan.announceRate.map { Double(plan.hosts.count) / $0 * 1e9 } ?? 0
            moving = Pacer(
                start: time + UInt64(delay), packetsPerSecond: rate, duration: nil, limit: nil,
                burst: 1)
        }
    }

    mutating func turn(_ now: UInt64) {
        for port in ports {
            port.receiver.armIfNeeded(on: ring)
            if port.receiver.isPaused { port.receiver.retry() }
        }
        announceDue(now)
        // A full queue gets a moment to drain.
        var wait = unheard.isEmpty ? Self.idleTime : 100_000
        for pacer in [announcing, moving] where !pacer.isOver(at: now) {
            wait = min(wait, pacer.wait(at: now))
        }
        if wait > 0 {
            ring.submit(waitFor: 1, timeoutNanoseconds: Int64(wait))
        } else {
            ring.submit()
        }
        reap()
    }

    /// Takes what is on its way, for a bounded time.
    mutating func finish() -> AnswerTotals {
        for _ in 0..<100 where sender.inFlight > 0 {
            ring.submit(waitFor: 1, timeoutNanoseconds: 5_000_000)
            reap()
        }
        return totals
    }

    private mutating func reap() {
        let count = unsafe ring.reap(into: completions, limit: Self.batch)
        for index in 0..<count {
            let completion = unsafe completions[index]
            if let note = sender.finish(completion), completion.userData >= Self.sendTag {
                noteSent(completion.result, note)
                continue
            }
            for (number, port) in ports.enumerated()
            where completion.userData == port.receiver.userData {
                port.receiver.accept(completion)
                take(completion, port, number)
            }
        }
        buffers.publish()
    }

    private mutating func noteSent(_ result: Int32, _ note: UInt64) {
        if result >= 0 { totals.sent += 1 } else { totals.refused += 1 }
        guard note & Self.announcement != 0 else { return buffers.recycle(Int(note)) }
        // EAGAIN and ENOBUFS: the queue is full.
        if result == -11 || result == -105 {
            unheard.append(Int(note & ~Self.announcement))
            totals.announced -= 1
        }
    }

    // MARK: Answers

    private mutating func take(_ completion: Completion, _ port: AnswerPort, _ number: Int) {
        guard completion.hasBuffer else { return }
        totals.received += 1
        let sent: Bool
        if port.port.kind == .tap {
            guard let packet = ReceivedFrame.parse(completion, in: buffers) else {
                return ignore(completion)
            }
            let frame = unsafe FrameView(base: packet.frame, count: packet.frameLength)
            sent = answer(frame, packet.offload, port, number, completion.bufferID)
        } else {
            guard let packet = ReceivedPacket.parse(completion, in: buffers) else {
                return ignore(completion)
            }
            var frame = unsafe FrameView(base: packet.frame, count: packet.frameLength)
            var offload = packet.offload
            if let tag = packet.vlanTCI {
                // The kernel took the tag out; there is room before the frame to put it back.
                frame = unsafe FrameView(
                    base: packet.frame - EthernetHeader.tagByteCount,
                    count: packet.frameLength + EthernetHeader.tagByteCount)
                let isIn = EthernetHeader.insertTag(
                    frame, vlanIdentifier: tag & 0x0FFF, priority: UInt8(tag >> 13))
                guard isIn else { return ignore(completion) }
                if offload.needsChecksum { offload.checksumStart += 4 }
            }
            sent = answer(frame, offload, port, number, completion.bufferID)
        }
        if !sent { buffers.recycle(completion.bufferID) }
    }

    private mutating func ignore(_ completion: Completion) {
        totals.ignored += 1
        buffers.recycle(completion.bufferID)
    }

    /// Sends the answer to a frame, if there is one.
    /// - Returns: whether the buffer is on its way.
    private mutating func answer(
        _ frame: FrameView, _ offload: OffloadHeader, _ port: AnswerPort, _ number: Int,
        _ buffer: Int
    ) -> Bool {
        switch responder.answer(frame, port: number) {
        case .ignored:
            totals.ignored += 1
            return false
        case .conflict:
            totals.conflicts += 1
            return false
        case .arpReply: totals.arpReplies += 1
        case .echoReply: totals.echoReplies += 1
        case .reflected: totals.reflected += 1
        }
        guard let operation = begin(port) else {
            totals.refused += 1
            return false
        }
        // What the sender left to a device, as an unfinished checksum, is left to it again.
        operation.append(offload)
        unsafe operation.append(frame.pointer, count: frame.count)
        return sender.commit(operation, tag: Self.sendTag, note: UInt64(buffer))
    }

    private func begin(_ port: AnswerPort) -> SendOperation? {
        port.port.kind == .tap
            ? sender.beginFrame(into: port.file) : sender.beginPacket(from: port.file)
    }

    // MARK: Announcements

    private mutating func announceDue(_ now: UInt64) {
        for _ in 0..<min(unheard.count, Self.batch / 4) {
            guard announce(unheard[unheard.count - 1]) else { break }
            unheard.removeLast()
        }
        for _ in 0..<announcing.due(at: now, most: Self.batch / 4) {
            guard announce(Int(announcing.offered)) else { break }
            announcing.take(1)
        }
        for _ in 0..<moving.due(at: now, most: Self.batch / 4) {
            chance = SplitMix.mix(chance)
            let host = Int(chance % UInt64(plan.hosts.count))
            let step = 1 + Int(chance >> 40) % (ports.count - 1)
            responder.move(host, to: (responder.port(of: host) + step) % ports.count)
            guard announce(host) else { break }
            moving.take(1)
            totals.moved += 1
        }
    }

    /// False when there is no room.
    private mutating func announce(_ host: Int) -> Bool {
        let length = Responder.announcementByteCount + (plan.vlan == 0 ? 0 : 4)
        guard let operation = begin(ports[responder.port(of: host)]) else { return false }
        operation.append(OffloadHeader())
        guard let bytes = unsafe operation.appendScratch(count: length) else {
            sender.abandon(operation)
            return false
        }
        let frame = unsafe FrameView(base: bytes, count: length)
        responder.announce(host, vlan: plan.vlan, to: frame)
        guard sender.commit(operation, tag: Self.sendTag, note: Self.announcement | UInt64(host))
        else { return false }
        totals.announced += 1
        return true
    }
}
