internal import CLinux
internal import Memory
internal import Uring
internal import Wire

/// Plays a capture out of a device or into a tunnel, on the calling thread.
///
/// Frames are sent from where they lie in the file's memory. One that a full queue refuses is sent
/// again before all others; one that the kernel refuses for another reason is counted and left.
///
/// Thread-safety: one thread, which blocks in `execute`.
public final class ReplayRun {
    private let plan: ReplayPlan
    private let capture: Capture
    private let schedule: ReplaySchedule
    private let ports: RunPorts
    private var totals = ReplayTotals()
    private var ends = UInt64.max
    private var start: UInt64 = 0
    private var number: UInt64 = 0
    /// Frames that a full queue refused, oldest first.
    private var refused: [Int] = []
    private var stalledSince: UInt64 = 0
    private var longest: UInt64 = 0
    private let lateness: LatencyHistogram
    private let region = PageRegion(byteCount: LatencyHistogram.byteCount(streams: 1))

    private static let batch = 64
    private static let sendTag: UInt64 = 1 << 56
    private static let patience: UInt64 = 2_000_000_000
    private static let liveInterval: UInt64 = 1_000_000_000

    /// Opens the output and rewrites the frames.
    /// - Throws: what is missing, or that the capture has no frame.
    public init(_ plan: ReplayPlan, _ capture: Capture) throws(GeneratorError) {
        guard !capture.frames.isEmpty else {
            throw GeneratorError(
                "capture \(capture.path)", "it has no whole Ethernet frame",
                remedy: "capture with a longer snapshot length (`tcpdump -s 0`)")
        }
        self.plan = plan
        self.capture = capture
        schedule = ReplaySchedule(capture.frames, plan.timing, loops: plan.loops)
        lateness = LatencyHistogram(region: region, streams: 1)
        // Frames too long for a device are the kernel's to refuse; a tap of our own has room.
        let longest = capture.frames.map(\.byteCount).max() ?? 0
        var size = FrameSizes.range.lowerBound
        if case .tap = plan.output {
            size = min(max(size, longest + 4), FrameSizes.range.upperBound)
        }
        let anywhere = IPv4Prefix(address: .any, length: 32)
        guard let sizes = FrameSizes("\(size)") else { preconditionFailure("\(size) is a size") }
        let stream = StreamPlan(
            sizes: sizes, space: FlowSpace(source: anywhere, destination: anywhere, seed: 1))
        ports = try RunPorts(
            RunPlan(output: plan.output, streams: [stream], rate: .unlimited, limit: .count(1)))
        totals.frames = capture.frames.count
        totals.truncated = capture.truncated
        totals.foreign = capture.foreign
        if plan.rewriter != FrameRewriter() {
            for frame in capture.frames { plan.rewriter.rewrite(capture.view(frame)) }
        }
    }

    /// Plays to the end, or until told to stop.
    /// - Returns: the totals.
    /// - Throws: when nothing is taken for two seconds.
    public func execute(
        isInterrupted: () -> Bool, live: (ReplayTotals) -> Void
    ) throws(GeneratorError) -> ReplayTotals {
        let ring: UringInstance
        do throws(UringError) {
            ring = try UringInstance(entries: 256, completionEntries: 1024)
        } catch {
            throw GeneratorError("io_uring", error.what, remedy: error.remedy)
        }
        ring.reserveFiles(ports.tunnels.first?.count ?? 1)
        let sender = BatchSender(ring: ring, count: 256)
        let route = makeRoute(ring)
        defer {
            ring.close()
            sender.close()
            route.files.deallocate()
        }
        start = vx_monotonic_nanoseconds() + 1_000_000
        ends = plan.duration.map { start + $0 } ?? .max
        try play(ring, sender, route, isInterrupted, live)
        return summary(vx_monotonic_nanoseconds())
    }

    private func makeRoute(_ ring: UringInstance) -> SendRoute {
        if case .tunnel(let tunnel) = plan.output {
            return SendRoute(tunnel, sockets: ports.tunnels[0], ring: ring)
        }
        return SendRoute(ports.devices[0], ring: ring)
    }

