import Dataplane
import TestKit
import Testing
import Uring
import Wire

@testable import Gateway

@Suite struct OffloadMappingTests {
    private let arena = FrameArena()
    private let macA = MACAddress(bits: 0x0200_0000_0001)
    private let macB = MACAddress(bits: 0x0200_0000_0002)

    private func frame(etherType: UInt16, tags: Int = 0) -> FrameView {
        var builder = FrameBuilder.ethernet(
            destination: macB, source: macA, etherType: tags == 0 ? etherType : nil)
        for tag in 0..<tags {
            builder = builder.vlan(UInt16(tag + 1), etherType: tag == tags - 1 ? etherType : nil)
        }
        return arena.frame(builder.payload(count: 60).bytes)
    }

    private func header(kind: UInt8, size: UInt16 = 1448) -> OffloadHeader {
        var header = OffloadHeader()
        header.flags = OffloadHeader.needsChecksum
        header.segmentationKind = kind
        header.headerLength = 66
        header.segmentSize = size
        header.checksumStart = 34
        header.checksumOffset = 16
        return header
    }

    @Test func aPlainFrameHasNone() {
        let result = OffloadMapping.segmentation(
            OffloadHeader(), frame: frame(etherType: EtherType.ipv4))
        #expect(!result.isSuperPacket && !result.needsChecksum)
    }

    @Test func kindsOfSuperPackets() {
        let rows: [(UInt8, UInt16, Segmentation.Kind)] = [
            (1, EtherType.ipv4, .tcp4), (4, EtherType.ipv6, .tcp6), (5, EtherType.ipv4, .udp4),
            (5, EtherType.ipv6, .udp6),
        ]
        for (kind, type, expected) in rows {
            for tags in 0...2 {
                for mark in [0, OffloadHeader.congestionMark] {
                    let given = header(kind: kind | mark)
                    let result = OffloadMapping.segmentation(
                        given, frame: frame(etherType: type, tags: tags))
                    #expect(result.kind == expected)
                    #expect(result.isCongestionAware == (mark != 0))
                    #expect(result.segmentSize == 1448 && result.needsChecksum)
                    // And back, as another device gets it.
                    let back = OffloadMapping.header(result)
                    #expect(back.segmentationKind == given.segmentationKind)
                    #expect(back.segmentSize == given.segmentSize)
                    #expect(back.headerLength == given.headerLength)
                    #expect(back.checksumStart == given.checksumStart)
                    #expect(back.checksumOffset == given.checksumOffset)
                    #expect(back.flags == given.flags)
                }
            }
        }
    }

    @Test func aChecksumAloneIsNoSuperPacket() {
        let result = OffloadMapping.segmentation(
            header(kind: 0), frame: frame(etherType: EtherType.ipv4))
        #expect(!result.isSuperPacket && result.needsChecksum)
        let back = OffloadMapping.header(result)
        #expect(back.segmentationKind == 0 && back.segmentSize == 0)
        #expect(back.checksumStart == 34 && back.checksumOffset == 16)
    }

    @Test func everyHeaderAGuestMayWriteHasAMeaning() {
        for kind in UInt8(0)...255 {
            for size: UInt16 in [0, 1, 65_535] {
                for count in [0, 11, 12, 13, 14, 17, 18] {
                    let short = arena.frame([UInt8](repeating: 0x81, count: count))
                    let result = OffloadMapping.segmentation(
                        header(kind: kind, size: size), frame: short)
                    _ = OffloadMapping.header(result)
                }
            }
        }
    }
}
