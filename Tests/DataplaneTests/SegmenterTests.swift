import Dataplane
import TestKit
import Testing
import Wire

@Suite struct SegmenterTests {
    let arena = FrameArena()
    typealias Given = SegmentationTests

    private func metadata(
        _ kind: Segmentation.Kind, size: Int, needsChecksum: Bool = true
    ) -> Segmentation {
        Segmentation(
            kind: kind, isCongestionAware: false, segmentSize: UInt16(size), headerLength: 0xFFFF,
            checksumStart: 0xFFFF, checksumOffset: 0xFFFF, needsChecksum: needsChecksum)
    }

    /// Headers of a random shape up to the transport header, and what to build it on.
    private struct Shape {
        var isIPv6: Bool
        var isTCP: Bool
        var tagCount: Int
        var networkOptions: [UInt8]
        var transportOptions: [UInt8]

        init(_ random: inout SeededRandom) {
            isIPv6 = random.bool()
            isTCP = random.bool()
            tagCount = random.int(in: 0...2)
            networkOptions = [UInt8](repeating: 1, count: 4 * random.int(in: 0...3))
            transportOptions = [UInt8](repeating: 1, count: 4 * random.int(in: 0...10))
        }

        var kind: Segmentation.Kind { isTCP ? (isIPv6 ? .tcp6 : .tcp4) : (isIPv6 ? .udp6 : .udp4) }

        var headerByteCount: Int {
            14 + 4 * tagCount + (isIPv6 ? 40 : 20 + networkOptions.count)
                + (isTCP ? 20 + transportOptions.count : 8)
        }

        func frame(
            identification: UInt16, sequenceNumber: UInt32, flags: UInt8, payload: [UInt8],
            checksum: FrameBuilder.Checksum
        ) -> [UInt8] {
            var builder = FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
            for tag in 0..<tagCount { builder = builder.vlan(UInt16(tag + 1)) }
            builder =
                isIPv6
                ? builder.ipv6(source: Given.ip6A, destination: Given.ip6B, flowLabel: 77)
                : builder.ipv4(
                    source: Given.ipA, destination: Given.ipB, identification: identification,
                    fragment: 0x4000, options: networkOptions)
            builder =
                isTCP
                ? builder.tcp(
                    sourcePort: 1, destinationPort: 2, sequenceNumber: sequenceNumber,
                    flags: flags, options: transportOptions, checksum: checksum)
                : builder.udp(sourcePort: 1, destinationPort: 2, checksum: checksum)
            return builder.payload(payload).bytes
        }
    }

