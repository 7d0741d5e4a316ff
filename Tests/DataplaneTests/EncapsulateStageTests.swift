import Control
import Dataplane
import TestKit
import Testing
import Wire

@Suite struct EncapsulateStageTests {
    typealias Site = TestSite

    /// A frame whose IPv4 packet has this many bytes.
    private func packet(byteCount: Int, from sender: Site.Host = Site.h1) -> [UInt8] {
        Site.udp(from: sender, to: Site.r1, payloadCount: byteCount - 28)
    }

    private func outer(_ configuration: Configuration, _ frame: [UInt8]) -> Output.Outer? {
        TestGateway(configuration).receive(.device("a1", frame)).outputs.first?.outer
    }

    @Test func bytesOnTheWire() throws {
        // AC-001: VNI 10010 is 0x27 0x1a.
        let frame = Site.udp(from: Site.h1, to: Site.r1)
        #expect(frame.count == 60)
        let turn = TestGateway(Site.known).receive(.device("a1", frame))
        let output = try #require(turn.outputs.first)
        #expect(turn.outputs.count == 1)
        #expect(output.place == .peer("p1"))
        #expect(output.bytes == [8, 0, 0, 0, 0, 0x27, 0x1A, 0] + frame)
        let outer = try #require(output.outer)
        #expect(outer.timeToLive == 64 && outer.typeOfService == 0 && outer.doNotFragment)
        #expect(outer.sourcePort < 16)
    }

    @Test func theUnderlayDecidesWhatFits() {
        let gateway = TestGateway(Site.known)
        expectAll(
            [
                .leaves("1449", .device("a1", packet(byteCount: 1449)), to: .peer("p1")),
                .leaves("1450", .device("a1", packet(byteCount: 1450)), to: .peer("p1")),
                .dropped("1451", .device("a1", packet(byteCount: 1451)), .encapMtu),
                .dropped("1500", .device("a1", packet(byteCount: 1500)), .encapMtu),
                .dropped("65507", .device("a1", packet(byteCount: 65_500)), .encapMtu),
                // Nothing is in front of a local frame.
                .leaves(
                    "local 1500",
                    .device("a1", Site.udp(from: Site.h1, to: Site.h2, payloadCount: 1472)),
                    to: .port("a2")),
            ], in: gateway)
    }

    @Test func aKeptTagTakesItsFourBytes() {
        let gateway = TestGateway(Site.known.with(vsi: "v10") { $0.innerVLAN = .keep })
        func tagged(_ byteCount: Int) -> [UInt8] {
            let frame = packet(byteCount: byteCount)
            return Array(frame[..<12]) + [0x81, 0, 0, 30] + frame[12...]
        }
        expectAll(
            [
                .leaves("1446", .device("a1", tagged(1446)), to: .peer("p1")),
                .dropped("1447", .device("a1", tagged(1447)), .encapMtu),
            ], in: gateway)
    }

    @Test(arguments: [576, 1280, 1500, 9000])
    func everyMTUHasItsEdge(mtu: Int) {
        var environment = TestGateway.environment(of: Site.known)
        environment.underlayMTU = mtu
        let gateway = TestGateway(Site.known, environment: environment)
        expectAll(
            [
                .leaves("fits", .device("a1", packet(byteCount: mtu - 50)), to: .peer("p1")),
                .dropped("one more", .device("a1", packet(byteCount: mtu - 49)), .encapMtu),
            ], in: gateway)
    }

    @Test func anUnknownMTUForbidsNothing() {
        var environment = TestGateway.environment(of: Site.known)
        environment.underlayMTU = 0
        expectAll(
            [.leaves("", .device("a1", packet(byteCount: 9000)), to: .peer("p1"))],
            in: TestGateway(Site.known, environment: environment))
    }

    @Test func aCopyThatDoesNotFitIsCountedForItself() {
        let frame = packet(byteCount: 1451).replacing(destination: .broadcast)
        let turn = TestGateway(Site.known).receive(.device("a1", frame))
        #expect(turn.places == [.port("a2")])
        #expect(turn.tally.drops == [.encapMtu: 2])
        #expect(turn.isBalanced)
    }

