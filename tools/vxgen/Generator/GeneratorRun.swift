internal import CLinux
internal import Synchronization
internal import Uring
internal import Wire

/// One run, from the opened sockets to the totals: leads the threads and reads their counters.
///
/// Thread-safety: one thread, which blocks in `execute`.
public final class GeneratorRun {
    private let plan: RunPlan
    private let ports: RunPorts
    private let magic: UInt32
    private let senders: [SendLink]
    private let receiver = ReceiveLink()
    private var threads: [RunThread] = []
    private var receiveThread: RunThread?
    private var overruns: UInt64 = 0
    private var startTime: UInt64 = 0
    /// What the last live line said, and when.
    private var previous: (totals: RunTotals, time: UInt64)?

    /// Nothing more came for so long: nothing is on its way any more.
    private static let quietTime: UInt64 = 200_000_000
    /// What has not come so long after the end is lost.
    private static let stragglerTime: UInt64 = 1_000_000_000
    private static let liveInterval: UInt64 = 1_000_000_000

    /// Opens and checks everything the run needs.
    /// - Throws: what is missing or does not fit, in one line.
    public init(_ asked: RunPlan) throws(GeneratorError) {
        var plan = asked
        plan.workers = min(plan.workers, plan.flows)
        self.plan = plan
        ports = try RunPorts(plan)
        magic = Stamp.magic(of: vx_monotonic_nanoseconds() ^ UInt64(vx_thread_id()) << 40)
        senders = (0..<plan.workers).map { _ in SendLink() }
    }

    /// Runs to the end, or until told to stop.
    /// - Parameters:
    ///   - isInterrupted: asked some hundred times a second.
    ///   - live: called each second with the totals so far.
    /// - Returns: the totals.
    /// - Throws: when a thread cannot start, or the output takes nothing any more.
    public func execute(
        isInterrupted: () -> Bool, live: (RunTotals) -> Void
    ) throws(GeneratorError) -> RunTotals {
        defer { stop() }
        try start()
        if plan.learns { try ports.teach(plan) }
        startTime = vx_monotonic_nanoseconds() + 2_000_000
        for link in senders { link.startTime.store(startTime, ordering: .releasing) }
        var nextLive = startTime + Self.liveInterval
        while !senders.allSatisfy({ $0.endTime.load(ordering: .acquiring) != 0 }) {
            vx_sleep_microseconds(2000)
            if isInterrupted() {
                for link in senders { link.shouldStop.store(true, ordering: .relaxed) }
            }
            let now = vx_monotonic_nanoseconds()
            guard now >= nextLive else { continue }
            nextLive += Self.liveInterval
            live(liveTotals(now))
        }
        for link in senders {
            if let failure = link.failure { throw failure }
        }
        waitForStragglers()
        stop()
        return finalTotals()
    }

    private func start() throws(GeneratorError) {
        // No CPU for the receiver where there is only one: it would wait for the sender.
        let cpus = plan.isPinned ? RunThread.availableCPUs() : []
        func cpu(_ index: Int) -> Int? { cpus.isEmpty ? nil : cpus[index % cpus.count] }
        if let socket = ports.receiving {
            let thread = RunThread(name: "vxgen-receive", cpu: cpu(plan.workers))
            try start(thread) { [receiver, magic, plan] () throws(UringError) in
                try ReceiveWorker(
                    socket,
                    observer: Observer(
                        magic: magic, streams: plan.flows, tally: receiver.tally,
                        histogram: receiver.histogram))
            } then: { [receiver] worker in
                worker.run(receiver)
                worker.close()
            }
            receiveThread = thread
        }
        for (number, link) in senders.enumerated() {
            let work = SendWorker.Plan(
                number: number, run: plan, magic: magic,
                device: ports.devices.isEmpty ? nil : ports.devices[number],
                tunnel: ports.tunnels.isEmpty ? [] : ports.tunnels[number], place: ports.place)
            let thread = RunThread(name: "vxgen-send-\(number)", cpu: cpu(number))
            try start(thread) { () throws(UringError) in
                try SendWorker(work, tally: link.tally)
            } then: { worker in
                var worker = worker
                worker.run(link, work)
                worker.close()
            }
            threads.append(thread)
        }
    }

