import TestKit
import Testing
import Wire

@Suite struct FlowHashTests {
    let arena = FrameArena()

    private func hash(_ builder: FrameBuilder) -> UInt32 {
        FlowHash.hash(frame: arena.frame(builder.bytes))
    }

    private func ipv4(_ fragment: UInt16 = 0, identification: UInt16 = 1) -> FrameBuilder {
        Sample.ethernet.ipv4(
            source: Sample.ipA, destination: Sample.ipB, protocolNumber: 17,
            identification: identification, fragment: fragment)
    }

    @Test func `Flows with neighbouring ports spread over the source ports`() {
        for kind in 0..<4 {
            let hashes = (0..<256).map { index in
                let port = UInt16(40_000 + index)
                let outer =
                    kind < 2
                    ? ipv4()
                    : Sample.ethernet.ipv6(source: Sample.ip6A, destination: Sample.ip6B)
                return kind % 2 == 0
                    ? hash(outer.udp(sourcePort: port, destinationPort: 53))
                    : hash(outer.udp(sourcePort: 53, destinationPort: port))
            }
            #expect(Set(hashes.map { $0 % 1024 }).count >= 200)
            #expect(Set(hashes.map { $0 >> 22 }).count >= 200)
        }
    }

    @Test func `A thousand buckets fill evenly`() {
        var counts = [Int](repeating: 0, count: 1024)
        for index in 0..<102_400 {
            let source = IPv4Address(bits: 0x0A00_0000 + UInt32(index / 16))
            let frame = arena.frame(
                FrameBuilder.ethernet(destination: Sample.macB, source: Sample.macA)
                    .ipv4(source: source, destination: Sample.ipB)
                    .udp(
                        sourcePort: UInt16(40_000 + index % 16), destinationPort: 80,
                        checksum: .given(0)
                    ).bytes)
            counts[Int(FlowHash.hash(frame: frame) % 1024)] += 1
        }
        // Chi-squared with 1023 degrees: 1023 in the mean, 45 the standard deviation.
        let chiSquared = counts.reduce(0.0) { $0 + Double(($1 - 100) * ($1 - 100)) / 100 }
        #expect(chiSquared > 1023 - 6 * 45 && chiSquared < 1023 + 6 * 45)
    }

    @Test func `Each bit of a flow's key turns half of the bits of its hash`() {
        let bytes = ipv4().udp(sourcePort: 1000, destinationPort: 53).bytes
        let right = FlowHash.hash(frame: arena.frame(bytes))
        var turned = 0
        let keyBits = (26 * 8..<38 * 8)
        for bit in keyBits {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            let hash = FlowHash.hash(frame: arena.frame(flipped))
            #expect(hash != right)
            turned += (hash ^ right).nonzeroBitCount
        }
        let mean = Double(turned) / Double(keyBits.count)
        #expect(mean > 14 && mean < 18)
    }

    @Test func `What is not part of the flow does not matter`() {
        let first = ipv4().udp(sourcePort: 1000, destinationPort: 53).payload(count: 4)
        let other = Sample.ethernet.ipv4(
            source: Sample.ipA, destination: Sample.ipB, timeToLive: 3, typeOfService: 0xB8,
            identification: 777, options: [1, 1, 1, 0]
        ).udp(sourcePort: 1000, destinationPort: 53).payload(count: 900)
        let moved = FrameBuilder.ethernet(destination: Sample.macA, source: Sample.macB).vlan(9)
            .vlan(10).ipv4(source: Sample.ipA, destination: Sample.ipB)
            .udp(sourcePort: 1000, destinationPort: 53)
        #expect(hash(first) == hash(other))
        #expect(hash(first) == hash(moved))
    }

    @Test func `The fragments of a datagram stay together`() {
        let whole = hash(ipv4().udp(sourcePort: 1000, destinationPort: 53))
        let first = hash(ipv4(0x2000).udp(sourcePort: 1000, destinationPort: 53))
        let second = hash(ipv4(0x2001).payload(count: 64))
        let last = hash(ipv4(0x0009, identification: 2).payload(count: 3))
        #expect(first == second && second == last && first != whole)
        func ipv6(_ offset: UInt8, _ port: UInt16) -> UInt32 {
            let fragment: [UInt8] = [17, 0, 0, offset, 0, 0, 0, 1]
            return hash(
                Sample.ethernet.ipv6(
                    source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 44,
                    extensions: fragment
                ).udp(sourcePort: port, destinationPort: 53))
        }
        #expect(ipv6(1, 1000) == ipv6(8, 2000))
    }

    @Test func `Labels, ARP and unknown types have flows of their own`() {
        func labels(_ first: UInt32, _ second: UInt32, _ timeToLive: UInt8 = 9) -> UInt32 {
            hash(
                Sample.ethernet.mpls(label: first, isLast: false, timeToLive: timeToLive)
                    .mpls(label: second, isLast: true).payload(count: 40))
        }
        #expect(labels(16, 17) != labels(16, 18) && labels(16, 17) != labels(17, 17))
        #expect(labels(16, 17, 9) == labels(16, 17, 200))
        let unknown = FrameBuilder.ethernet(
            destination: Sample.macB, source: Sample.macA, etherType: 0x88B5)
        let turned = FrameBuilder.ethernet(
            destination: Sample.macA, source: Sample.macB, etherType: 0x88B5)
        #expect(hash(unknown.payload(count: 50)) == hash(unknown.payload(count: 60)))
        #expect(hash(unknown.payload(count: 50)) != hash(turned.payload(count: 50)))
    }

    @Test func `Hashes are the same in every run`() {
        #expect(hash(ipv4().udp(sourcePort: 1000, destinationPort: 53)) == 3_843_584_895)
        #expect(
            hash(
                Sample.ethernet.ipv6(source: Sample.ip6A, destination: Sample.ip6B)
                    .tcp(sourcePort: 1, destinationPort: 2)) == 4_006_447_266)
    }

    @Test func `A frame cut anywhere, with any hint, is hashed`() {
        let frames = [
            ipv4().udp(sourcePort: 1, destinationPort: 2).bytes,
            Sample.ethernet.vlan(1).vlan(2).ipv6(source: Sample.ip6A, destination: Sample.ip6B)
                .tcp(sourcePort: 1, destinationPort: 2).bytes,
            Sample.ethernet.mpls(label: 1, isLast: false).mpls(label: 2, isLast: false).bytes,
        ]
        for bytes in frames {
            arena.forEachTruncation(of: bytes) { frame in
                _ = FlowHash.hash(frame: frame)
                for offset in [Int.min, -1, 0, 14, frame.count, Int.max] {
                    for etherType in [0x0800, 0x86DD, 0x8847, 0x0806] as [UInt16] {
                        _ = FlowHash.hash(
                            frame: frame, etherType: etherType, layer3Offset: offset)
                    }
                }
            }
        }
    }
}
