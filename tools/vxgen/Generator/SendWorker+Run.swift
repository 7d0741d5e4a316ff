internal import CLinux
internal import Glibc
internal import Memory
internal import Synchronization
internal import Uring
internal import Wire

extension SendWorker {
    /// What a sending thread needs to make its worker.
    struct Plan: Sendable {
        /// Of the run's workers, this one.
        let number: Int
        let run: RunPlan
        let magic: UInt32
        /// One of the two is there, as the run's output is.
        let device: FramePort?
        let tunnel: [DatagramSocket]
        let place: String
    }

    /// Makes ring, arena and flows. On the worker's own thread, to which the ring belongs.
    init(_ plan: Plan, tally: Tally) throws(UringError) {
        let run = plan.run
        ring = try UringInstance(entries: 512, completionEntries: 2048)
        ring.reserveFiles(plan.tunnel.count + 1)
        sender = BatchSender(ring: ring, count: Self.tunnelBatch, largeCount: 8)
        if let device = plan.device {
            route = SendRoute(device, ring: ring)
        } else if case .tunnel(let tunnel) = run.output {
            route = SendRoute(tunnel, sockets: plan.tunnel, ring: ring)
        } else {
            preconditionFailure("a run has an output")
        }
        writer = FrameWriter(streams: run.streams, magic: plan.magic)
        let share = Share(plan, files: route.files.count, writer: writer)
        flows = Column(share.flows, default: Flow(0, in: run.streams[0].space))
        cursors = Column(share.cursors, default: share.cursors[0])
        fileStride = route.files.count
        nextFlows = Column(count: share.cursors.count * fileStride, repeating: 0)
        for place in 0..<nextFlows.count { nextFlows[place] = place % fileStride }
        let schedule = StreamSchedule(
            weights: run.streams.map(\.weight),
            longest: route.isSegmented ? Self.maximumSegments : 1)
        turns = Column(schedule.turns, default: schedule.turns[0])
        self.tally = tally
        unsafe completions = .allocate(capacity: Self.tunnelBatch)
        pacer = Pacer(
            start: 0, packetsPerSecond: nil, duration: nil, limit: nil, burst: 1)
    }

    /// The flows of one worker, dealt out one by one.
    private struct Share {
        var flows: [Flow] = []
        var cursors: [StreamCursor] = []

        init(_ plan: Plan, files: Int, writer: FrameWriter) {
            let workers = plan.run.workers
            var base = 0
            for (number, stream) in plan.run.streams.enumerated() {
                let own = (stream.flows - plan.number + workers - 1) / workers
                let steps = writer.steps(of: number)
                cursors.append(
                    StreamCursor(
                        firstFlow: flows.count, flowCount: own,
                        firstNumber: UInt32(base + plan.number), numberStride: UInt32(workers),
                        firstStep: steps.lowerBound, stepCount: steps.count,
                        fileCount: min(files, own)))
                for index in 0..<own {
                    flows.append(Flow(UInt32(plan.number + index * workers), in: stream.space))
                }
                base += stream.flows
            }
        }
    }

    /// Waits for the moment to begin, sends, and tells when the last frame had left.
    mutating func run(_ link: SendLink, _ plan: Plan) {
        sharpenTimers()
        var start: UInt64 = 0
        while start == 0 {
            if link.shouldStop.load(ordering: .relaxed) { return }
            start = link.startTime.load(ordering: .acquiring)
            if start == 0 { vx_sleep_microseconds(100) }
        }
        if plan.run.warmUp > 0 { warmUp(until: start, link, plan) }
        pacer = makePacer(start, plan, plan.run.limit)
        while !hasGivenUp && turn() {
            if link.shouldStop.load(ordering: .relaxed) { break }
        }
        settle()
        let now = vx_monotonic_nanoseconds()
        endStall(now)
        if hasGivenUp { link.failure = explainSilence(plan) }
        // The interval of a paced frame belongs to the run, so that N frames take N intervals.
        let isStopped = link.shouldStop.load(ordering: .relaxed)
        let end = isStopped ? now : max(now, pacer.scheduledEnd)
        link.asked.store(pacer.asked(at: now), ordering: .relaxed)
        link.endTime.store(end, ordering: .releasing)
    }

    /// Sends frames at the rate of the run that nobody counts, until `start`.
    private mutating func warmUp(until start: UInt64, _ link: SendLink, _ plan: Plan) {
        isCounting = false
        writer.magic = Stamp.warmUpMagic
        let length = RunDuration(nanoseconds: plan.run.warmUp)
        pacer = makePacer(start - plan.run.warmUp, plan, .duration(length))
        while !hasGivenUp && vx_monotonic_nanoseconds() < start && turn() {
            if link.shouldStop.load(ordering: .relaxed) { break }
        }
        settle()
        endStall(0)
        isCounting = true
        writer.magic = plan.magic
        for index in 0..<flows.count {
            var flow = flows[index]
            flow.sequence = 0
            flows[index] = flow
        }
    }

    /// This worker's share of the rate and of the count. The workers' schedules are shifted
    /// against each other so that together they keep the run's.
    private func makePacer(
        _ start: UInt64, _ plan: Plan, _ runLimit: RunPlan.Limit
    ) -> Pacer {
        let run = plan.run
        let workers = run.workers
        let rate = run.packetsPerSecond.map { $0 / Double(workers) }
        let shift =
            run.packetsPerSecond.map {
                UInt64(Double(plan.number * run.burst) / $0 * 1e9)
            } ?? 0
        var duration: UInt64?
        var limit: UInt64?
        switch runLimit {
        case .duration(let length): duration = length.nanoseconds
        case .count(let count):
            let own = count / UInt64(workers)
            limit = own + (UInt64(plan.number) < count % UInt64(workers) ? 1 : 0)
        }
        return Pacer(
            start: start + shift, packetsPerSecond: rate, duration: duration, limit: limit,
            burst: run.burst)
    }

    /// Waits for the last answers; a bounded number of times.
    private mutating func settle() {
        for _ in 0..<100 where sender.inFlight > 0 {
            ring.submit(waitFor: 1, timeoutNanoseconds: 10_000_000)
            reap(vx_monotonic_nanoseconds())
        }
    }

    /// Timers of this thread end within a microsecond instead of 50 after their time. Where the
    /// kernel refuses, pacing is a little less even.
    private func sharpenTimers() {
        let file = unsafe fopen("/proc/\(vx_thread_id())/timerslack_ns", "we")
        guard let file = unsafe file else { return }
        unsafe fputs("1000", file)
        unsafe fclose(file)
    }

    private func explainSilence(_ plan: Plan) -> GeneratorError {
        guard lastError != 0, let text = unsafe strerror(lastError) else {
            return GeneratorError(
                plan.place, "the device has taken no frame for 2 seconds",
                remedy: "see that it has a carrier and that its queue drains")
        }
        let word = unsafe String(cString: text)
        return GeneratorError(
            plan.place, "the kernel refuses every frame: \(word)",
            remedy: "see that the device is up and that there is a route to the destination")
    }
}
