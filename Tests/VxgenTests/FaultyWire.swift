import Dispatch
import Glibc
import Synchronization
import Uring

/// A wire between two devices that loses, repeats, delays or damages frames: one way, frame by
/// frame, counted.
final class FaultyWire: Sendable {
    enum Fault: Sendable, CaseIterable {
        case none, drop, duplicate, delay, damage
    }

    private let input: PacketSocket
    private let output: PacketSocket
    private let fault: Fault
    /// Of so many frames one meets the fault.
    private let period: Int
    private let shouldStop = Atomic<Bool>(false)
    private let passedFrames = Atomic<Int>(0)
    private let faults = Atomic<Int>(0)
    private let finished = DispatchGroup()

    /// Frames that came in, and how many of them met the fault.
    var counts: (passed: Int, faults: Int) {
        (passedFrames.load(ordering: .relaxed), faults.load(ordering: .relaxed))
    }

    /// - Parameters:
    ///   - input: a device of `namespace`, whose frames leave through `output` of the same.
    init(
        _ input: String, _ output: String, in namespace: String, _ fault: Fault, period: Int
    ) throws {
        self.fault = fault
        self.period = period
        (self.input, self.output) = try NetworkNamespace.run(in: namespace) {
            () throws(UringError) in
            (
                try PacketSocket.open(device: input, count: 1, receiveBufferBytes: 64 << 20)[0],
                try PacketSocket.open(device: output, count: 1, receiveBufferBytes: 0)[0]
            )
        }
        finished.enter()
        DispatchQueue(label: "faulty-wire").async { [self] in
            carry()
            finished.leave()
        }
    }

    func stop() {
        shouldStop.store(true, ordering: .relaxed)
        finished.wait()
    }

    /// Frames keep their offload header in front: both sockets have one.
    private func carry() {
        var buffer = [UInt8](repeating: 0, count: 70_000)
        var held: [(frame: [UInt8], age: Int)] = []
        while !shouldStop.load(ordering: .relaxed) {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe recv(input.descriptor, $0.baseAddress, $0.count, 0)
            }
            guard count > 0 else {
                usleep(200)
                continue
            }
            // Everything but the test's own frames passes untouched.
            guard count > 10 + 42, buffer[10 + 12] == 8, buffer[10 + 23] == 17 else { continue }
            var frame = Array(buffer[0..<count])
            let number = passedFrames.add(1, ordering: .relaxed).newValue
            let isHit = fault != .none && number % period == 0
            if isHit { faults.add(1, ordering: .relaxed) }
            switch (isHit, fault) {
            case (true, .drop): continue
            case (true, .duplicate): pass(frame)
            case (true, .delay):
                held.append((frame, 0))
                continue
            case (true, .damage): frame[10 + 55] ^= 1
            default: break
            }
            pass(frame)
            for index in held.indices { held[index].age += 1 }
            while let first = held.first, first.age == 5 { pass(held.removeFirst().frame) }
        }
    }

    private func pass(_ frame: [UInt8]) {
        for _ in 0..<1000 {
            let sent = unsafe send(output.descriptor, frame, frame.count, 0)
            if sent == frame.count { return }
            usleep(100)
        }
    }
}
