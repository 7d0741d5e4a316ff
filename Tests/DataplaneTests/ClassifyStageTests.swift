import Control
import Dataplane
import Memory
import TestKit
import Testing
import Wire

@Suite struct ClassifyStageTests {
    typealias Site = TestSite
    private let frame = TestSite.udp(from: TestSite.r1, to: TestSite.h1)

    @Test func unknownVNIsAreDropped() {
        let gateway = TestGateway(Site.known)
        expectAll(
            [0, 1, 10009, 10011, 0xFF_FFFF].map { vni in
                .dropped(
                    "VNI \(vni)", .tunnel(from: Site.p1, vni: vni, frame), .vxlanUnknownVni)
            }, in: gateway)
    }

    @Test func sourcesThatCannotBeAPeerAreDropped() {
        let sources = [
            Site.vtep, .any, .broadcast, IPv4Address("127.0.0.1")!, IPv4Address("0.1.2.3")!,
            IPv4Address("224.0.0.1")!, IPv4Address("239.255.255.255")!, IPv4Address("240.0.0.1")!,
        ]
        // Even where any peer is welcome.
        for accepts in [false, true] {
            let gateway = TestGateway(Site.known.with { $0.vtep.acceptUnknownPeers = accepts })
            expectAll(
                sources.map { source in
                    .dropped(
                        "\(source)", .tunnel(from: source, vni: 10010, frame), .vxlanBadSource)
                }, in: gateway)
        }
    }

    @Test func strangersAreDroppedAndTeachNothing() {
        let gateway = TestGateway(Site.routed)
        let stranger = Site.Host(mac: MACAddress(bits: 0x02CC_0000_0001), address: Site.r1.address)
        expectAll(
            [
                Site.udp(from: stranger, to: Site.h1), Site.broadcast(from: stranger.mac),
                Site.arp(2, stranger.mac, stranger.address, .zero, Site.h1.address),
            ].map { .dropped("", .tunnel(from: Site.stranger, vni: 10010, $0), .vxlanUnknownPeer) },
            in: gateway)
        #expect(gateway.takeReports().isEmpty)
    }

    @Test func strangersAreWelcomeWhereConfigured() throws {
        let gateway = TestGateway(Site.bridged.with { $0.vtep.acceptUnknownPeers = true })
        let stranger = MACAddress(bits: 0x02CC_0000_0001)
        expectAll(
            [
                .leaves(
                    "first",
                    .tunnel(from: Site.stranger, vni: 10010, Site.broadcast(from: stranger)),
                    to: .port("a1"), .port("a2")),
                .leaves(
                    "answer", .device("a1", Site.opaque(from: Site.h1.mac, to: stranger)),
                    to: .peer(Site.stranger.description)),
                .leaves(
                    "again",
                    .tunnel(
                        from: Site.stranger, vni: 10010,
                        Site.opaque(from: stranger, to: Site.h1.mac)), to: .port("a1")),
                // What a stranger may not: a VNI that does not exist.
                .dropped(
                    "VNI", .tunnel(from: Site.stranger, vni: 5, Site.broadcast(from: stranger)),
                    .vxlanUnknownVni),
            ], in: gateway)
    }

    @Test func peersAreHeldToTheirVNIs() {
        let gateway = TestGateway(Site.known)
        let broadcast = Site.broadcast(from: Site.r2.mac)
        expectAll(
            [
                .dropped(
                    "p2 in 10020", .tunnel(from: Site.p2, vni: 10020, broadcast),
                    .vxlanPeerNotInVni),
                .dropped(
                    "p3 in 10010", .tunnel(from: Site.p3, vni: 10010, broadcast),
                    .vxlanPeerNotInVni),
                .leaves(
                    "p2 in 10010", .tunnel(from: Site.p2, vni: 10010, broadcast),
                    to: .port("a1"), .port("a2")),
                .leaves(
                    "p3 in 10030", .tunnel(from: Site.p3, vni: 10030, broadcast), to: .port("a4")),
            ], in: gateway)
    }

