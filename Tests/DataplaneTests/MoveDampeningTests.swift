import Control
import Dataplane
import Tables
import TestKit
import Testing
import Wire

/// What moves too often, packet by packet (D9).
@Suite struct MoveDampeningTests {
    typealias Site = TestSite
    private let mac = MACAddress(bits: 0x02CC_0000_0007)

    private var atPort: Arrival { .device("a1", Site.broadcast(from: mac)) }
    private var atPeer: Arrival {
        .tunnel(from: Site.p1, vni: 10010, Site.broadcast(from: mac))
    }

    @Test func framesFromElsewhereAreDroppedWhileItIsFrozen() {
        let gateway = TestGateway(Site.bridged)
        for arrival in [atPort, atPeer, atPort, atPeer, atPort] { gateway.receive(arrival) }
        expectAll(
            [
                .leaves("the fifth move", atPeer, to: .port("a1"), .port("a2")),
                .dropped("elsewhere", atPort, .macFrozen),
                .dropped(
                    "another port", .device("a2", Site.broadcast(from: mac)), .macFrozen),
                .leaves("where it is", atPeer, to: .port("a1"), .port("a2")),
                .leaves(
                    "to it", .device("a2", Site.opaque(from: Site.h2.mac, to: mac)),
                    to: .peer("p1")),
                .leaves(
                    "another source", .device("a1", Site.broadcast(from: Site.h1.mac)),
                    to: .port("a2"), .peer("p1"), .peer("p2")),
            ], in: gateway)
        #expect(gateway.agent.events.fdbMoves == 5)
        for _ in 0..<18 {
            gateway.advance(seconds: 10)
            gateway.receive(atPeer)
        }
        expectAll(
            [.leaves("again", atPort, to: .port("a2"), .peer("p1"), .peer("p2"))], in: gateway)
        #expect(gateway.agent.events.fdbMoves == 6)
    }

    @Test func aFrozenMACTellsTheAgentNothing() {
        let gateway = TestGateway(Site.bridged)
        for arrival in [atPort, atPeer, atPort, atPeer, atPort, atPeer] {
            gateway.receive(arrival)
        }
        gateway.agentFollows = false
        let turn = gateway.receive([Arrival](repeating: atPort, count: 100))
        #expect(turn.tally.drops == [.macFrozen: 100])
        #expect(gateway.takeReports().isEmpty)
    }

    /// A machine's address that two claim, at a port and behind a tunnel: with local proxy ARP the
    /// one that is not believed is answered, but what it says goes no further.
    @Test func aFrozenAddressIsNotSpread() {
        let gateway = TestGateway(
            Site.routed.with { $0.vsiInterfaces[0].localProxyARP = true })
        let here = Arrival.device(
            "a1", Site.arp(1, Site.h1.mac, Site.h1.address, .zero, Site.h2.address))
        let there = Arrival.tunnel(
            from: Site.p1, vni: 10010,
            Site.arp(1, Site.r1.mac, Site.h1.address, .zero, Site.h2.address))
        for arrival in [here, there, here, there, here, there] {
            // Sooner, what comes from where it was is taken for late.
            gateway.advance(milliseconds: 200)
            gateway.receive(arrival)
            _ = gateway.serveOrders()
        }
        #expect(gateway.agent.events.arpFrozen == 1)
        gateway.receive(here)
        #expect(gateway.serveOrders().places == [.port("a1")])
        let announcement = Site.arp(1, Site.h1.mac, Site.h1.address, .zero, Site.h1.address)
        gateway.receive(.device("a1", announcement))
        #expect(gateway.serveOrders().places == [])
        #expect(gateway.agent.events.arpRefused == 2)
        // Who is believed is relayed as ever.
        gateway.receive(there)
        #expect(gateway.serveOrders().places == [.port("a1"), .port("a2")])
    }
}
