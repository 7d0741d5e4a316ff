import Dataplane
import TestKit
import Testing
import Wire

@Suite struct SegmentationTests {
    let arena = FrameArena()

    static let macA = MACAddress(bits: 0x02AA_0000_0001)
    static let macB = MACAddress(bits: 0x02BB_0000_0002)
    static let ipA = IPv4Address(bits: 0x0A01_010B)
    static let ipB = IPv4Address(bits: 0x0A01_010C)
    static let ip6A: [UInt8] = [0xFD, 0] + [UInt8](repeating: 1, count: 14)
    static let ip6B: [UInt8] = [0xFD, 0] + [UInt8](repeating: 2, count: 14)

    /// Frames of both protocols over both IP versions, with and without a tag.
    private func frames(
        _ checksum: FrameBuilder.Checksum, payload: [UInt8]
    ) -> [FrameBuilder] {
        let ethernet = FrameBuilder.ethernet(destination: Self.macB, source: Self.macA)
        let networks = [
            ethernet.ipv4(source: Self.ipA, destination: Self.ipB),
            ethernet.vlan(5).ipv4(
                source: Self.ipA, destination: Self.ipB, options: [1, 1, 1, 0]),
            ethernet.ipv6(source: Self.ip6A, destination: Self.ip6B),
        ]
        return networks.flatMap { network in
            [
                network.tcp(sourcePort: 9, destinationPort: 80, checksum: checksum),
                network.udp(sourcePort: 9, destinationPort: 53, checksum: checksum),
            ].map { $0.payload(payload) }
        }
    }

    @Test func `An element of a column takes twelve bytes`() {
        #expect(MemoryLayout<Segmentation>.stride == 12)
        #expect(!Segmentation.none.isSuperPacket && !Segmentation.none.needsChecksum)
    }

    @Test func `An unfinished checksum is recognised and completed`() throws {
        var random = SeededRandom.forTest("unfinished checksums")
        for round in 0..<200 {
            let payload = random.bytes(random.int(in: 0...(round % 10 == 0 ? 9000 : 100)))
            let right = frames(.right, payload: payload)
            for (index, builder) in frames(.unfinished, payload: payload).enumerated() {
                let frame = arena.frame(builder.bytes)
                let found = try #require(Segmentation.unfinishedChecksum(in: frame))
                #expect(found.needsChecksum && !found.isSuperPacket)
                #expect(found.completeChecksum(in: frame))
                #expect(frame.bytes == right[index].bytes)
            }
        }
    }

    @Test func `Padding behind the packet has no part in the checksum`() throws {
        for (index, builder) in frames(.unfinished, payload: [1, 2, 3]).enumerated() {
            let frame = arena.frame(builder.bytes + [9, 9, 9])
            let found = try #require(Segmentation.unfinishedChecksum(in: frame))
            #expect(found.completeChecksum(in: frame))
            #expect(frame.bytes == frames(.right, payload: [1, 2, 3])[index].bytes + [9, 9, 9])
        }
    }

    @Test func `Completing a finished checksum taken for unfinished changes nothing`() throws {
        // The payload is chosen so that the right checksum is the pseudo-header's sum.
        for index in 0..<6 {
            let unfinished = arena.frame(frames(.unfinished, payload: [0, 0])[index].bytes)
            let found = try #require(Segmentation.unfinishedChecksum(in: unfinished))
            let field = Int(found.checksumStart) + Int(found.checksumOffset)
            let pseudoHeader = unfinished.loadUInt16(at: field)
            let finished = arena.frame(frames(.right, payload: [0, 0])[index].bytes)
            let sum = UInt64(~finished.loadUInt16(at: field)) + UInt64(pseudoHeader)
            let filler = ~InternetChecksum.fold(sum)
            let frame = arena.frame(
                frames(.right, payload: [UInt8(filler >> 8), UInt8(filler & 255)])[index].bytes)
            try #require(frame.loadUInt16(at: field) == pseudoHeader)
            let bytes = frame.bytes
            let mistaken = try #require(Segmentation.unfinishedChecksum(in: frame))
            #expect(mistaken.completeChecksum(in: frame))
            #expect(frame.bytes == bytes)
        }
    }

