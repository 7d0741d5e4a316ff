import TestKit
import Testing
import Wire

@Suite struct IPHeaderTests {
    let arena = FrameArena()

    private func packet(_ options: [UInt8] = []) -> [UInt8] {
        FrameBuilder.empty.ipv4(
            source: Sample.ipA, destination: Sample.ipB, protocolNumber: 17, timeToLive: 9,
            typeOfService: 0xB9, identification: 0x1234, fragment: 0x4000, options: options
        ).payload(count: 5).bytes
    }

    @Test func `What was emitted is read`() {
        let frame = arena.frame(packet())
        let bytes = frame.bytes
        let header = IPv4Header(frame: frame, at: 0)
        #expect(header.check() == .valid)
        header.emit(
            source: Sample.ipA, destination: Sample.ipB, protocolNumber: 17, totalLength: 25,
            timeToLive: 9, typeOfService: 0xB9, identification: 0x1234, dontFragment: true)
        #expect(frame.bytes == bytes)
        #expect(header.totalLength == 25 && header.headerByteCount == 20 && !header.hasOptions)
        #expect(header.typeOfService == 0xB9 && header.ecn == 1)
        #expect(header.timeToLive == 9 && header.protocolNumber == 17)
        #expect(header.identification == 0x1234 && header.dontFragment && !header.isFragment)
        #expect(header.source == Sample.ipA && header.destination == Sample.ipB)
    }

    @Test func `A packet cut short is refused, with and without options`() {
        for options in [[], [1, 1, 1, 1, 1, 1, 1, 0]] as [[UInt8]] {
            let bytes = packet(options)
            arena.forEachTruncation(of: bytes) { frame in
                let expected: IPv4Header.Check =
                    frame.count < 20 + options.count ? .truncated : .badTotalLength
                #expect(IPv4Header(frame: frame, at: 0).check() == expected)
            }
            #expect(IPv4Header(frame: arena.frame(bytes), at: 0).check() == .valid)
        }
    }

    @Test func `Each flipped bit of the header is refused`() {
        for options in [[], [1, 1, 1, 1, 1, 1, 1, 0]] as [[UInt8]] {
            arena.forEachFlip(of: packet(options)) { frame, byte in
                let isHeader = byte < 20 + options.count
                #expect((IPv4Header(frame: frame, at: 0).check() == .valid) != isHeader)
            }
        }
    }

    @Test func `Each fault has its name`() {
        func check(_ change: (inout [UInt8]) -> Void) -> IPv4Header.Check {
            var bytes = packet()
            change(&bytes)
            return IPv4Header(frame: arena.frame(bytes), at: 0).check()
        }
        #expect(check { $0[0] = 0x65 } == .badVersion)
        #expect(check { $0[0] = 0x44 } == .badHeaderLength)
        #expect(check { $0[0] = 0x4F } == .truncated)
        #expect(check { $0[3] = 19 } == .badTotalLength)
        #expect(check { $0[3] = 26 } == .badTotalLength)
        #expect(check { $0[10] ^= 1 } == .badChecksum)
        #expect(check { $0[8] ^= 1 } == .badChecksum)
    }

    @Test func `Changes of TTL and type of service keep the checksum right`() {
        var random = SeededRandom.forTest("IPv4 changes")
        for _ in 0..<5_000 {
            let frame = arena.frame(
                FrameBuilder.empty.ipv4(
                    source: IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())),
                    destination: IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())),
                    timeToLive: UInt8(random.int(in: 0...255)),
                    typeOfService: UInt8(random.int(in: 0...255)),
                    identification: UInt16(random.int(in: 0...65_535))
                ).bytes)
            let header = IPv4Header(frame: frame, at: 0)
            let timeToLive = header.timeToLive
            #expect(header.decrementTimeToLive() == (timeToLive > 1))
            #expect(header.timeToLive == (timeToLive > 1 ? timeToLive - 1 : timeToLive))
            let codepoint = UInt8(random.int(in: 0...3))
            let differentiated = header.typeOfService >> 2
            header.setECN(codepoint)
            #expect(header.ecn == codepoint && header.typeOfService >> 2 == differentiated)
            let checksum = header.checksum
            header.updateChecksum()
            #expect(header.checksum == checksum)
        }
    }

    @Test func `Fragments are recognised`() {
        func header(_ fragment: UInt16, length: Int = 0) -> IPv4Header {
            let bytes = FrameBuilder.empty.ipv4(
                source: Sample.ipA, destination: Sample.ipB, fragment: fragment
            ).payload(count: length).bytes
            return IPv4Header(frame: arena.frame(bytes), at: 0)
        }
        #expect(!header(0x4000).isFragment)
        #expect(header(0x2000).isFragment && header(0x2000).moreFragments)
        #expect(header(0x0001).isFragment && header(0x0001).fragmentOffset == 8)
        #expect(!header(0x1FFF, length: 7).moreFragments)
        #expect(header(0x1FFF, length: 8).hasImpossibleFragmentOffset)
        #expect(!header(0x0002, length: 1000).hasImpossibleFragmentOffset)
        #expect(!header(0, length: 60_000).hasImpossibleFragmentOffset)
        // Inside of the transport header.
        #expect(header(0x0001, length: 1000).hasImpossibleFragmentOffset)
        #expect(header(0x2001, length: 28).hasImpossibleFragmentOffset)
    }

    @Test func `IPv6 is checked, and its ECN changes alone`() {
        let bytes = FrameBuilder.empty.ipv6(
            source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 17, hopLimit: 3,
            trafficClass: 0xB8, flowLabel: 0xABCDE
        ).payload(count: 9).bytes
        arena.forEachTruncation(of: bytes) { frame in
            let expected: IPv6Header.Check = frame.count < 40 ? .truncated : .badPayloadLength
            #expect(IPv6Header(frame: frame, at: 0).check() == expected)
        }
        let frame = arena.frame(bytes)
        let header = IPv6Header(frame: frame, at: 0)
        #expect(header.check() == .valid && header.payloadLength == 9)
        #expect(header.nextHeader == 17 && header.hopLimit == 3 && header.trafficClass == 0xB8)
        header.ecn = 3
        #expect(header.trafficClass == 0xBB)
        header.ecn = 0
        #expect(frame.bytes == bytes)
        frame.store(0x45 as UInt8, at: 0)
        #expect(header.check() == .badVersion)
    }

    @Test func `Each flipped bit of an IPv6 header shows or lies in the flow label`() {
        let bytes = FrameBuilder.empty.ipv6(
            source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 17
        ).bytes
        arena.forEachFlip(of: bytes) { frame, byte in
            let header = IPv6Header(frame: frame, at: 0)
            let isSame =
                header.check() == .valid && header.trafficClass == 0 && header.nextHeader == 17
                && header.hopLimit == 64
                && frame.bytes(at: header.addressOffset, 32) == Sample.ip6A + Sample.ip6B
            // The upper half of byte 1 is traffic class, the lower half flow label.
            if byte != 1 { #expect(isSame == (byte == 2 || byte == 3)) }
        }
    }
}
