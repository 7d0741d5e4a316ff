import Testing
import Uring

/// What the kernel makes of the steering programs, by the result it gives for one frame at a time.
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

        var bytes: [UInt8] {
            var bytes: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
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

        private func octets(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - $0))) }
        }
    }

    @Test("Whatever differs between the packets of a flow does not matter")
    func oneFlow() throws {
        let steering = try FlowSteering(.hosts)
        for isIPv6 in [false, true] {
            let frame = Frame(isIPv6: isIPv6)
            var others = [Frame](repeating: frame, count: 5)
            others[0].timeToLive = 3
            others[1].payload = 1400
            others[2].tags = [0x8100]
            others[3].tags = [0x88A8, 0x8100]
            if !isIPv6 { others[4].words = 8 }
            let result = try steering.result(for: frame.bytes)
            for other in others { #expect(try steering.result(for: other.bytes) == result) }
        }
    }

    @Test("Fragments go by addresses and protocol, and so does what has no ports")
    func fragments() throws {
        let steering = try FlowSteering(.hosts)
        var results: Set<UInt16> = []
        for fragment: UInt16 in [0x2000, 0x2001, 0x00B9] {
            for ports: UInt32 in [1, 2, 3] {
                let frame = Frame(kind: 17, fragment: fragment, ports: ports)
                results.insert(try steering.result(for: frame.bytes))
            }
        }
        #expect(results.count == 1)
        for kind: UInt8 in [1, 47] {
            let results = try (0..<3 as Range<UInt32>).map {
                try steering.result(for: Frame(kind: kind, ports: $0).bytes)
            }
            #expect(Set(results).count == 1)
        }
        // IPv6: the fragment header begins with the protocol; then come offset and number.
        let later = try (0..<3 as Range<UInt32>).map {
            try steering.result(for: Frame(isIPv6: true, kind: 44, ports: 0x1100_0000 | $0).bytes)
        }
        #expect(Set(later).count == 1)
    }

    @Test("Flows that differ in one number spread over the queues", arguments: [2, 3, 8])
    func spread(queues: Int) throws {
        let steering = try FlowSteering(.hosts)
        // Which of source, destination, source port and destination port count up.
        let changes: [[UInt32]] = [
            [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0],
            [0, 0, 1, 1], [1, 1, 1, 1],
        ]
        for isIPv6 in [false, true] {
            for change in changes {
                var counts = [Int](repeating: 0, count: queues)
                for number in 0..<800 as Range<UInt32> {
                    var frame = Frame(isIPv6: isIPv6)
                    frame.source &+= change[0] * number
                    frame.destination &+= change[1] * number
                    frame.ports &+= change[2] * number << 16 | change[3] * number
                    counts[try Int(steering.result(for: frame.bytes)) % queues] += 1
                }
                let share = 800 / queues
                #expect(counts.allSatisfy { abs($0 - share) < share / 2 }, "\(counts)")
            }
        }
    }

    @Test("What is not IP goes by its addresses, and what is cut off does no harm")
    func others() throws {
        let steering = try FlowSteering(.hosts)
        let results = try (0..<3 as Range<UInt32>).map {
            try steering.result(for: Frame(type: 0x0806, source: $0, ports: $0).bytes)
        }
        #expect(Set(results).count == 1)
        for frame in [Frame(), Frame(isIPv6: true), Frame(tags: [0x8100, 0x8100])] {
            for count in 14...frame.bytes.count {
                _ = try steering.result(for: Array(frame.bytes.prefix(count)))
            }
        }
    }

    @Test("Tunnels take the queues in turn", arguments: [2, 4, 8])
    func tunnels(queues: Int) throws {
        let steering = try FlowSteering(.tunnels)
        for source: UInt32 in [0xC633_6401, 0xC633_6402] {
            var counts = [Int](repeating: 0, count: queues)
            for port in 49152..<49168 as Range<UInt32> {
                let frame = Frame(source: source, kind: 17, ports: port << 16 | 4789)
                let result = try steering.result(for: frame.bytes)
                counts[Int(result) % queues] += 1
                var other = frame
                other.timeToLive = 9
                other.payload = 1000
                #expect(try steering.result(for: other.bytes) == result)
            }
            #expect(counts.allSatisfy { $0 == 16 / queues }, "\(counts)")
        }
        #expect(try steering.result(for: Frame(type: 0x0806).bytes) == 0)
    }
}
