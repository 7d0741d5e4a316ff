import CLinux
import Glibc
import Testing
import Uring

/// Everything that goes through the real kernel, one test at a time: they wait for packets, and
/// the machine may have few cores.
@Suite(.serialized) enum KernelTests {}

extension KernelTests {
    /// UDP over the loopback device.
    @Suite(.serialized) struct DatagramTests {
        @Test func tenThousandDatagramsArriveThroughATinyBufferRing() throws {
            let loop = try DatagramLoop(buffers: 8, bufferLength: 512)
            defer { loop.close() }
            var sent = 0
            var idle = 0
            while loop.received < 10_000 && idle < 200 {
                while sent < 10_000, sent - loop.received < 128, loop.sender.freeCount > 0 {
                    try loop.send(UInt32(sent), tos: UInt8(sent % 64) << 2)
                    sent += 1
                }
                let before = loop.received
                try loop.turn()
                idle = loop.received == before ? idle + 1 : 0
            }
            try loop.turn()
            #expect(loop.received == 10_000)
            #expect(loop.outOfOrder == 0)
            #expect(loop.wrongTOS == 0)
            #expect(loop.wrongSource == 0)
            #expect(loop.sendErrors.isEmpty)
            #expect(loop.receiver.starvedCount > 0, "a ring of 8 buffers must run dry")
            #expect(loop.receiver.isArmed)
            #expect(loop.buffers.lentCount == 8)
            #expect(loop.sender.inFlight == 0)
            #expect(loop.socket.overflowDrops == 0)
        }
    }
}

/// One ring that sends to itself over UDP on 127.0.0.1.
@safe
final class DatagramLoop {
    let ring: UringInstance
    let buffers: BufferRing
    let receiver: MultishotReceiver
    let sender: BatchSender
    let socket: DatagramSocket
    let out: DatagramSocket
    let outFile: UringFile
    private let memory: UnsafeMutableRawPointer
    private let completions = UnsafeMutablePointer<Completion>.allocate(capacity: 256)
    private(set) var received = 0
    private(set) var empty = 0
    private(set) var outOfOrder = 0
    private(set) var wrongTOS = 0
    private(set) var wrongSource = 0
    private(set) var sendErrors: [Int32] = []
    private var taken: [Int] = []

    static let receiveTag: UInt64 = 1 << 32
    static let sendTag: UInt64 = 2 << 32

    init(buffers count: Int, bufferLength: Int, entries: UInt32 = 256) throws {
        ring = try UringInstance(entries: entries, completionEntries: 1024)
        ring.reserveFiles(8)
        unsafe memory = .allocate(byteCount: count * 1024, alignment: 4096)
        buffers = try unsafe BufferRing(
            ring: ring, groupID: 1, count: count, base: memory, slotStride: 1024, headroom: 64,
            bufferLength: bufferLength)
        let port = try SourcePorts.pick(1, address: 0x7F00_0001)[0]
        socket = try .receiving(
            address: 0x7F00_0001, port: port, isFirst: true, receiveBufferBytes: 1 << 20)
        let sourcePort = try SourcePorts.pick(1, address: 0x7F00_0001)[0]
        out = try .sending(address: 0x7F00_0001, port: sourcePort)
        outFile = ring.register(out.descriptor)
        receiver = MultishotReceiver(
            kind: .datagrams, file: ring.register(socket.descriptor), buffers: buffers,
            userData: Self.receiveTag)
        sender = BatchSender(ring: ring, count: 128)
    }

    func close() {
        ring.close()
        receiver.close()
        sender.close()
        unsafe completions.deallocate()
        unsafe memory.deallocate()
    }

    func send(_ number: UInt32, tos: UInt8) throws {
        let operation = try #require(
            sender.beginDatagram(from: outFile, to: socket.address, port: socket.port))
        guard let bytes = unsafe operation.appendScratch(count: 4) else {
            Issue.record("no scratch")
            return
        }
        unsafe UnsafeMutableRawPointer(bytes).storeBytes(of: number, as: UInt32.self)
        operation.setTOS(tos)
        #expect(sender.commit(operation, tag: Self.sendTag))
    }

    func turn() throws {
        receiver.armIfNeeded(on: ring)
        let result = ring.submit(waitFor: 1, timeoutNanoseconds: 10_000_000)
        #expect(result >= 0)
        let count = unsafe ring.reap(into: completions, limit: 256)
        for lane in 0..<count {
            let completion = unsafe completions[lane]
            if completion.userData == Self.receiveTag {
                take(completion)
            } else {
                #expect(sender.finish(completion) == 0)
                if completion.result < 0 { sendErrors.append(completion.result) }
            }
        }
        for id in taken { buffers.recycle(id) }
        taken.removeAll()
        buffers.publish()
    }

    private func take(_ completion: Completion) {
        receiver.accept(completion)
        if completion.hasBuffer { taken.append(completion.bufferID) }
        guard let datagram = ReceivedDatagram.parse(completion, in: buffers) else { return }
        guard datagram.payloadLength == 4 else {
            empty += datagram.payloadLength == 0 ? 1 : 0
            return
        }
        let number = unsafe UnsafeRawPointer(datagram.payload).loadUnaligned(as: UInt32.self)
        if number != UInt32(received) { outOfOrder += 1 }
        if datagram.tos != UInt8(number % 64) << 2 { wrongTOS += 1 }
        if datagram.sourceAddress != 0x7F00_0001 || datagram.sourcePort != out.port {
            wrongSource += 1
        }
        received += 1
    }
}