    @Test func aSuperPacketIsHeldAgainstTheMTUByItsSegments() {
        let frame = FrameBuilder.ethernet(destination: Site.r1.mac, source: Site.h1.mac)
            .ipv4(source: Site.h1.address, destination: Site.r1.address)
            .tcp(sourcePort: 1, destinationPort: 2, checksum: .unfinished).payload(count: 20_000)
            .bytes
        let segmentation = Segmentation(
            kind: .tcp4, isCongestionAware: false, segmentSize: 1400, headerLength: 54,
            checksumStart: 34, checksumOffset: 16, needsChecksum: true)
        let turn = TestGateway(Site.known).receive(
            Arrival(.device("a1", tag: 0), frame, segmentation: segmentation))
        #expect(turn.places == [.peer("p1")])
        #expect(turn.isBalanced)
    }

    @Test func timeToLiveIsFixedOrThatOfThePacket() {
        func ttl(_ setting: Configuration.OuterTTL, _ frame: [UInt8]) -> UInt8? {
            outer(Site.known.with { $0.vtep.ttl = setting }, frame)?.timeToLive
        }
        for inner: UInt8 in [0, 1, 2, 64, 255] {
            let frame = Site.udp(from: Site.h1, to: Site.r1, timeToLive: inner)
            #expect(ttl(.fixed(64), frame) == 64)
            #expect(ttl(.fixed(255), frame) == 255)
            #expect(ttl(.inherit, frame) == max(inner, 1))
            let frame6 = Site.udp6(from: Site.h1, to: Site.r1, hopLimit: inner)
            #expect(ttl(.fixed(1), frame6) == 1)
            #expect(ttl(.inherit, frame6) == max(inner, 1))
        }
        #expect(ttl(.inherit, Site.opaque(from: Site.h1.mac, to: Site.r1.mac)) == 64)
        #expect(ttl(.inherit, Array(Site.udp(from: Site.h1, to: Site.r1).prefix(33))) == 64)
    }

    @Test func differentiatedServicesAreFixedOrThoseOfThePacket() {
        func tos(_ setting: Configuration.OuterDSCP, _ frame: [UInt8]) -> UInt8? {
            outer(Site.known.with { $0.vtep.dscp = setting }, frame)?.typeOfService
        }
        for inner in stride(from: UInt8(0), through: 252, by: 4) {
            let frame = Site.udp(from: Site.h1, to: Site.r1, typeOfService: inner)
            let frame6 = Site.udp6(from: Site.h1, to: Site.r1, trafficClass: inner)
            #expect(tos(.inherit, frame) == inner)
            #expect(tos(.inherit, frame6) == inner)
            #expect(tos(.fixed(46), frame) == 0xB8)
        }
        #expect(tos(.fixed(0), Site.udp(from: Site.h1, to: Site.r1, typeOfService: 0x14)) == 0)
        #expect(tos(.fixed(63), Site.opaque(from: Site.h1.mac, to: Site.r1.mac)) == 0xFC)
        #expect(tos(.inherit, Site.opaque(from: Site.h1.mac, to: Site.r1.mac)) == 0)
        // Congestion marks do not belong to it.
        #expect(tos(.fixed(46), Site.udp(from: Site.h1, to: Site.r1, typeOfService: 3)) == 0xBB)
    }

    @Test func doNotFragmentIsFixedOrThatOfThePacket() {
        let frames: [(frame: [UInt8], inherited: Bool)] = [
            (Site.udp(from: Site.h1, to: Site.r1, fragment: 0x4000), true),
            (Site.udp(from: Site.h1, to: Site.r1, fragment: 0), false),
            (Site.udp6(from: Site.h1, to: Site.r1), true),
            (Site.opaque(from: Site.h1.mac, to: Site.r1.mac), false),
        ]
        for (frame, inherited) in frames {
            for (setting, expected) in [
                (Configuration.OuterDF.set, true), (.unset, false), (.inherit, inherited),
            ] {
                let configuration = Site.known.with { $0.vtep.df = setting }
                #expect(outer(configuration, frame)?.doNotFragment == expected)
            }
        }
    }
}

extension [UInt8] {
    /// The frame to another MAC address.
    func replacing(destination: MACAddress) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: destination.bits >> UInt64(40 - 8 * $0)) }
            + dropFirst(6)
    }
}
