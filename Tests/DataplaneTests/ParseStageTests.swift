import Control
import Dataplane
import TestKit
import Testing
import Wire

@Suite struct ParseStageTests {
    typealias Site = TestSite
    private let frame = TestSite.udp(from: TestSite.r1, to: TestSite.h1)

    private func header(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }

    /// I flag and VNI 10010.
    private let rightHeader: UInt64 = 8 << 56 | 10010 << 8

    /// The 39 bits that are neither the I flag nor the VNI.
    private var reservedBits: [UInt64] {
        (0..<64).map { 1 << UInt64($0) }.filter { $0 & (8 << 56 | 0xFFFF_FF00) == 0 }
    }

    @Test func flagIMustBeSet() {
        let gateway = TestGateway(Site.known)
        for flags in UInt64(0)...255 {
            let arrival = Arrival.underlay(
                from: Site.p1, header(flags << 56 | 10010 << 8) + frame)
            let row: PacketCase =
                flags & 8 == 0
                ? .dropped("flags \(flags)", arrival, .vxlanNoIFlag)
                : .leaves(
                    "flags \(flags)", arrival, to: .port("a1"),
                    events: flags == 8 ? [] : [.reservedBitsSeen])
            expectAll([row], in: gateway)
        }
    }

    @Test func reservedBitsAreIgnoredAndCounted() {
        #expect(reservedBits.count == 39)
        let gateway = TestGateway(Site.known)
        expectAll(
            reservedBits.map { bit in
                .leaves(
                    "bit \(bit.trailingZeroBitCount)",
                    .underlay(from: Site.p1, header(rightHeader | bit) + frame), to: .port("a1"),
                    events: [.reservedBitsSeen])
            }, in: gateway)
        let clean = gateway.receive(.underlay(from: Site.p1, header(rightHeader) + frame))
        #expect(clean.tally.events[.reservedBitsSeen] == nil)
    }

    @Test func reservedBitsAreRefusedWhereStrict() {
        let gateway = TestGateway(Site.known.with { $0.vtep.reservedBits = .strict })
        expectAll(
            reservedBits.map { bit in
                .dropped(
                    "bit \(bit.trailingZeroBitCount)",
                    .underlay(from: Site.p1, header(rightHeader | bit) + frame),
                    .vxlanReservedBits)
            }, in: gateway)
        expectAll(
            [
                .leaves(
                    "clean", .underlay(from: Site.p1, header(rightHeader) + frame),
                    to: .port("a1"))
            ], in: gateway)
    }

    @Test func everyLengthOfATunnelledFrameHasAVerdict() {
        let gateway = TestGateway(Site.known)
        let whole = header(rightHeader) + frame
        for length in 0...whole.count {
            let cut = Array(whole.prefix(length))
            let arrival = Arrival.underlay(from: Site.p1, cut)
            let row: PacketCase =
                length < 8
                ? .dropped("\(length) bytes", arrival, .vxlanShort)
                : length < 22
                    ? .dropped("\(length) bytes", arrival, .innerRunt)
                    : .leaves("\(length) bytes", arrival, to: .port("a1"))
            expectAll([row], in: gateway)
        }
    }

    @Test func everyLengthOfALocalFrameHasAVerdict() {
        let gateway = TestGateway(Site.known)
        let whole = Site.udp(from: Site.h1, to: Site.h2)
        for length in 0...whole.count {
            let arrival = Arrival.device("a1", Array(whole.prefix(length)))
            expectAll(
                [
                    length < 14
                        ? .dropped("\(length) bytes", arrival, .innerRunt)
                        : .leaves("\(length) bytes", arrival, to: .port("a2"))
                ], in: gateway)
        }
    }

    @Test func aTagNeedsItsFourBytes() {
        let tagged = FrameBuilder.ethernet(destination: Site.h1.mac, source: Site.r1.mac)
            .vlan(0, etherType: 0x9999).bytes
        let gateway = TestGateway(Site.known)
        for length in 14..<18 {
            let cut = Array(tagged.prefix(length))
            expectAll(
                [
                    .dropped(
                        "tunnel, \(length)", .tunnel(from: Site.p1, vni: 10010, cut), .innerRunt),
                    .dropped("device, \(length)", .device("a2", cut), .innerRunt),
                ], in: gateway)
        }
        expectAll(
            [
                PacketCase(
                    "tunnel, 18", .tunnel(from: Site.p1, vni: 10010, tagged),
                    .leaves([.init(.port("a1"), Array(tagged.prefix(12)) + [0x99, 0x99])]))
            ], in: gateway)
    }

    @Test func sourceMustBeOneStation() {
        let gateway = TestGateway(Site.known)
        for source: UInt64 in [
            0, 0x0100_5E00_0001, 0xFFFF_FFFF_FFFF, 0x0100_0000_0000, 0x3333_0000_0001,
        ] {
            let frame = Site.broadcast(from: MACAddress(bits: source))
            expectAll(
                [
                    .dropped("device \(source)", .device("a1", frame), .smacInvalid),
                    .dropped(
                        "tunnel \(source)", .tunnel(from: Site.p1, vni: 10010, frame),
                        .smacInvalid),
                ], in: gateway)
        }
        #expect(gateway.takeReports().isEmpty)
    }

    @Test func payloadsOfEveryKindCrossUnchanged() {
        let kinds: [(UInt16, [UInt8])] = [
            (0x86DD, [6] + [UInt8](repeating: 0, count: 30)), (0x0800, [0x45, 0, 0]),
            (0x8847, [1, 2, 3, 4]), (0x0026, [0xAA, 0xAA, 3]), (0x9999, []), (0x0000, [1]),
        ]
        let gateway = TestGateway(Site.known)
        for (type, payload) in kinds {
            let out = Site.opaque(
                from: Site.h1.mac, to: Site.r1.mac, etherType: type, payload: payload)
            let back = Site.opaque(
                from: Site.r1.mac, to: Site.h1.mac, etherType: type, payload: payload)
            expectAll(
                [
                    .leaves("out \(type)", .device("a1", out), to: .peer("p1")),
                    .leaves(
                        "back \(type)", .tunnel(from: Site.p1, vni: 10010, back), to: .port("a1")),
                ], in: gateway)
        }
    }
}
