import TestKit
import Testing
import Uring
import Wire

@testable import Gateway

/// Offload headers of VXLAN packets, from the outer headers' point of view and the inner ones'.
@Suite struct TunnelOffloadTests {
    private let arena = FrameArena()

    private func tcp(kind: UInt8 = 1) -> OffloadHeader {
        OffloadHeader(
            flags: OffloadHeader.needsChecksum, segmentationKind: kind, headerLength: 66,
            segmentSize: 1398, checksumStart: 34, checksumOffset: 16)
    }

    /// Figures of a capture: Ethernet, IPv4 and TCP with 12 bytes of options in VXLAN over IPv4.
    @Test func aTCPSuperPacketIsShiftedByFiftyBytes() {
        let (header, offsets) = TunnelOffload.sent(tcp(), tagByteCount: 0)
        #expect(header.flags == 1 && header.segmentationKind == 0x21)
        #expect(header.headerLength == 116 && header.segmentSize == 1398)
        #expect(header.checksumStart == 84 && header.checksumOffset == 16)
        #expect(offsets == TunnelOffsets(outerTransport: 34, innerNetwork: 64))
        let tagged = TunnelOffload.sent(tcp(kind: 0x84), tagByteCount: 4)
        #expect(tagged.header.segmentationKind == 0xA4 && tagged.header.checksumStart == 88)
        #expect(tagged.offsets.innerNetwork == 68)
    }

    @Test func receivingIsTheInverseOfSending() throws {
        var random = SeededRandom.forTest("tunnel offloads")
        for _ in 0..<2000 {
            let mark: UInt8 = random.bool() ? OffloadHeader.congestionMark : 0
            var inner = tcp(kind: [1, 4, 5][random.int(in: 0...2)] | mark)
            inner.headerLength = UInt16(random.int(in: 54...200))
            inner.segmentSize = UInt16(random.int(in: 1...65_000))
            inner.checksumStart = UInt16(random.int(in: 34...200))
            let (header, offsets) = TunnelOffload.sent(inner, tagByteCount: 0)
            let received = try #require(TunnelOffload.received(header, offsets))
            #expect(received.inner == inner && received.datagramByteCount == 0)
        }
    }

    @Test func theHeaderHasTheLayoutOfTheKernel() {
        let frame = arena.frame(count: 24)
        let (header, offsets) = TunnelOffload.sent(tcp(), tagByteCount: 0)
        TunnelOffload.write(header, offsets, to: frame, 24)
        #expect(
            frame.bytes == [
                1, 0x21, 116, 0, 0x76, 5, 84, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 34, 0, 64, 0,
            ])
        let short = arena.frame(count: 24)
        TunnelOffload.write(OffloadHeader(), to: short, 10)
        let ten = [UInt8](repeating: 0, count: 10)
        #expect(short.bytes == ten + [UInt8](repeating: 0xA5, count: 14))
    }

    @Test func severalDatagramsAreThoseOfOneSize() throws {
        let frame = arena.frame(count: 24)
        TunnelOffload.write(TunnelOffload.merged(size: 1058), to: frame, 24)
        let ending = [UInt8](repeating: 0, count: 14)
        #expect(frame.bytes == [1, 5, 42, 0, 0x22, 4, 34, 0, 6, 0] + ending)
        let back = try #require(
            TunnelOffload.received(TunnelOffload.merged(size: 1058), TunnelOffsets()))
        #expect(back.inner == OffloadHeader() && back.datagramByteCount == 1058)
    }

    @Test func theInnerChecksumOfOneFrame() throws {
        var header = tcp(kind: 0)
        header.checksumStart = 84
        let inner = try #require(TunnelOffload.received(header, TunnelOffsets()))
        #expect(inner.inner.checksumStart == 34 && inner.inner.needsChecksum)
        #expect(!inner.inner.isSuperPacket && inner.datagramByteCount == 0)
    }

    /// The outer checksum is nobody's business behind the outer headers.
    @Test func theOuterChecksumIsLeftOut() throws {
        var header = tcp(kind: 0)
        header.checksumStart = 34
        header.checksumOffset = 6
        let one = try #require(TunnelOffload.received(header, TunnelOffsets()))
        #expect(one.inner == OffloadHeader() && one.datagramByteCount == 0)
        header.segmentationKind = 5
        let several = try #require(TunnelOffload.received(header, TunnelOffsets()))
        #expect(several.inner == OffloadHeader() && several.datagramByteCount == 1398)
    }

    @Test func whatCannotBeIsRefused() {
        let right = TunnelOffsets(outerTransport: 34, innerNetwork: 64)
        func refuses(
            _ offsets: TunnelOffsets = TunnelOffsets(outerTransport: 34, innerNetwork: 64),
            _ change: (inout OffloadHeader) -> Void
        ) -> Bool {
            var header = TunnelOffload.sent(tcp(), tagByteCount: 0).header
            change(&header)
            return TunnelOffload.received(header, offsets) == nil
        }
        #expect(!refuses { _ in })
        #expect(refuses { $0.segmentationKind = 0x41 }, "over IPv6")
        #expect(refuses { $0.segmentationKind = 0x61 }, "over both")
        #expect(refuses { $0.segmentationKind = 0x20 }, "a tunnel around nothing to cut")
        #expect(refuses { $0.segmentationKind = 1 }, "TCP without a tunnel")
        #expect(refuses { $0.flags = 0 }, "no unfinished checksum")
        #expect(refuses { $0.segmentSize = 0 })
        #expect(refuses { $0.checksumStart = 64 }, "a transport header that is the network's")
        #expect(refuses { $0.checksumStart = 34 })
        #expect(refuses(TunnelOffsets()) { _ in })
        #expect(refuses(TunnelOffsets(outerTransport: 38, innerNetwork: 68)) { _ in })
        #expect(refuses(TunnelOffsets(outerTransport: 34, innerNetwork: 63)) { _ in })
        var plain = tcp(kind: 0)
        plain.checksumStart = 63
        #expect(TunnelOffload.received(plain, right) == nil, "a checksum over addresses")
    }
}