    private func play(
        _ ring: UringInstance, _ sender: BatchSender, _ route: SendRoute,
        _ isInterrupted: () -> Bool, _ live: (ReplayTotals) -> Void
    ) throws(GeneratorError) {
        let completions = UnsafeMutablePointer<Completion>.allocate(capacity: 256)
        defer { unsafe completions.deallocate() }
        var lastSuccess = start
        var nextLive = start + Self.liveInterval
        while true {
            let now = vx_monotonic_nanoseconds()
            let isOver = now >= ends || isInterrupted()
            let wait = isOver ? 0 : queueDue(now, sender, route)
            if isOver || wait == nil {
                guard sender.inFlight > 0 || (!isOver && !refused.isEmpty) else { return }
            }
            let isBusy = sender.inFlight > 0
            // Answers to sends are there at once; a pause is for what lies ahead.
            let pause = isBusy ? 1_000_000 : Int64(min(max(wait ?? 20_000, 20_000), 10_000_000))
            if isBusy || wait != 0 {
                ring.submit(waitFor: 1, timeoutNanoseconds: pause)
            } else {
                ring.submit()
            }
            let count = unsafe ring.reap(into: completions, limit: 256)
            let then = vx_monotonic_nanoseconds()
            for index in 0..<count {
                let completion = unsafe completions[index]
                guard let note = sender.finish(completion) else { continue }
                if noteAnswer(completion.result, Int(note), then) { lastSuccess = then }
            }
            if !refused.isEmpty {
                guard then - max(lastSuccess, start) < Self.patience else {
                    throw GeneratorError(
                        ports.place, "the device has taken no frame for 2 seconds",
                        remedy: "see that it has a carrier and that its queue drains")
                }
                vx_sleep_microseconds(20)
            }
            if then >= nextLive {
                nextLive += Self.liveInterval
                var totals = summary(then)
                totals.isLive = true
                live(totals)
            }
        }
    }

    /// Queues what is due.
    /// - Returns: nanoseconds until the next frame; nil when there is none.
    private func queueDue(_ now: UInt64, _ sender: BatchSender, _ route: SendRoute) -> UInt64? {
        var room = Self.batch
        while room > 0, let index = refused.first {
            guard queue(index, sender, route) else { return 0 }
            refused.removeFirst()
            room -= 1
        }
        while let next = schedule.frame(number) {
            let moment = start + next.moment
            guard moment <= now else { return moment - now }
            guard room > 0, queue(next.index, sender, route) else { return 0 }
            let late = now - moment
            if case .rate(.unlimited) = plan.timing {
            } else {
                lateness.record(late, stream: 0)
                longest = max(longest, late)
            }
            number += 1
            room -= 1
        }
        return nil
    }

    /// False when there is no room.
    private func queue(_ index: Int, _ sender: BatchSender, _ route: SendRoute) -> Bool {
        let frame = capture.view(capture.frames[index])
        let begun: SendOperation?
        switch route.kind {
        case .messages: begun = sender.beginPacket(from: route.files[0])
        case .tap: begun = sender.beginFrame(into: route.files[0])
        case .tunnel:
            // A conversation keeps its outer source port, in both directions (RFC 7348 section 5).
            let file = Int(symmetricHash(frame) % UInt32(route.files.count))
            begun = sender.beginDatagram(
                from: route.files[file], to: route.address, port: route.port)
        }
        guard let operation = begun else { return false }
        if route.isTunnel {
            guard let bytes = unsafe operation.appendScratch(count: VXLANHeader.byteCount) else {
                sender.abandon(operation)
                return false
            }
            let header = unsafe FrameView(base: bytes, count: VXLANHeader.byteCount)
            VXLANHeader(frame: header, at: 0).emit(vni: plan.vni)
        } else {
            operation.append(OffloadHeader())
        }
        unsafe operation.append(frame.pointer, count: frame.count)
        return sender.commit(operation, tag: Self.sendTag, note: UInt64(index))
    }

    /// Over MAC addresses, which every frame has.
    private func symmetricHash(_ frame: FrameView) -> UInt32 {
        let ethernet = EthernetHeader(frame: frame, at: 0)
        return UInt32(
            truncatingIfNeeded: SplitMix.mix(ethernet.source.bits ^ ethernet.destination.bits))
    }

    /// True when the frame has left.
    private func noteAnswer(_ result: Int32, _ index: Int, _ now: UInt64) -> Bool {
        if result >= 0 {
            totals.sent += 1
            totals.bytes += UInt64(capture.frames[index].byteCount + FrameWriter.checkByteCount)
            endStall(now)
            return true
        }
        // EAGAIN and ENOBUFS: the queue is full.
        if result == -11 || result == -105 {
            refused.append(index)
            if stalledSince == 0 { stalledSince = now }
        } else {
            totals.refused += 1
            totals.refusal = -result
        }
        return false
    }

    private func endStall(_ now: UInt64) {
        guard stalledSince != 0 else { return }
        totals.stalledSeconds += Double(now - stalledSince) / 1e9
        stalledSince = 0
    }

    private func summary(_ now: UInt64) -> ReplayTotals {
        var totals = totals
        totals.seconds = Double(now - min(start, now)) / 1e9
        totals.loops = number / UInt64(capture.frames.count)
        totals.lateness = lateness.percentiles(longest: longest)
        return totals
    }
}