    private func start<Worker>(
        _ thread: RunThread, making make: @escaping @Sendable () throws(UringError) -> Worker,
        then work: @escaping @Sendable (consuming Worker) -> Void
    ) throws(GeneratorError) {
        do throws(UringError) {
            try thread.start(making: make, then: work)
        } catch {
            throw GeneratorError("io_uring", error.what, remedy: error.remedy)
        }
    }

    /// Ends all threads that run; does no harm when none does.
    private func stop() {
        for link in senders { link.shouldStop.store(true, ordering: .relaxed) }
        for thread in threads { thread.join() }
        threads = []
        receiver.shouldStop.store(true, ordering: .relaxed)
        receiveThread?.join()
        receiveThread = nil
    }

    private func waitForStragglers() {
        guard receiveThread != nil else { return }
        let end = vx_monotonic_nanoseconds() + Self.stragglerTime
        var seen = receiver.tally[.receivedPackets]
        var quietSince = vx_monotonic_nanoseconds()
        while true {
            vx_sleep_microseconds(5000)
            let now = vx_monotonic_nanoseconds()
            let count = receiver.tally[.receivedPackets]
            if count != seen {
                seen = count
                quietSince = now
            }
            if now >= end || now - quietSince >= Self.quietTime { return }
        }
    }

    // MARK: Totals

    private func liveTotals(_ now: UInt64) -> RunTotals {
        var totals = sums(elapsed: now - startTime)
        totals.isLive = true
        let before = previous?.totals ?? RunTotals()
        let interval = Double(now - (previous?.time ?? startTime)) / 1e9
        func rate(_ now: UInt64, _ before: UInt64) -> Double {
            interval > 0 ? Double(now - min(before, now)) / interval : 0
        }
        totals.sent.packetsPerSecond = rate(totals.sent.packets, before.sent.packets)
        totals.received.packetsPerSecond = rate(totals.received.packets, before.received.packets)
        previous = (totals, now)
        return totals
    }

    private func finalTotals() -> RunTotals {
        let end = senders.map { $0.endTime.load(ordering: .acquiring) }.max() ?? startTime
        return sums(elapsed: end - min(startTime, end))
    }

    private func sums(elapsed: UInt64) -> RunTotals {
        var totals = RunTotals()
        func sum(_ entry: Tally.Entry) -> UInt64 { senders.reduce(0) { $0 + $1.tally[entry] } }
        let seconds = Double(elapsed) / 1e9
        func rate(_ packets: UInt64) -> Double { seconds > 0 ? Double(packets) / seconds : 0 }
        totals.seconds = seconds
        totals.sent.packets = sum(.sentPackets)
        totals.sent.bytes = sum(.sentBytes)
        totals.sent.packetsPerSecond = rate(totals.sent.packets)
        totals.askedPacketsPerSecond = plan.packetsPerSecond
        totals.achievedPacketsPerSecond = totals.sent.packetsPerSecond
        totals.stalledSeconds = Double(sum(.stalled)) / 1e9
        guard let socket = ports.receiving else { return totals }
        totals.isReceiving = true
        totals.received.packets = receiver.tally[.receivedPackets]
        totals.received.bytes = receiver.tally[.receivedBytes]
        // What drains out of queues after the last frame was sent takes its time too.
        let last = receiver.tally[.lastReceived]
        let receiving = Double(max(elapsed, last - min(startTime, last))) / 1e9
        totals.received.packetsPerSecond =
            receiving > 0 ? Double(totals.received.packets) / receiving : 0
        totals.reordered = receiver.tally[.reordered]
        totals.duplicated = receiver.tally[.duplicated]
        totals.corrupted = receiver.tally[.corrupted]
        overruns += socket.takeLosses()
        totals.overruns = overruns
        totals.latency = receiver.histogram.percentiles(longest: receiver.tally[.longest])
        return totals
    }
}