    @Test func `A finished checksum is left alone`() {
        for builder in frames(.right, payload: [1, 2, 3]) + frames(.given(0), payload: [1]) {
            #expect(Segmentation.unfinishedChecksum(in: arena.frame(builder.bytes)) == nil)
        }
    }

    @Test func `A UDP checksum that comes out as zero is sent as ones`() throws {
        let payload = frames(.right, payload: [0, 0])[1].bytes
        let filler = arena.frame(payload).loadUInt16(at: 40)
        let frame = arena.frame(
            frames(.unfinished, payload: [UInt8(filler >> 8), UInt8(filler & 255)])[1].bytes)
        let found = try #require(Segmentation.unfinishedChecksum(in: frame))
        #expect(found.completeChecksum(in: frame))
        #expect(frame.loadUInt16(at: 40) == 0xFFFF)
    }

    @Test func `Checksum positions that leave the transport header's reach are refused`() {
        for builder in frames(.unfinished, payload: [1, 2, 3]) {
            let bytes = builder.bytes
            let frame = arena.frame(bytes)
            for start in (0...bytes.count + 2).map(UInt16.init) + [0x7FFF, 0xFFFF] {
                for offset in [0, 6, 16, 100, 0xFFFF] as [UInt16] {
                    let asked = checksumOnly(start: start, offset: offset)
                    let succeeded = asked.completeChecksum(in: frame)
                    let layer4 = FrameLayers.parse(arena.frame(bytes))?.transportOffset ?? 0
                    let isInside = Int(start) + Int(offset) + 2 <= bytes.count
                    #expect(succeeded == (Int(start) >= layer4 && isInside))
                    #expect(frame.bytes(at: 0, layer4) == Array(bytes[..<layer4]))
                }
            }
        }
        let arp = FrameBuilder.ethernet(destination: .broadcast, source: Self.macA).arp(
            operation: 1, senderMAC: Self.macA, senderIP: Self.ipA, targetMAC: .zero,
            targetIP: Self.ipB)
        #expect(!checksumOnly(start: 22, offset: 0).completeChecksum(in: arena.frame(arp.bytes)))
        for length in 0..<60 {
            let frame = arena.frame([UInt8](repeating: 8, count: length))
            _ = checksumOnly(start: 14, offset: 0).completeChecksum(in: frame)
        }
    }

    @Test func `A long TCP packet is a super-packet of the size that fits`() throws {
        for (index, builder) in frames(.unfinished, payload: [UInt8](repeating: 7, count: 5000))
            .enumerated()
        {
            let frame = arena.frame(builder.bytes)
            let inferred = Segmentation.inferred(from: frame, maximumPacketByteCount: 1450)
            guard index % 2 == 0 else {
                #expect(inferred == nil)
                continue
            }
            let found = try #require(inferred)
            #expect(found.kind == (index == 4 ? .tcp6 : .tcp4))
            #expect(found.segmentSize == [1410, 0, 1406, 0, 1390][index])
            #expect(found.needsChecksum && found.isSuperPacket)
            let segmenter = try #require(Segmenter(frame: frame, segmentation: found))
            #expect(segmenter.maximumPacketByteCount == 1450 && segmenter.segmentCount == 4)
        }
    }

    @Test func `A packet that fits, or cannot be made to, is no super-packet`() {
        let frame = arena.frame(
            frames(.right, payload: [UInt8](repeating: 7, count: 1410))[0].bytes)
        #expect(Segmentation.inferred(from: frame, maximumPacketByteCount: 1450) == nil)
        #expect(Segmentation.inferred(from: frame, maximumPacketByteCount: 1449) != nil)
        for limit in [Int.min, -1, 0, 20, 40] {
            #expect(Segmentation.inferred(from: frame, maximumPacketByteCount: limit) == nil)
        }
        #expect(Segmentation.inferred(from: frame, maximumPacketByteCount: 41) != nil)
    }

    private func checksumOnly(start: UInt16, offset: UInt16) -> Segmentation {
        Segmentation(
            kind: .none, isCongestionAware: false, segmentSize: 0, headerLength: 0,
            checksumStart: start, checksumOffset: offset, needsChecksum: true)
    }
}