    @Test func aPeerWithoutAListCarriesEveryVNI() {
        let gateway = TestGateway(Site.known.with { $0.peers[2].vnis = nil })
        let broadcast = Site.broadcast(from: MACAddress(bits: 0x02CC_0000_0001))
        expectAll(
            [
                .leaves(
                    "10010", .tunnel(from: Site.p3, vni: 10010, broadcast), to: .port("a1"),
                    .port("a2")),
                .leaves("10020", .tunnel(from: Site.p3, vni: 10020, broadcast), to: .port("a3")),
            ], in: gateway)
    }

    /// Long runs of one peer and frames of many go through different loops.
    @Test(arguments: [1, 2, 3, 40])
    func aBatchIsClassifiedAndCountedAsItsFramesAre(longestRun: Int) {
        var random = SeededRandom.forTest("classify batches")
        let sources = [
            (Site.p1, UInt32(10010)), (Site.p1, 10020), (Site.p2, 10010), (Site.p3, 10030),
            (Site.p3, 10010), (Site.p1, 5), (Site.stranger, 10010), (Site.vtep, 10010),
        ]
        for _ in 0..<20 {
            var arrivals: [Arrival] = []
            // Mostly from where packets may come: what may not ends a run, whoever sent it.
            while arrivals.count < 200 {
                let isOdd = random.int(in: 0...9) == 0
                let (source, vni) = sources[random.int(in: 0...(isOdd ? 7 : 3))]
                let frame = Site.broadcast(from: MACAddress(bits: 0x02CC_0000_0001))
                for _ in 0..<random.int(in: 1...longestRun) {
                    let isLocal = random.int(in: 0...19) == 0
                    arrivals.append(
                        isLocal
                            ? .device("a1", Site.broadcast(from: Site.h1.mac))
                            : .tunnel(from: source, vni: vni, frame))
                }
            }
            let together = TestGateway(Site.known)
            let alone = TestGateway(Site.known)
            let outputs = together.receive(arrivals).outputs
            let expected = arrivals.flatMap { alone.receive($0).outputs }
            #expect(outputs.map(\.place) == expected.map(\.place))
            #expect(outputs.map(\.bytes) == expected.map(\.bytes))
            #expect(counts(together) == counts(alone))
        }
    }

    /// What ports, peers and VSIs have received, and what was dropped.
    private func counts(_ gateway: TestGateway) -> [UInt64] {
        let page = gateway.counters.page
        let indexes =
            (0..<8).flatMap { place in
                [
                    CounterLayout.index(port: place, .rxPackets),
                    CounterLayout.index(port: place, .rxBytes),
                    CounterLayout.index(peer: place, .rxPackets),
                    CounterLayout.index(peer: place, .rxBytes),
                    CounterLayout.index(vsi: place, .rxPackets),
                ]
            } + DropReason.allCases.map { CounterLayout.index($0) }
        return indexes.map { page.read($0) }
    }

    /// Whoever configures such a peer, no packet can be from it.
    @Test func aPeerWithAnAddressOfNoHostIsNone() {
        for address in [Site.vtep, IPv4Address("127.0.0.1")!, IPv4Address("224.0.0.9")!] {
            let gateway = TestGateway(
                Site.known.with { configuration in
                    configuration.peers.append(
                        Configuration.Peer(name: "none", address: address))
                })
            expectAll(
                [.dropped("", .tunnel(from: address, vni: 10010, frame), .vxlanBadSource)],
                in: gateway)
        }
    }

    @Test func frameOfADeviceThatHasLeftIsDropped() {
        let gateway = TestGateway(Site.known)
        expectAll(
            [.dropped("", .device("gone", Site.broadcast(from: Site.h1.mac)), .portDown)],
            in: gateway)
    }
}
