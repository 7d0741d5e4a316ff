import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Other gateways with the address of this one, behind tunnels (A-P3, D2).
@Suite struct SharedAddressTests {
    typealias Site = TestSite
    private let other = MACAddress(bits: 0x0211_0000_0210)

    private func gateway(isShared: Bool, isProxy: Bool = false) -> TestGateway {
        TestGateway(
            Site.routed.with { configuration in
                configuration.vsiInterfaces[0].distributedGateway = isShared
                configuration.vsiInterfaces[0].localProxyARP = isProxy
            })
    }

    private func tunnel(_ frame: [UInt8]) -> Arrival {
        .tunnel(from: Site.p1, vni: 10010, frame)
    }

    /// Without any proxy: hosts must go on to take this gateway's MAC address for the gateway's.
    @Test(arguments: [false, true]) func whatItSaysOfTheAddressReachesNoHost(isShared: Bool) {
        let gateway = gateway(isShared: isShared)
        let address = Site.gateway10
        let conflict: [CounterLayout.Event] = isShared ? [] : [.arpConflict]
        let announced: [CounterLayout.Event] = [.arpGratuitous]
        expectAll(
            [
                PacketCase(
                    "announcement as a reply",
                    tunnel(Site.arp(2, other, address, other, address)), .consumed,
                    events: announced + conflict),
                PacketCase(
                    "announcement as a request",
                    tunnel(Site.arp(1, other, address, .zero, address)), .consumed,
                    events: announced + conflict),
                PacketCase(
                    "answer to everybody",
                    tunnel(Site.arp(2, other, address, Site.h1.mac, Site.h1.address)), .consumed,
                    events: conflict),
                PacketCase(
                    "answer to a host",
                    tunnel(
                        Site.arp(
                            2, other, address, Site.h1.mac, Site.h1.address, to: Site.h1.mac)),
                    .consumed, events: conflict),
            ], in: gateway)
        #expect(Tally(gateway.counters).events[.arpConflict] ?? 0 == (isShared ? 0 : 4))
        #expect(gateway.agent.takeOrders().isEmpty)
    }

    /// Its question for a host does: the answer is for the gateway that asks (A-P4).
    @Test func itsQuestionsAreBridged() {
        let question = Site.arp(1, other, Site.gateway10, .zero, Site.h1.address)
        expectAll(
            [.leaves("question", tunnel(question), to: .port("a1"), .port("a2"))],
            in: gateway(isShared: true))
    }

    @Test func hostsThatClaimItAreRefusedAsEver() {
        let claim = Site.arp(2, Site.h1.mac, Site.gateway10, Site.h1.mac, Site.gateway10)
        for isShared in [false, true] {
            expectAll(
                [.dropped("claim", .device("a1", claim), .arpOwnAddressClaimed)],
                in: gateway(isShared: isShared))
        }
    }

    @Test func questionsWithTheSharedAddressAreRelayedByAProxy() {
        let gateway = gateway(isShared: true, isProxy: true)
        gateway.receive(
            tunnel(Site.arp(1, other, Site.gateway10, .zero, Site.h1.address)))
        #expect(gateway.serveOrders().places == [.port("a1"), .port("a2")])
        let answer = Site.arp(
            2, Site.h1.mac, Site.h1.address, Site.gatewayMAC, Site.gateway10,
            to: Site.gatewayMAC)
        gateway.receive(.device("a1", answer))
        #expect(gateway.serveOrders().places == [.peer("p1")])
    }
}
