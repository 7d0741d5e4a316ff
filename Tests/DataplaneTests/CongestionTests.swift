import Dataplane
import TestKit
import Testing
import Wire

/// RFC 6040: the four codepoints inside against the four outside, out of a tunnel and into one.
@Suite struct CongestionTests {
    typealias Site = TestSite

    /// By inner codepoint, then outer: what is delivered; nil is dropped.
    private let decapsulated: [[UInt8?]] = [
        [0, 0, 0, nil],
        [1, 1, 1, 3],
        [2, 1, 2, 3],
        [3, 3, 3, 3],
    ]

    private func expectMerge(_ frame: (_ typeOfService: UInt8) -> [UInt8]) {
        let gateway = TestGateway(Site.known)
        for inner in UInt8(0)..<4 {
            for outer in UInt8(0)..<4 {
                // Differentiated services of the two headers, which must not mix.
                let arrival = Arrival.tunnel(
                    from: Site.p1, vni: 10010, frame(0xB8 | inner), typeOfService: 0x48 | outer)
                let name = "inner \(inner), outer \(outer)"
                let merged = decapsulated[Int(inner)][Int(outer)]
                expectAll(
                    [
                        merged.map {
                            PacketCase(
                                name, arrival, .leaves([.init(.port("a1"), frame(0xB8 | $0))]))
                        } ?? .dropped(name, arrival, .ecnInvalid)
                    ], in: gateway)
            }
        }
    }

    @Test func outOfATunnelIPv4() {
        // The frames compared carry right checksums, so a merge that forgets its own shows.
        expectMerge { Site.udp(from: Site.r1, to: Site.h1, typeOfService: $0) }
    }

    @Test func outOfATunnelIPv6() {
        expectMerge { Site.udp6(from: Site.r1, to: Site.h1, trafficClass: $0) }
    }

    @Test func marksOutsideOfWhatIsNotIPAreIgnored() {
        let gateway = TestGateway(Site.known)
        for frame in [
            Site.opaque(from: Site.r1.mac, to: Site.h1.mac),
            Array(Site.udp(from: Site.r1, to: Site.h1).prefix(33)),
            Array(Site.udp6(from: Site.r1, to: Site.h1).prefix(53)),
        ] {
            for outer in UInt8(0)..<4 {
                expectAll(
                    [
                        .leaves(
                            "outer \(outer)",
                            .tunnel(from: Site.p1, vni: 10010, frame, typeOfService: outer),
                            to: .port("a1"))
                    ], in: gateway)
            }
        }
    }

    @Test func aLocalFrameKeepsItsMark() {
        let gateway = TestGateway(Site.known)
        for codepoint in UInt8(0)..<4 {
            expectAll(
                [
                    .leaves(
                        "\(codepoint)",
                        .device(
                            "a1", Site.udp(from: Site.h1, to: Site.h2, typeOfService: codepoint)),
                        to: .port("a2"))
                ], in: gateway)
        }
    }

    @Test func intoATunnelTheMarkIsCopied() {
        let gateway = TestGateway(Site.known)
        for codepoint in UInt8(0)..<4 {
            let frames = [
                Site.udp(from: Site.h1, to: Site.r1, typeOfService: 0xB8 | codepoint),
                Site.udp6(from: Site.h1, to: Site.r1, trafficClass: 0xB8 | codepoint),
            ]
            for output in gateway.receive(frames.map { .device("a1", $0) }).outputs {
                #expect(output.outer?.typeOfService == codepoint)
            }
        }
    }
}
