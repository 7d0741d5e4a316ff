import TestKit
import Testing
import Wire

/// The outer headers against those that the plain builder makes.
@Suite struct OuterHeaderTests {
    private let arena = FrameArena()

    @Test func equalsWhatABuilderMakes() {
        var random = SeededRandom.forTest("outer headers")
        for _ in 0..<2000 {
            let device = MACAddress(bits: random.next())
            let own = MACAddress(bits: random.next())
            let source = IPv4Address(bits: UInt32(truncatingIfNeeded: random.next()))
            let port = UInt16(random.int(in: 1...65535))
            let fields = OuterHeader.Fields(
                destination: UInt32(truncatingIfNeeded: random.next()),
                sourcePort: UInt16(random.int(in: 49152...65535)),
                payloadByteCount: random.int(in: 8...1500),
                typeOfService: UInt8(random.int(in: 0...255)),
                timeToLive: UInt8(random.int(in: 1...255)), doNotFragment: random.bool(),
                identification: UInt16(random.int(in: 0...65535)))
            let payload = random.bytes(fields.payloadByteCount)
            let expected = FrameBuilder.ethernet(destination: device, source: own)
                .ipv4(
                    source: source, destination: IPv4Address(bits: fields.destination),
                    timeToLive: fields.timeToLive, typeOfService: fields.typeOfService,
                    identification: fields.identification,
                    fragment: fields.doNotFragment ? 0x4000 : 0
                )
                .udp(
                    sourcePort: fields.sourcePort, destinationPort: port, checksum: .given(0)
                )
                .payload(payload).bytes
            let header = OuterHeader(
                destinationMAC: device, sourceMAC: own, source: source.bits,
                destinationPort: port)
            let frame = arena.frame(count: OuterHeader.byteCount)
            header.emit(fields, to: frame)
            #expect(frame.bytes + payload == expected)
            let checksummed = FrameBuilder.empty.ipv4(
                source: source, destination: IPv4Address(bits: fields.destination)
            )
            .udp(sourcePort: fields.sourcePort, destinationPort: port).payload(payload).bytes
            let whole = arena.frame(expected)
            let sum = InternetChecksum.sum(
                whole, offset: OuterHeader.transportOffset, length: 8 + payload.count,
                initial: header.pseudoHeader(fields))
            let wanted = UInt16(checksummed[26]) << 8 | UInt16(checksummed[27])
            #expect(InternetChecksum.checksumUDP(sum) == wanted)
        }
    }

    /// The IPv4 total length of a packet at the limit, where the sum has the most carries.
    @Test func theLargestPacketHasARightChecksum() {
        let header = OuterHeader(
            destinationMAC: .broadcast, sourceMAC: .broadcast, source: 0xFFFF_FFFF,
            destinationPort: 0xFFFF)
        let fields = OuterHeader.Fields(
            destination: 0xFFFF_FFFF, sourcePort: 0xFFFF, payloadByteCount: 65_507,
            typeOfService: 0xFF, timeToLive: 0xFF, doNotFragment: true, identification: 0xFFFF)
        let frame = arena.frame(count: OuterHeader.byteCount)
        header.emit(fields, to: frame)
        let ip = IPv4Header(frame: frame, at: 14)
        #expect(ip.totalLength == 65_535 && ip.hasValidChecksum)
    }

    /// RFC 7348 section 5: 20, 8 and 8 bytes in front of a frame, and its own 14.
    @Test func anUnderlayNeedsFiftyBytesMore() {
        #expect(OuterHeader.frameOverhead == 36)
        #expect(OuterHeader.packetOverhead == 50)
    }
}
