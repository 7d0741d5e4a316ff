internal import CLinux
internal import Dataplane
internal import Dispatch
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring

/// The thread of one worker: a serial Dispatch queue of its own, pinned to a CPU.
///
/// A queue without a target has a thread to itself, whatever the global pool does. The block on it
/// calls nothing that could make another thread, which would inherit the CPU.
final class WorkerThread: Sendable {
    let link: WorkerLink
    let cpu: Int
    private let queue: DispatchQueue
    private let finished = DispatchGroup()

    /// What a worker needs to make itself on its thread.
    struct Plan: Sendable {
        let underlay: UnderlayPlan
        let snapshot: Snapshot
        let policers: Column<UInt64>
    }

    init(link: WorkerLink, cpu: Int) {
        self.link = link
        self.cpu = cpu
        queue = DispatchQueue(label: "vxgate-worker-\(link.number)", qos: .userInteractive)
    }

    /// Starts the worker and waits until it has made its ring.
    /// - Throws: what the kernel refused.
    func start(_ plan: Plan) throws(GatewayError) {
        let outcome = StartOutcome()
        finished.enter()
        queue.async { [self] in
            _ = vx_pin_thread(Int32(cpu))
            _ = vx_wait_precisely()
            serve(plan, outcome)
            _ = vx_unpin_thread()
            finished.leave()
        }
        if let error = outcome.wait() { throw error }
    }

    func stop() {
        link.shouldStop.store(true, ordering: .releasing)
        link.wake()
        finished.wait()
    }

    private func serve(_ plan: Plan, _ outcome: StartOutcome) {
        do {
            let worker = try Worker(link: link, plan: plan)
            outcome.report(nil)
            worker.run(link)
            worker.close()
        } catch {
            outcome.report(error)
        }
    }
}

/// One message from a thread that starts to the one that waits for it.
private final class StartOutcome: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let error = Mutex<GatewayError?>(nil)

    func report(_ value: GatewayError?) {
        error.withLock { $0 = value }
        semaphore.signal()
    }

    func wait() -> GatewayError? {
        semaphore.wait()
        return error.withLock { $0 }
    }
}
