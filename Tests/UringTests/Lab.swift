import Glibc
import Synchronization
import Testing
import Uring

/// Network namespaces of one test: named after the process and a counter, removed at the end.
final class Lab {
    private(set) var namespaces: [String] = []
    private static let serial = Atomic<Int>(0)

    /// Why tests with devices cannot run here; nil when they can. Tests name it when they skip.
    static let obstacle: String? = {
        guard geteuid() == 0 else { return "needs root" }
        let name = "vxu\(getpid())probe"
        guard run("ip netns add \(name)") else { return "network namespaces are not permitted" }
        run("ip netns delete \(name)")
        guard unsafe access("/dev/net/tun", R_OK | W_OK) == 0 else { return "needs /dev/net/tun" }
        return nil
    }()

    static var isPermitted: Bool { obstacle == nil }

    /// What a skipped test says.
    static var cause: Comment { Comment(rawValue: obstacle ?? "") }

    init(namespaces count: Int) throws {
        for _ in 0..<count {
            let number = Self.serial.add(1, ordering: .relaxed).newValue
            let name = "vxu\(getpid())n\(number)"
            try Self.require("ip netns add \(name)")
            namespaces.append(name)
            try Self.require("ip -n \(name) link set lo up")
        }
    }

    deinit { for name in namespaces { Self.run("ip netns delete \(name)") } }

    /// A veth pair `left` in the first namespace, `right` in the second, with addresses of
    /// 10.77.0.0/24 ending in 1 and 2, and each the other's static neighbor.
    func connect() throws {
        let (a, b) = (namespaces[0], namespaces[1])
        try Self.require("ip link add left netns \(a) type veth peer name right netns \(b)")
        try Self.require("ip -n \(a) link set left address 02:00:00:00:00:01 up")
        try Self.require("ip -n \(b) link set right address 02:00:00:00:00:02 up")
        try Self.require("ip -n \(a) address add 10.77.0.1/24 dev left")
        try Self.require("ip -n \(b) address add 10.77.0.2/24 dev right")
        try neighbor(a, "left", "10.77.0.2", "02:00:00:00:00:02")
        try neighbor(b, "right", "10.77.0.1", "02:00:00:00:00:01")
    }

    func neighbor(_ space: String, _ device: String, _ address: String, _ mac: String) throws {
        try Self.require("ip -n \(space) neighbor replace \(address) lladdr \(mac) dev \(device)")
    }

    @discardableResult
    static func run(_ command: String) -> Bool {
        unsafe system("\(command) >/dev/null 2>&1") == 0
    }

    static func require(_ command: String) throws {
        guard run(command) else { throw Failure(text: "command failed: \(command)") }
    }

    struct Failure: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }

    static func address(_ last: UInt32) -> UInt32 { 0x0A4D_0000 | last }
}

/// One ring with large receive buffers, driven by hand.
@safe
final class Loop {
    let ring: UringInstance
    let buffers: BufferRing
    let sender: BatchSender
    private let memory: UnsafeMutableRawPointer
    private let completions = UnsafeMutablePointer<Completion>.allocate(capacity: 256)
    private var files: [UringFile] = []
    private var held: [Completion] = []
    private var kept: [UnsafeMutablePointer<UInt8>] = unsafe []
    private(set) var receivers: [MultishotReceiver] = []
    private(set) var results: [Int32] = []

    static let sendTag: UInt64 = 1 << 40
    static let cancelTag: UInt64 = 1 << 32

    init(buffers count: Int = 16, bufferLength: Int = 66_000) throws {
        let stride = 66_560
        ring = try UringInstance(entries: 256, completionEntries: 2048)
        ring.reserveFiles(16)
        unsafe memory = .allocate(byteCount: count * stride, alignment: 4096)
        buffers = try unsafe BufferRing(
            ring: ring, groupID: 7, count: count, base: memory, slotStride: stride, headroom: 64,
            bufferLength: bufferLength)
        sender = BatchSender(ring: ring, count: 64, largeCount: 2)
    }

    func close() {
        ring.close()
        for receiver in receivers { receiver.close() }
        sender.close()
        unsafe completions.deallocate()
        unsafe memory.deallocate()
        while let bytes = unsafe kept.popLast() { unsafe bytes.deallocate() }
    }

    /// Appends a copy of `bytes` that lives as long as the loop: sends do not copy.
    func append(_ bytes: some Collection<UInt8>, to operation: SendOperation) {
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        for (place, octet) in bytes.enumerated() { unsafe copy[place] = octet }
        unsafe kept.append(copy)
        #expect(unsafe operation.append(copy, count: bytes.count))
    }

    /// Its completions carry its index.
    func receive(_ kind: MultishotReceiver.Kind, _ descriptor: Int32) {
        let file = ring.register(descriptor)
        files.append(file)
        receivers.append(
            MultishotReceiver(
                kind: kind, file: file, buffers: buffers, userData: UInt64(receivers.count)))
    }

    /// Ends the newest receive and forgets its file.
    func stopLast() throws {
        let receiver = try #require(receivers.last)
        #expect(receiver.stop(on: ring, cancelUserData: Self.cancelTag))
        run(until: receiver.hasStopped) { _, _ in }
        #expect(receiver.hasStopped && receiver.lastError == 0)
        receivers.removeLast()
        receiver.close()
        ring.remove(files.removeLast())
    }

    /// Runs turns until `isDone` or the time is over.
    func run(
        milliseconds: Int = 2000, until isDone: @autoclosure () -> Bool = false,
        _ take: (Int, Completion) -> Void
    ) {
        let end = Clock.now + UInt64(milliseconds)
        while !isDone() && Clock.now < end {
            for receiver in receivers { receiver.armIfNeeded(on: ring) }
            ring.submit(waitFor: held.isEmpty ? 1 : 0, timeoutNanoseconds: 20_000_000)
            for completion in reap() {
                if completion.userData >= Self.sendTag {
                    #expect(sender.finish(completion) != nil)
                    results.append(completion.result)
                    continue
                }
                if completion.userData == Self.cancelTag { continue }
                let index = Int(completion.userData)
                receivers[index].accept(completion)
                take(index, completion)
                if completion.hasBuffer { buffers.recycle(completion.bufferID) }
            }
            buffers.publish()
        }
    }

    private func reap() -> [Completion] {
        let count = unsafe ring.reap(into: completions, limit: 256)
        let fresh = held + (0..<count).map { unsafe completions[$0] }
        held = []
        return fresh
    }

    /// Takes the results of sends; what was received waits for `run`.
    func reapSends() {
        for completion in reap() {
            if completion.userData >= Self.sendTag {
                #expect(sender.finish(completion) != nil)
                results.append(completion.result)
            } else {
                held.append(completion)
            }
        }
    }

    /// Sends and returns the kernel's answer to each datagram or frame of `begin`.
    func send(_ operation: SendOperation?) throws -> Int32 {
        let operation = try #require(operation)
        let before = results.count
        #expect(sender.commit(operation, tag: Self.sendTag))
        run(until: results.count > before) { _, _ in }
        return try #require(results.last)
    }
}

enum Clock {
    /// Milliseconds.
    static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
