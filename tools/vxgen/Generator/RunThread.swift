internal import CLinux
internal import Dispatch
internal import Synchronization
internal import Uring

/// A thread of a run: a serial Dispatch queue without a target, which has a thread to itself.
///
/// The work on it makes no other thread, which would inherit its CPU.
final class RunThread: Sendable {
    private let queue: DispatchQueue
    private let name: String
    private let cpu: Int?
    private let finished = DispatchGroup()

    /// - Parameter cpu: where it runs; nil is anywhere.
    init(name: String, cpu: Int?) {
        self.name = name
        self.cpu = cpu
        queue = DispatchQueue(label: name, qos: .userInteractive)
    }

    /// Starts a worker and waits until it is made.
    /// - Parameters:
    ///   - make: makes it, on the thread.
    ///   - work: runs and ends it, on the thread.
    /// - Throws: what `make` threw.
    func start<Worker>(
        making make: @escaping @Sendable () throws(UringError) -> Worker,
        then work: @escaping @Sendable (consuming Worker) -> Void
    ) throws(UringError) {
        let outcome = StartOutcome()
        finished.enter()
        queue.async { [self] in
            if let cpu { _ = vx_pin_thread(Int32(cpu)) }
            _ = unsafe vx_set_thread_name(name)
            do throws(UringError) {
                let worker = try make()
                outcome.report(nil)
                work(worker)
            } catch {
                outcome.report(error)
            }
            if cpu != nil { _ = vx_unpin_thread() }
            finished.leave()
        }
        if let error = outcome.wait() { throw error }
    }

    /// Waits for the end of the work.
    func join() { finished.wait() }

    /// CPUs this process may use, lowest first.
    static func availableCPUs() -> [Int] {
        var cpus = [Int32](repeating: 0, count: 1024)
        let capacity = Int32(cpus.count)
        let count = unsafe cpus.withUnsafeMutableBufferPointer { cpus -> Int32 in
            guard let base = cpus.baseAddress else { return 0 }
            return unsafe vx_available_cpus(base, capacity)
        }
        return cpus.prefix(Int(max(0, count))).map { Int($0) }
    }
}

/// One message from a thread that starts to the one that waits for it.
private final class StartOutcome: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let error = Mutex<UringError?>(nil)

    func report(_ value: UringError?) {
        error.withLock { $0 = value }
        semaphore.signal()
    }

    func wait() -> UringError? {
        semaphore.wait()
        return error.withLock { $0 }
    }
}
