internal import CLinux
internal import Memory
internal import Uring

/// Emulates hosts on some ports until its time is over, on the calling thread.
///
/// A question is answered from the buffer it came in, which goes back to the kernel when the answer
/// has left. What a full queue does not take is lost, as with any host, and counted.
///
/// Thread-safety: one thread, which blocks in `execute`.
public final class AnswerRun {
    private let plan: AnswerPlan
    private let ports: [FramePort]
    private static let liveInterval: UInt64 = 1_000_000_000

    /// Opens the ports.
    /// - Throws: what is missing, in one line.
    public init(_ plan: AnswerPlan) throws(GeneratorError) {
        self.plan = plan
        var ports: [FramePort] = []
        for port in plan.ports { ports.append(try RunPorts.openAnswering(port)) }
        self.ports = ports
    }

    /// - Parameters:
    ///   - isInterrupted: asked some hundred times a second.
    ///   - live: called each second with the totals so far.
    /// - Returns: the totals.
    public func execute(
        isInterrupted: () -> Bool, live: (AnswerTotals) -> Void
    ) throws(GeneratorError) -> AnswerTotals {
        var worker: AnswerWorker
        do throws(UringError) {
            worker = try AnswerWorker(plan, ports)
        } catch {
            throw GeneratorError("io_uring", error.what, remedy: error.remedy)
        }
        defer { worker.close() }
        let before = losses()
        let start = vx_monotonic_nanoseconds()
        worker.start(at: start)
        let end = plan.duration.map { start + $0 } ?? .max
        var nextLive = start + Self.liveInterval
        var now = start
        while now < end && !isInterrupted() {
            worker.turn(now)
            now = vx_monotonic_nanoseconds()
            guard now >= nextLive else { continue }
            nextLive += Self.liveInterval
            var totals = worker.totals
            totals.overruns = losses() - before
            totals.seconds = Double(now - start) / 1e9
            totals.isLive = true
            live(totals)
        }
        var totals = worker.finish()
        totals.overruns = losses() - before
        totals.seconds = Double(vx_monotonic_nanoseconds() - start) / 1e9
        return totals
    }

    private var known: [UInt64] = []

    private func losses() -> UInt64 {
        if known.isEmpty { known = ports.map { _ in 0 } }
        for (number, port) in ports.enumerated() {
            known[number] = port.losses(before: known[number])
        }
        return known.reduce(0, +)
    }
}
