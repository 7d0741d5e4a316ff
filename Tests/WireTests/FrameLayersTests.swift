import TestKit
import Testing
import Wire

@Suite struct FrameLayersTests {
    let arena = FrameArena()

    @Test func `Layers are found behind tags, options and extension headers`() throws {
        let tagged = Sample.ethernet.vlan(1, tagProtocol: 0x88A8).vlan(2)
        let four = tagged.ipv4(
            source: Sample.ipA, destination: Sample.ipB, options: [1, 1, 1, 0]
        ).tcp(sourcePort: 1, destinationPort: 2, options: [1, 1, 1, 0]).payload(count: 10)
        let frame = arena.frame(four.bytes + [0, 0, 0])
        let layers = try #require(FrameLayers.parse(frame))
        #expect(layers.layer3Offset == 22 && layers.transportOffset == 46)
        #expect(layers.payloadOffset == 70 && layers.endOffset == 80 && !layers.isIPv6)
        #expect(layers.protocolNumber == 6 && layers.checksumOffset == 62)
        let hopByHop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let destination: [UInt8] = [17, 1] + [UInt8](repeating: 0, count: 14)
        let six = Sample.ethernet.ipv6(
            source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 0,
            extensions: hopByHop + destination
        ).udp(sourcePort: 1, destinationPort: 2).payload(count: 10)
        let layers6 = try #require(FrameLayers.parse(arena.frame(six.bytes)))
        #expect(layers6.layer3Offset == 14 && layers6.transportOffset == 78 && layers6.isIPv6)
        #expect(layers6.payloadOffset == 86 && layers6.endOffset == 96)
        #expect(layers6.protocolNumber == 17 && layers6.checksumOffset == 84)
    }

    @Test func `The pseudo-header completes a right checksum`() throws {
        for builder in [
            Sample.ethernet.ipv4(source: Sample.ipA, destination: Sample.ipB),
            Sample.ethernet.ipv6(source: Sample.ip6A, destination: Sample.ip6B),
        ] {
            let frame = arena.frame(
                builder.tcp(sourcePort: 7, destinationPort: 8).payload(count: 33).bytes)
            let layers = try #require(FrameLayers.parse(frame))
            let sum = InternetChecksum.sum(
                frame, offset: layers.transportOffset, length: layers.transportByteCount,
                initial: layers.pseudoHeader(frame, length: layers.transportByteCount))
            #expect(InternetChecksum.fold(sum) == 0xFFFF)
        }
    }

    @Test func `Other packets have no such layers`() {
        let ip = (Sample.ipA, Sample.ipB)
        let refused: [FrameBuilder] = [
            Sample.ethernet.arp(
                operation: 1, senderMAC: Sample.macA, senderIP: ip.0, targetMAC: .zero,
                targetIP: ip.1),
            Sample.ethernet.ipv4(source: ip.0, destination: ip.1).icmp(type: 8),
            Sample.ethernet.ipv4(source: ip.0, destination: ip.1, fragment: 0x2000)
                .udp(sourcePort: 1, destinationPort: 2),
            Sample.ethernet.ipv4(source: ip.0, destination: ip.1, totalLength: 27)
                .udp(sourcePort: 1, destinationPort: 2),
            Sample.ethernet.ipv6(
                source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 44,
                extensions: [17, 0, 0, 1, 0, 0, 0, 1]
            ).udp(sourcePort: 1, destinationPort: 2),
            Sample.ethernet.ipv6(
                source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 0,
                extensions: [17, 255, 0, 0, 0, 0, 0, 0]
            ).udp(sourcePort: 1, destinationPort: 2),
            Sample.ethernet.vlan(1).vlan(2).vlan(3).ipv4(source: ip.0, destination: ip.1)
                .udp(sourcePort: 1, destinationPort: 2),
        ]
        for builder in refused { #expect(FrameLayers.parse(arena.frame(builder.bytes)) == nil) }
    }

    @Test func `A packet cut anywhere is refused`() {
        for bytes in [
            Sample.ethernet.vlan(3).ipv4(source: Sample.ipA, destination: Sample.ipB)
                .tcp(sourcePort: 1, destinationPort: 2).payload(count: 4).bytes,
            Sample.ethernet.ipv6(
                source: Sample.ip6A, destination: Sample.ip6B, nextHeader: 0,
                extensions: [17, 0, 1, 4, 0, 0, 0, 0]
            ).udp(sourcePort: 1, destinationPort: 2).payload(count: 4).bytes,
        ] {
            arena.forEachTruncation(of: bytes) { #expect(FrameLayers.parse($0) == nil) }
            #expect(FrameLayers.parse(arena.frame(bytes)) != nil)
        }
    }
}
