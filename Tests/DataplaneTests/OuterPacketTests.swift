import TestKit
import Testing
import Wire

@testable import Dataplane

/// Frames of the tap underlay: what is taken, what is refused and why.
@Suite struct OuterPacketTests {
    private static let vtep = IPv4Address("198.51.100.1")!
    private static let peer = IPv4Address("198.51.100.2")!
    private let arena = FrameArena()

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let expected: String

        init(_ description: String, _ bytes: [UInt8], _ expected: String) {
            testDescription = description
            self.bytes = bytes
            self.expected = expected
        }
    }

    private static var ethernet: FrameBuilder {
        FrameBuilder.ethernet(
            destination: MACAddress(bits: 0x0200_0000_0001),
            source: MACAddress(bits: 0x0200_0000_0002))
    }

    private static func datagram(
        options: [UInt8] = [], fragment: UInt16 = 0, destination: IPv4Address = vtep,
        totalLength: Int? = nil, headerChecksum: FrameBuilder.Checksum = .right,
        length: Int? = nil, port: UInt16 = 4789, checksum: FrameBuilder.Checksum = .given(0)
    ) -> [UInt8] {
        ethernet.ipv4(
            source: peer, destination: destination, typeOfService: 0xB9, fragment: fragment,
            options: options, totalLength: totalLength, checksum: headerChecksum
        )
        .udp(sourcePort: 50000, destinationPort: port, length: length, checksum: checksum)
        .payload(count: 30).bytes
    }

    private static func report(
        type: UInt8 = 3, code: UInt8 = 4, source: IPv4Address = vtep, port: UInt16 = 4789,
        fragment: UInt16 = 0x4000, protocolNumber: UInt8 = 17, keeps count: Int = 28,
        checksum: FrameBuilder.Checksum = .right
    ) -> [UInt8] {
        let quoted = FrameBuilder.empty.ipv4(
            source: source, destination: peer, protocolNumber: protocolNumber, fragment: fragment
        )
        .udp(sourcePort: 50000, destinationPort: port, checksum: .given(0)).payload(count: 40).bytes
        return ethernet.ipv4(
            source: IPv4Address("203.0.113.9")!, destination: vtep, protocolNumber: 1
        )
        .icmp(type: type, code: code, rest: 1400, checksum: checksum)
        .payload(Array(quoted[..<count])).bytes
    }

    private static func with(_ bytes: [UInt8], _ offset: Int, _ value: UInt8) -> [UInt8] {
        var changed = bytes
        changed[offset] = value
        return changed
    }

    static let cases: [Case] = [
        Case("no checksum", datagram(), "vxlan 42+30 of 3325256706 tos 185"),
        Case("a right checksum", datagram(checksum: .right), "vxlan 42+30 of 3325256706 tos 185"),
        Case("padding", datagram() + [0, 0, 0, 0], "vxlan 42+30 of 3325256706 tos 185"),
        Case(
            "bytes of IPv4 behind UDP", datagram(length: 20), "vxlan 42+12 of 3325256706 tos 185"),
        Case("no payload", datagram(length: 8), "vxlan 42+0 of 3325256706 tos 185"),
        Case("don't fragment", datagram(fragment: 0x4000), "vxlan 42+30 of 3325256706 tos 185"),
        Case("a wrong checksum", datagram(checksum: .given(1)), "outer_bad_checksum"),
        Case(
            "a wrong header checksum", datagram(headerChecksum: .given(1)), "outer_bad_checksum"),
        Case("ARP", with(datagram(), 13, 6), "outer_bad_header"),
        Case("IPv6", with(with(datagram(), 12, 0x86), 13, 0xDD), "outer_bad_header"),
        Case("version 6", with(datagram(), 14, 0x65), "outer_bad_header"),
        Case("a header of 16 bytes", with(datagram(), 14, 0x44), "outer_bad_header"),
        Case("options", datagram(options: [1, 1, 1, 0]), "outer_bad_header"),
        Case("a first fragment", datagram(fragment: 0x2000), "outer_fragment"),
        Case("a last fragment", datagram(fragment: 0x0010), "outer_fragment"),
        Case("a total length beyond the frame", datagram(totalLength: 59), "outer_bad_length"),
        Case("a total length below the header", datagram(totalLength: 19), "outer_bad_length"),
        Case("a UDP length beyond the packet", datagram(length: 39), "outer_bad_length"),
        Case("a UDP length below the header", datagram(length: 7), "outer_bad_length"),
        Case("another address", datagram(destination: peer), "outer_not_our_vtep"),
        Case("another port", datagram(port: 4790), "outer_not_our_vtep"),
        Case("too long", report(), "path 3325256706 1400"),
        Case("too long, one byte less", report(keeps: 27), "outer_not_our_vtep"),
        Case("host unreachable", report(code: 1), "outer_not_our_vtep"),
        Case("time exceeded", report(type: 11, code: 0), "outer_not_our_vtep"),
        Case("about another's packet", report(source: peer), "outer_not_our_vtep"),
        Case("about another port", report(port: 53), "outer_not_our_vtep"),
        Case("about TCP", report(protocolNumber: 6), "outer_not_our_vtep"),
        Case("about a later fragment", report(fragment: 0x0010), "outer_not_our_vtep"),
        Case("a wrong ICMP checksum", report(checksum: .given(1)), "outer_not_our_vtep"),
    ]

    @Test(arguments: cases) func isTakenOrRefused(_ row: Case) {
        #expect(parse(row.bytes) == row.expected)
    }

    /// The kernel has looked, or the sender is on this host.
    @Test func whatTheKernelVouchesForIsNotSummed() {
        let bytes = Self.datagram(checksum: .given(1))
        #expect(parse(bytes, isVouched: true).hasPrefix("vxlan 42+30"))
    }

    /// Cut anywhere, changed anywhere: refused or within the frame, never a trap.
    @Test func brokenFramesStayWithinTheirBounds() {
        for bytes in [Self.datagram(checksum: .right), Self.datagram(), Self.report()] {
            for count in 0..<bytes.count {
                let cut = parse(Array(bytes[..<count]))
                #expect(cut.hasPrefix("outer_"), "\(count) bytes: \(cut)")
            }
            for place in 0..<bytes.count * 8 {
                _ = parse(Self.with(bytes, place / 8, bytes[place / 8] ^ UInt8(1 << (place % 8))))
            }
        }
        var random = SeededRandom.forTest("outer packets")
        for _ in 0..<5000 {
            var bytes = Self.report()
            for _ in 0..<random.int(in: 1...6) {
                bytes[random.int(in: 12...bytes.count - 1)] = UInt8(random.int(in: 0...255))
            }
            _ = parse(bytes)
        }
    }

    /// In words; a payload outside of the frame would trap here.
    private func parse(_ bytes: [UInt8], isVouched: Bool = false) -> String {
        let frame = arena.frame(bytes)
        let packet = OuterPacket.parse(
            frame, isVouched: isVouched, vtep: Self.vtep.bits, port: 4789)
        switch packet {
        case .refused(let reason): return reason.name
        case .tooLong(let report): return "path \(report.peer) \(report.mtu)"
        case .vxlan(let datagram):
            let payload = frame.dropFirst(datagram.payloadOffset).prefix(datagram.payloadByteCount)
            return "vxlan \(datagram.payloadOffset)+\(payload.count) of \(datagram.source)"
                + " tos \(datagram.typeOfService)"
        }
    }
}
