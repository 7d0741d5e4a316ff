import Dataplane
import TestKit
import Testing
import Wire

/// Packets cut into fragments (RFC 791 sections 3.1 and 3.2).
@Suite struct FragmentTests {
    let arena = FrameArena()
    typealias Given = SegmentationTests

    private func packet(
        _ payload: [UInt8], options: [UInt8] = [], fragment: UInt16 = 0
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
            .ipv4(
                source: Given.ipA, destination: Given.ipB, protocolNumber: 17, identification: 77,
                fragment: fragment, options: options
            )
            .payload(payload).bytes
    }

    /// Each fragment whole.
    private func fragments(_ bytes: [UInt8], _ mtu: Int) throws -> [[UInt8]] {
        let frame = arena.frame(bytes)
        let segmenter = try #require(
            Segmenter(fragmenting: frame, maximumPacketByteCount: mtu))
        return try (0..<segmenter.segmentCount).map { index in
            let header = arena.frame(count: segmenter.headerByteCount(of: index))
            let segment = try #require(segmenter.segment(index, header: header))
            #expect(segment.headerByteCount == header.count)
            return header.bytes
                + frame.bytes(at: segment.payloadOffset, segment.payloadByteCount)
        }
    }

    @Test func `Fragments are put together to the packet they were`() throws {
        var random = SeededRandom.forTest("fragments")
        for round in 0..<200 {
            let payload = random.bytes(random.int(in: 1...4000))
            let words = random.int(in: 0...3)
            // Timestamps of random length: not copied.
            let options: [UInt8] =
                words == 0 ? [] : [68, UInt8(4 * words)] + random.bytes(4 * words - 2)
            let mtu = random.int(in: 20 + 4 * words + 8...1500)
            // What is cut may be a fragment itself.
            let base = random.bool() ? 0 : random.int(in: 2...3000)
            let isMiddle = random.bool()
            let bytes = packet(
                payload, options: options,
                fragment: UInt16(base) | (isMiddle ? 0x2000 : 0))
            let pieces = try fragments(bytes, mtu)
            var next = base * 8
            var whole: [UInt8] = []
            for (index, piece) in pieces.enumerated() {
                let header = IPv4Header(frame: arena.frame(piece), at: 14)
                guard case .valid = header.check() else {
                    Issue.record("round \(round) fragment \(index) is broken")
                    return
                }
                #expect(header.totalLength <= mtu && header.totalLength == piece.count - 14)
                #expect(header.fragmentOffset == next && header.identification == 77)
                #expect(header.moreFragments == (index < pieces.count - 1 || isMiddle))
                #expect(header.hasOptions == (index == 0 && words > 0))
                let payload = piece.dropFirst(14 + header.headerByteCount)
                next += payload.count
                whole += payload
            }
            #expect(whole == payload, "round \(round)")
        }
    }

    @Test func `Later fragments have the options with the copy bit alone`() throws {
        let recordRoute: [UInt8] = [7, 7, 4, 1, 2, 3, 4]
        let routerAlert: [UInt8] = [148, 4, 0, 0]
        let security: [UInt8] = [130, 11] + [UInt8](repeating: 9, count: 9)
        let payload = [UInt8](repeating: 5, count: 100)
        let cases: [(options: [UInt8], kept: [UInt8])] = [
            (recordRoute + [0], []), (recordRoute + [1] + routerAlert, routerAlert),
            (routerAlert + recordRoute + [0], routerAlert),
            (security + [1], security + [0]),
            (security + [1] + routerAlert, security + routerAlert + [0]),
            // Behind the end of the list there is nothing, nor behind an option that is not sound.
            ([0, 0, 0, 0] + routerAlert, []), ([148, 1, 0, 0], []), ([7, 40, 0, 0], []),
            (routerAlert + [148, 9, 0, 0], routerAlert), ([1, 1, 1, 148], []),
        ]
        for (options, kept) in cases {
            let pieces = try fragments(packet(payload, options: options), 68)
            #expect(pieces.count > 1)
            for (index, piece) in pieces.enumerated() {
                let header = IPv4Header(frame: arena.frame(piece), at: 14)
                let expected = index == 0 ? options : kept
                #expect(header.headerByteCount == 20 + expected.count, "\(options)")
                #expect(Array(piece[34..<14 + header.headerByteCount]) == expected)
                #expect(header.hasValidChecksum)
            }
        }
    }

    @Test func `What may not or cannot be cut is refused`() {
        let payload = [UInt8](repeating: 5, count: 100)
        func isRefused(_ bytes: [UInt8], _ mtu: Int) -> Bool {
            Segmenter(fragmenting: arena.frame(bytes), maximumPacketByteCount: mtu) == nil
        }
        #expect(isRefused(packet(payload, fragment: 0x4000), 68), "don't fragment")
        #expect(isRefused(packet(payload), 27), "no room for eight bytes")
        #expect(!isRefused(packet(payload), 28))
        #expect(isRefused(packet(payload, options: [1, 1, 1, 0]), 31))
        #expect(isRefused(packet([]), 68), "no payload")
        #expect(isRefused(Array(packet(payload).prefix(60)), 68), "cut off")
    }
}
