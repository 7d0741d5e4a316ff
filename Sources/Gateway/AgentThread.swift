internal import CLinux
internal import Control
internal import Dispatch
import Glibc
internal import Synchronization
internal import Uring

/// The thread on which everything happens that is not packets: learning, ageing, devices,
/// operators.
///
/// It sleeps until a worker, an operator or the kernel wakes it, and looks at its tables a few
/// times a second while there is something to age.
///
/// Thread-safety: `perform` and `stop` from anywhere; `GatewayCore` is touched by this thread
/// alone.
final class AgentThread: Sendable {
    typealias Job = @Sendable (GatewayCore) -> Void

    private let queue = DispatchQueue(label: "vxgate-agent", qos: .userInitiated)
    private let jobs = Mutex<[Job]>([])
    private let shouldStop = Atomic<Bool>(false)
    private let finished = DispatchGroup()
    /// Written by whoever wants the agent's attention.
    let wakeDescriptor: OwnedDescriptor

    /// While there are entries to age.
    private static let busyMilliseconds: Int32 = 250

    init() throws(GatewayError) {
        let descriptor = vx_eventfd()
        guard descriptor >= 0 else {
            throw GatewayError("no eventfd for the agent: raise the limit of open files")
        }
        wakeDescriptor = OwnedDescriptor(descriptor)
    }

    /// Begins to serve `core`, which the caller gives up.
    func start(_ core: sending GatewayCore) {
        finished.enter()
        let box = Handover(core)
        queue.async { [self] in
            run(box.take())
            finished.leave()
        }
    }

    func stop() {
        shouldStop.store(true, ordering: .releasing)
        _ = vx_eventfd_signal(wakeDescriptor.number)
        finished.wait()
    }

    /// Runs `body` on the thread and gives its result.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (GatewayCore) throws(ControlError) -> Value
    ) async throws(ControlError) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, ControlError>, Never>) in
            submit { core in
                do throws(ControlError) {
                    continuation.resume(returning: .success(try body(core)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Runs `body` on the thread and gives what it completes with, once, now or in a later turn.
    func performLater<Value: Sendable>(
        _ body:
            @escaping @Sendable (GatewayCore, @escaping (Result<Value, ControlError>) -> Void) ->
            Void
    ) async -> Result<Value, ControlError> {
        await withCheckedContinuation { continuation in
            submit { core in body(core) { continuation.resume(returning: $0) } }
        }
    }

    /// Runs `job` on the thread, later.
    func submit(_ job: @escaping Job) {
        jobs.withLock { $0.append(job) }
        _ = vx_eventfd_signal(wakeDescriptor.number)
    }

    private func run(_ core: GatewayCore) {
        while !shouldStop.load(ordering: .acquiring) {
            wait(core)
            core.turn()
            let waiting = jobs.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            guard !waiting.isEmpty else { continue }
            core.beginTurn()
            for job in waiting { job(core) }
            core.sendOrders()
        }
        core.close()
        // Nobody waits for ever: what came last is still answered.
        for job in jobs.withLock({ $0 }) { job(core) }
    }

    private func wait(_ core: GatewayCore) {
        var watched = [
            pollfd(fd: wakeDescriptor.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: core.linkDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        let timeout = core.hasMoreFrames ? 0 : core.waitMilliseconds(atMost: Self.busyMilliseconds)
        core.hasMoreFrames = false
        _ = unsafe poll(&watched, nfds_t(watched.count), timeout)
        _ = vx_eventfd_drain(wakeDescriptor.number)
    }
}

/// Moves a value that is not Sendable to the thread that will own it.
private final class Handover: @unchecked Sendable {
    private var core: GatewayCore?

    init(_ core: GatewayCore) { self.core = core }

    func take() -> GatewayCore {
        defer { core = nil }
        return core!
    }
}
