import Testing
import Uring

/// What the kernel makes of the steering programs, by the worker it chooses for one frame.
@Suite(.enabled(if: Lab.isPermitted, Lab.cause)) struct FlowSteeringTests {
    /// A frame as far as the programs look at it.
    private struct Frame {
        var tags: [UInt16] = []
        var isIPv6 = false
        var type: UInt16?
        var source: UInt32 = 0x0A01_0001
        var destination: UInt32 = 0x0A01_0002
        var kind: UInt8 = 6
        var fragment: UInt16 = 0x4000
        var words = 5
        var ports: UInt32 = 0x1234_0050
        var timeToLive: UInt8 = 64
        var payload = 20
        var isAnswer = false

        var bytes: [UInt8] {
            let hosts: [[UInt8]] = [[2, 0, 0, 0, 0, 1], [2, 0, 7, 0, 8, 2]]
            var bytes = isAnswer ? hosts[1] + hosts[0] : hosts[0] + hosts[1]
            for tag in tags { bytes += octets(UInt32(tag), 2) + [0, 7] }
            bytes += octets(UInt32(type ?? (isIPv6 ? 0x86DD : 0x0800)), 2)
            let padding = [UInt8](repeating: 0, count: 12)
            if isIPv6 {
                bytes += [0x60, 0, 0, 0, 0, 40, kind, timeToLive]
                bytes += padding + octets(source, 4) + padding + octets(destination, 4)
            } else {
                bytes += [0x40 | UInt8(words), 0, 0, 40, 0, 0] + octets(UInt32(fragment), 2)
                bytes += [timeToLive, kind, 0, 0] + octets(source, 4) + octets(destination, 4)
                bytes += [UInt8](repeating: 1, count: 4 * words - 20)
            }
            return bytes + octets(ports, 4) + [UInt8](repeating: 9, count: payload)
        }

        /// The other direction.
        var answer: Frame {
            var answer = self
            swap(&answer.source, &answer.destination)
            answer.ports = ports << 16 | ports >> 16
            answer.isAnswer.toggle()
            return answer
        }

        private func octets(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
        }
    }

    /// All four programs, as one that has to agree with itself.
    private struct Steering {
        let hosts: FlowSteering
        let sniffed: FlowSteering
        let tunnels: FlowSteering
        let datagrams: FlowSteering

        init(workers: Int) throws {
            hosts = try FlowSteering(.hosts, workers: workers)
            sniffed = try FlowSteering(.sniffed, workers: workers)
            tunnels = try FlowSteering(.tunnels, workers: workers)
            datagrams = try FlowSteering(.datagrams, workers: workers)
        }

        func worker(for frame: Frame) throws -> Int {
            let bytes = frame.bytes
            let worker = try hosts.worker(for: bytes)
            let tunnel = [8, 0, 0, 0, 0, 0, UInt8.random(in: 0...255), 0] + bytes
            #expect(try datagrams.worker(for: tunnel) == worker)
            // What a VLAN tag says is beside a frame there.
            if frame.tags.isEmpty { #expect(try sniffed.worker(forSniffed: bytes) == worker) }
            let outer = Frame(
                source: .random(in: 0 ... .max), kind: 17, words: .random(in: 5...15),
                ports: .random(in: 0 ... .max), payload: 0)
            // Behind the ports length and checksum.
            let packet = outer.bytes + [0, 0, 0, 0] + tunnel
            #expect(try tunnels.worker(for: packet) == worker)
            return worker
        }
    }

    @Test("Whatever differs between the packets of a conversation does not matter")
    func oneConversation() throws {
        let steering = try Steering(workers: 5000)
        for isIPv6 in [false, true] {
            let frame = Frame(isIPv6: isIPv6)
            var others = [Frame](repeating: frame, count: 5)
            others[0].timeToLive = 3
            others[1].payload = 1400
            others[2].tags = [0x8100]
            others[3].tags = [0x88A8, 0x8100]
            if !isIPv6 { others[4].words = 8 }
            let worker = try steering.worker(for: frame)
            for other in others + others.map(\.answer) {
                #expect(try steering.worker(for: other) == worker)
            }
        }
    }

    @Test("Fragments go by addresses and protocol, and so does what has no ports")
    func fragments() throws {
        let steering = try Steering(workers: 5000)
        var workers: Set<Int> = []
        for fragment: UInt16 in [0x2000, 0x2001, 0x00B9] {
            for ports: UInt32 in [1, 2, 3] {
                let frame = Frame(kind: 17, fragment: fragment, ports: ports)
                workers.insert(try steering.worker(for: frame))
            }
        }
        #expect(workers.count == 1)
        for kind: UInt8 in [1, 47] {
            let workers = try (0..<3 as Range<UInt32>).map {
                try steering.worker(for: Frame(kind: kind, ports: $0))
            }
            #expect(Set(workers).count == 1)
        }
        // IPv6: the fragment header begins with the protocol; then come offset and number.
        let later = try (0..<3 as Range<UInt32>).map {
            try steering.worker(for: Frame(isIPv6: true, kind: 44, ports: 0x1100_0000 | $0))
        }
        #expect(Set(later).count == 1)
    }

    @Test("Flows that differ in one number spread over the workers", arguments: [2, 3, 8])
    func spread(count: Int) throws {
        let steering = try Steering(workers: count)
        // Which of source, destination, source port and destination port count up.
        let changes: [[UInt32]] = [
            [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0],
            [0, 0, 1, 1], [1, 1, 1, 1],
        ]
        for isIPv6 in [false, true] {
            for change in changes {
                var counts = [Int](repeating: 0, count: count)
                for number in 0..<800 as Range<UInt32> {
                    var frame = Frame(isIPv6: isIPv6)
                    frame.source &+= change[0] * number
                    frame.destination &+= change[1] * number
                    frame.ports &+= change[2] * number << 16 | change[3] * number
                    counts[try steering.worker(for: frame)] += 1
                }
                let share = 800 / count
                #expect(counts.allSatisfy { abs($0 - share) < share / 2 }, "\(counts)")
            }
        }
    }

    @Test("What is not IP goes by its addresses, and what is cut off does no harm")
    func others() throws {
        let steering = try Steering(workers: 5000)
        let workers = try (0..<3 as Range<UInt32>).map {
            try steering.worker(for: Frame(type: 0x0806, source: $0, ports: $0))
        }
        let frame = Frame(type: 0x0806)
        #expect(Set(workers) == [try steering.worker(for: frame.answer)])
        for frame in [Frame(), Frame(isIPv6: true), Frame(tags: [0x8100, 0x8100])] {
            for count in 14...frame.bytes.count {
                let bytes = Array(frame.bytes.prefix(count))
                for program in [steering.hosts, steering.tunnels, steering.datagrams] {
                    #expect(try 0..<5000 ~= program.worker(for: bytes))
                }
                // The kernel runs no program for less than an IP header.
                guard count >= 54 else { continue }
                #expect(try 0..<5000 ~= steering.sniffed.worker(forSniffed: bytes))
            }
        }
    }

    /// The sockets of a port get what the program says, whatever the tunnel's own source port is.
    @Test("Datagrams go to the socket of their worker")
    func datagrams() throws {
        let loopback: UInt32 = 0x7F00_0001
        let port = try SourcePorts.pick(1, address: loopback)[0]
        let sockets = try (0..<3).map {
            try DatagramSocket.receiving(
                address: loopback, port: port, isFirst: $0 == 0, receiveBufferBytes: 1 << 20)
        }
        try DatagramSocket.steer(sockets)
        let loop = try Loop(buffers: 64)
        defer { loop.close() }
        for socket in sockets { loop.receive(.datagrams, socket.descriptor) }
        let users = try SourcePorts.pick(4, address: loopback).map {
            try DatagramSocket.sending(address: loopback, port: $0)
        }
        let files = users.map { loop.ring.register($0.descriptor) }
        let steering = try FlowSteering(.datagrams, workers: 3)
        var expected: [Int: Int] = [:]
        for number in 0..<40 {
            var frame = Frame(ports: UInt32(number) << 16 | 80, payload: number)
            if number % 2 == 1 { frame = frame.answer }
            let bytes = [8, 0, 0, 0, 0, 0, 9, 0] + frame.bytes
            expected[bytes.count] = try steering.worker(for: bytes)
            let operation = try #require(
                loop.sender.beginDatagram(from: files[number % 4], to: loopback, port: port))
            loop.append(bytes, to: operation)
            #expect(loop.sender.commit(operation, tag: Loop.sendTag))
            loop.ring.submit()
            loop.reapSends()
        }
        var seen: [Int: Int] = [:]
        loop.run(until: seen.count == 40) { index, completion in
            guard let datagram = ReceivedDatagram.parse(completion, in: loop.buffers) else {
                return
            }
            seen[datagram.payloadLength] = index
        }
        #expect(seen == expected)
        #expect(Set(seen.values) == [0, 1, 2])
    }
}