    @Test func `Each segment is the packet its sender would have sent`() throws {
        var random = SeededRandom.forTest("segments")
        for round in 0..<300 {
            let shape = Shape(&random)
            let limit = round % 20 == 0 ? 65_000 : 6000
            let payload = random.bytes(random.int(in: 0...limit))
            let size = random.int(in: max(1, payload.count / 1000)...max(2, payload.count + 5))
            let identification = UInt16(random.int(in: 0...65_535))
            let sequence = UInt32(truncatingIfNeeded: random.next())
            let flags = UInt8(random.int(in: 0...255)) & 0xF9
            let frame = arena.frame(
                shape.frame(
                    identification: identification, sequenceNumber: sequence, flags: flags,
                    payload: payload, checksum: .unfinished))
            let segmenter = try #require(
                Segmenter(frame: frame, segmentation: metadata(shape.kind, size: size)))
            let count = max(1, (payload.count + size - 1) / size)
            #expect(segmenter.segmentCount == count)
            #expect(segmenter.headerByteCount == shape.headerByteCount)
            let header = arena.frame(count: Segmenter.maximumHeaderByteCount)
            for index in 0..<count {
                let segment = try #require(segmenter.segment(index, header: header))
                let range = index * size..<min((index + 1) * size, payload.count)
                var expectedFlags = flags
                if index > 0 { expectedFlags &= 0x7F }
                if index < count - 1 { expectedFlags &= 0xF6 }
                let expected = shape.frame(
                    identification: identification &+ UInt16(truncatingIfNeeded: index),
                    sequenceNumber: sequence &+ UInt32(index * size), flags: expectedFlags,
                    payload: Array(payload[range]), checksum: .right)
                let written =
                    header.bytes(at: 0, segment.headerByteCount)
                    + frame.bytes(at: segment.payloadOffset, segment.payloadByteCount)
                try #require(written == expected, "round \(round) segment \(index) of \(count)")
            }
            #expect(segmenter.segment(count, header: header) == nil)
            #expect(segmenter.segment(-1, header: header) == nil)
        }
    }

    @Test func `Header memory of the exact size suffices, less does not`() throws {
        let bytes = tcp(payloadByteCount: 3000)
        let segmenter = try #require(
            Segmenter(frame: arena.frame(bytes), segmentation: metadata(.tcp4, size: 1000)))
        #expect(segmenter.segment(2, header: arena.frame(count: 54)) != nil)
        #expect(segmenter.segment(2, header: arena.frame(count: 53)) == nil)
        #expect(segmenter.segment(.max, header: arena.frame(count: 160)) == nil)
    }

    @Test func `Padding behind the packet is not sent on`() throws {
        let frame = arena.frame(tcp(payloadByteCount: 1500) + [1, 2, 3])
        let segmenter = try #require(
            Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 1000)))
        let last = try #require(segmenter.segment(1, header: arena.frame(count: 160)))
        #expect(last.payloadByteCount == 500)
    }

    @Test func `A UDP sender without checksums gets segments without`() throws {
        let bytes = FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
            .ipv4(source: Given.ipA, destination: Given.ipB)
            .udp(sourcePort: 1, destinationPort: 2, checksum: .given(0)).payload(count: 900).bytes
        let header = arena.frame(count: 160)
        for needsChecksum in [false, true] {
            let asked = metadata(.udp4, size: 400, needsChecksum: needsChecksum)
            let segmenter = try #require(
                Segmenter(frame: arena.frame(bytes), segmentation: asked))
            #expect(segmenter.segment(2, header: header) != nil)
            #expect(header.loadUInt16(at: 38) == 108)
            #expect((header.loadUInt16(at: 40) == 0) == !needsChecksum)
        }
    }

    @Test func `Metadata that the frame does not bear out is refused`() {
        let frame = arena.frame(tcp(payloadByteCount: 3000))
        for kind in [.none, .tcp6, .udp4, .udp6] as [Segmentation.Kind] {
            #expect(Segmenter(frame: frame, segmentation: metadata(kind, size: 1000)) == nil)
        }
        #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 0)) == nil)
        #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 1)) == nil)
        #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 2)) != nil)
        #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 65_535)) != nil)
    }

    @Test func `SYN and RST are never repeated`() {
        for flags in [0x02, 0x04] as [UInt8] {
            let frame = arena.frame(tcp(payloadByteCount: 100, flags: flags))
            #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 50)) == nil)
            #expect(Segmenter(frame: frame, segmentation: metadata(.tcp4, size: 100)) != nil)
        }
    }

    @Test func `Headers longer than the memory for them are refused`() {
        // Two extension headers of 48 bytes end the headers at 14 + 40 + 96 + 20 = 170.
        let option: (UInt8) -> [UInt8] = { [$0, 5] + [UInt8](repeating: 0, count: 46) }
        let bytes = FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
            .ipv6(
                source: Given.ip6A, destination: Given.ip6B, nextHeader: 60,
                extensions: option(60) + option(6)
            ).tcp(sourcePort: 1, destinationPort: 2).payload(count: 2000).bytes
        let frame = arena.frame(bytes)
        #expect(FrameLayers.parse(frame)?.payloadOffset == 170)
        #expect(Segmenter(frame: frame, segmentation: metadata(.tcp6, size: 1000)) == nil)
    }

    @Test func `A frame cut at any byte or with any bit flipped makes no trap`() {
        let bytes = tcp(payloadByteCount: 30)
        let header = arena.frame(count: 160)
        func tryAll(_ bytes: [UInt8]) {
            let frame = arena.frame(bytes)
            for kind in [.tcp4, .tcp6, .udp4, .udp6] as [Segmentation.Kind] {
                let asked = metadata(kind, size: 7)
                guard let segmenter = Segmenter(frame: frame, segmentation: asked) else { continue }
                for index in 0..<segmenter.segmentCount {
                    #expect(segmenter.segment(index, header: header) != nil)
                }
            }
        }
        for length in 0..<bytes.count { tryAll(Array(bytes[..<length])) }
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            tryAll(flipped)
        }
    }

    private func tcp(payloadByteCount: Int, flags: UInt8 = 0x10) -> [UInt8] {
        FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
            .ipv4(source: Given.ipA, destination: Given.ipB)
            .tcp(sourcePort: 1, destinationPort: 2, flags: flags)
            .payload(count: payloadByteCount).bytes
    }
}
