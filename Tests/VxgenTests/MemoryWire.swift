import Dispatch
import Glibc
import Synchronization

/// A wire inside this process, of two pairs of sockets and a thread between them: it treats frames
/// as it is told and counts what it did, frame by frame.
final class MemoryWire: Sendable {
    enum Behaviour: Sendable {
        case perfect
        /// Of a hundred frames one on average, by chance.
        case drop, duplicate, reorder
        /// Drops every tenth frame to this UDP port.
        case dropTenth(ofPort: UInt16)
        /// Takes so many frames a second and no more.
        case slow(Double)
        /// Passes frames so many nanoseconds after they came.
        case delay(UInt64)
    }

    struct Counts: Sendable, Equatable {
        var arrived: UInt64 = 0
        var dropped: UInt64 = 0
        var duplicated: UInt64 = 0
        var overtaken: UInt64 = 0
        /// Frames never let go because the run ended before.
        var held: UInt64 = 0
    }

    /// What the generator writes to and reads from.
    let input: Int32
    let output: Int32
    private let near: Int32
    private let far: Int32
    private let behaviour: Behaviour
    private let shouldStop = Atomic<Bool>(false)
    private let finished = DispatchGroup()
    private let result = Mutex(Counts())

    init(_ behaviour: Behaviour, bufferBytes: Int32 = 4 << 20) throws {
        self.behaviour = behaviour
        (input, near) = try Self.pair(bufferBytes)
        (far, output) = try Self.pair(bufferBytes)
        finished.enter()
        DispatchQueue(label: "memory-wire").async { [self] in
            let counts = carry()
            result.withLock { $0 = counts }
            finished.leave()
        }
    }

    deinit { for descriptor in [input, near, far, output] { close(descriptor) } }

    /// Ends the wire: what it did.
    func stop() -> Counts {
        shouldStop.store(true, ordering: .relaxed)
        finished.wait()
        return result.withLock { $0 }
    }

    /// Two ends with boundaries between frames; whoever asks closes them.
    static func pair(_ bufferBytes: Int32) throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw Lab.Obstacle(text: "socketpair: \(errno)")
        }
        for end in ends {
            var size = bufferBytes
            // Beyond the system's limit where the process may.
            if unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUFFORCE, &size, 4) != 0 {
                unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, 4)
            }
        }
        return (ends[0], ends[1])
    }

    private func carry() -> Counts {
        var counts = Counts()
        var chance = Chance(seed: 7)
        var buffer = [UInt8](repeating: 0, count: 70_000)
        var waiting: [(frame: [UInt8], moment: UInt64)] = []
        var ofPort = 0
        let start = Self.now()
        while !shouldStop.load(ordering: .relaxed) {
            if case .delay = behaviour {
                while let first = waiting.first, first.moment <= Self.now() {
                    pass(waiting.removeFirst().frame)
                }
            }
            if case .slow(let rate) = behaviour,
                Double(counts.arrived) >= Double(Self.now() - start) * rate / 1e9
            {
                usleep(100)
                continue
            }
            let count = unsafe recv(near, &buffer, buffer.count, 0)
            guard count > 0 else {
                usleep(50)
                continue
            }
            counts.arrived += 1
            let frame = Array(buffer[0..<count])
            let isHit = chance.next() % 100 == 0
            switch behaviour {
            case .drop where isHit: counts.dropped += 1
            case .dropTenth(let port) where UInt16(frame[46]) << 8 | UInt16(frame[47]) == port:
                ofPort += 1
                if ofPort % 10 == 0 { counts.dropped += 1 } else { pass(frame) }
            case .duplicate where isHit:
                counts.duplicated += 1
                pass(frame)
                pass(frame)
            case .reorder where isHit && waiting.isEmpty: waiting.append((frame, 3))
            case .delay(let delay): waiting.append((frame, Self.now() + delay))
            default: pass(frame)
            }
            guard case .reorder = behaviour, var first = waiting.first else { continue }
            // The held frame goes after three others.
            if first.moment == 0 {
                pass(first.frame)
                counts.overtaken += 1
                waiting = []
            } else {
                first.moment -= 1
                waiting = [first]
            }
        }
        counts.held = UInt64(waiting.count)
        return counts
    }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func pass(_ frame: [UInt8]) {
        for _ in 0..<10_000 {
            if unsafe send(far, frame, frame.count, 0) == frame.count { return }
            usleep(100)
        }
    }
}
