import Dispatch
import Glibc
import Synchronization

/// Takes frames from a socket of this process as they come, and remembers when.
final class FrameSink: Sendable {
    private let descriptor: Int32
    private let shouldStop = Atomic<Bool>(false)
    private let finished = DispatchGroup()
    private let arrived = Mutex<[(frame: [UInt8], time: UInt64)]>([])

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        finished.enter()
        DispatchQueue(label: "frame-sink").async { [self] in
            take()
            finished.leave()
        }
    }

    /// What has come, without offload headers, after what waits has been taken.
    func stop() -> [(frame: [UInt8], time: UInt64)] {
        shouldStop.store(true, ordering: .relaxed)
        finished.wait()
        return arrived.withLock { $0 }
    }

    private func take() {
        var buffer = [UInt8](repeating: 0, count: 70_000)
        while true {
            let isLast = shouldStop.load(ordering: .relaxed)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 10 else {
                if isLast { return }
                usleep(100)
                continue
            }
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            let now = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
            arrived.withLock { $0.append((Array(buffer[10..<count]), now)) }
        }
    }
}
