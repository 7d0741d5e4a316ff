import Control
import Dataplane
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

    @Test func frameOfADeviceThatHasLeftIsDropped() {
        let gateway = TestGateway(Site.known)
        expectAll(
            [.dropped("", .device("gone", Site.broadcast(from: Site.h1.mac)), .portDown)],
            in: gateway)
    }
}
