internal import CLinux
internal import Synchronization
internal import Uring
internal import Wire

/// One run, from the opened sockets to the totals: leads the threads and reads their counters.
///
/// Thread-safety: one thread, which blocks in `execute`.
public final class GeneratorRun {
    let plan: RunPlan
    let ports: RunPorts
    private let magic: UInt32
    let senders: [SendLink]
    let receivers: [ReceiveLink]
    private var threads: [RunThread] = []
    private var receiveThreads: [RunThread] = []
    /// Frames each receiving socket has lost, and all of them before the run.
    var overruns: [UInt64]
    var overrunsBefore: UInt64 = 0
    var startTime: UInt64 = 0
    /// What the last live line said, and when.
    var previous: (totals: RunTotals, time: UInt64)?

    /// Nothing more came for so long: nothing is on its way any more.
    private static let quietTime: UInt64 = 200_000_000
    /// What has not come so long after the end is lost.
    private static let stragglerTime: UInt64 = 1_000_000_000
    private static let liveInterval: UInt64 = 1_000_000_000

    /// Opens and checks everything the run needs.
    /// - Throws: what is missing or does not fit, in one line.
    public convenience init(_ asked: RunPlan) throws(GeneratorError) {
        let plan = Self.possible(asked)
        self.init(plan, try RunPorts(plan))
    }

    /// The same through sockets that are open already.
    /// - Parameters:
    ///   - plan: one that differs from that of the ports in its sizes, rate and limit at most.
    ///   - ports: of no other run at the same time.
    public init(_ asked: RunPlan, _ ports: RunPorts) {
        let plan = Self.possible(asked)
        self.plan = plan
        self.ports = ports
        magic = Stamp.magic(of: vx_monotonic_nanoseconds() ^ UInt64(vx_thread_id()) << 40)
        senders = (0..<plan.workers).map { _ in SendLink(streams: plan.streams.count) }
        receivers = ports.receiving.map { _ in ReceiveLink(streams: plan.streams.count) }
        overruns = Array(repeating: 0, count: receivers.count)
    }

    /// A flow belongs to one thread, and every thread has flows of every stream, so that together
    /// they keep the weights.
    public static func possible(_ plan: RunPlan) -> RunPlan {
        var plan = plan
        plan.workers = min(plan.workers, plan.streams.map(\.flows).min() ?? 1)
        return plan
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
        // What the sockets lost before is no fault of this run.
        overruns = ports.receiving.map { $0.losses(before: 0) }
        overrunsBefore = overruns.reduce(0, +)
        startTime = vx_monotonic_nanoseconds() + 2_000_000 + plan.warmUp
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
        for (number, port) in ports.receiving.enumerated() {
            let thread = RunThread(
                name: "vxgen-receive-\(number)", cpu: cpu(plan.workers + number))
            let link = receivers[number]
            try start(thread) { [magic, plan] () throws(UringError) in
                try ReceiveWorker(
                    port,
                    observer: Observer(
                        magic: magic, streams: plan.streams, tally: link.tally,
                        histogram: link.histogram))
            } then: { worker in
                worker.run(link)
                worker.close()
            }
            receiveThreads.append(thread)
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
        for link in receivers { link.shouldStop.store(true, ordering: .relaxed) }
        for thread in receiveThreads { thread.join() }
        receiveThreads = []
    }

    private func waitForStragglers() {
        guard !receiveThreads.isEmpty else { return }
        let end = vx_monotonic_nanoseconds() + Self.stragglerTime
        func arrived() -> UInt64 { receivers.reduce(0) { $0 + $1.tally.sum(.receivedPackets) } }
        var seen = arrived()
        var quietSince = vx_monotonic_nanoseconds()
        while true {
            vx_sleep_microseconds(5000)
            let now = vx_monotonic_nanoseconds()
            let count = arrived()
            if count != seen {
                seen = count
                quietSince = now
            }
            if now >= end || now - quietSince >= Self.quietTime { return }
        }
    }
}
