import Control
import Dataplane
import TestKit
import Testing
import Wire

/// VTEPs that no configuration names, where `accept-unknown-peers` lets them in: their very first
/// packet is answered, though they have no place in the tables when it comes.
@Suite struct StrangerTests {
    typealias Site = TestSite

    private func gateway(isProxy: Bool = false) -> TestGateway {
        TestGateway(
            Site.routed.with { configuration in
                configuration.vtep.acceptUnknownPeers = true
                configuration.timers = .init(arpRetrySeconds: 1, arpAttempts: 1)
                configuration.vsiInterfaces[0].localProxyARP = isProxy
            })
    }

    private let stranger = Output.Place.peer(TestSite.stranger.description)

    private func arrival(_ frame: [UInt8]) -> Arrival {
        .tunnel(from: Site.stranger, vni: 10010, frame)
    }

    private func answer(padded: Bool = true) -> [UInt8] {
        let frame = Site.arp(
            2, Site.gatewayMAC, Site.gateway10, Site.r1.mac, Site.r1.address, to: Site.r1.mac)
        return padded ? frame : Array(frame.prefix(42))
    }

    @Test func theFirstARPRequestIsAnswered() {
        let request = arrival(Site.arpRequest(from: Site.r1, for: Site.gateway10))
        for isProxy in [false, true] {
            let gateway = gateway(isProxy: isProxy)
            let first = gateway.receive(request)
            #expect(first.verdicts == [.consumed] && first.outputs.isEmpty && first.isBalanced)
            let orders = gateway.serveOrders()
            #expect(orders.places == [stranger] && orders.isBalanced)
            #expect(orders.outputs.first?.frame == answer(padded: !isProxy))
        }
        let gateway = gateway()
        gateway.receive(request)
        _ = gateway.serveOrders()
        // From then on by the worker itself.
        expectAll(
            [PacketCase("again", request, .leaves([.init(stranger, answer())]))], in: gateway)
    }

    @Test func theFirstEchoRequestIsAnswered() {
        let gateway = gateway()
        let ping = FrameBuilder.ethernet(destination: Site.gatewayMAC, source: Site.r1.mac)
            .ipv4(source: Site.r1.address, destination: Site.gateway10)
            .icmp(type: 8).payload(count: 32).bytes
        let turn = gateway.receive(arrival(ping))
        #expect(turn.verdicts == [.consumed] && turn.isBalanced)
        let orders = gateway.serveOrders()
        #expect(orders.places == [stranger])
        let reply = orders.outputs.first?.frame ?? []
        #expect(reply.count == ping.count && reply[34] == 0 && reply.suffix(36) == ping.suffix(36))
    }

    @Test func itHearsICMPErrorsAboutItsFirstPacket() {
        let gateway = gateway()
        let expired = Site.udp(
            from: Site.r1, to: Site.h3, destinationMAC: Site.gatewayMAC, timeToLive: 1)
        #expect(gateway.receive(arrival(expired)).tally.drops == [.ttlExceeded: 1])
        let orders = gateway.serveOrders()
        #expect(orders.places == [stranger])
        #expect(orders.outputs.first.map { Array($0.frame[34...35]) } == [11, 0])
    }

    @Test func itsFirstPacketWaitsAndGoesOn() {
        let gateway = gateway()
        let packet = Site.udp(from: Site.r1, to: Site.h3, destinationMAC: Site.gatewayMAC)
        #expect(gateway.receive(arrival(packet)).verdicts == [.held])
        _ = gateway.serveOrders()
        gateway.receive(
            .device(
                "a3",
                Site.arp(
                    2, Site.h3.mac, Site.h3.address, Site.gatewayMAC, Site.gateway20,
                    to: Site.gatewayMAC)))
        #expect(gateway.serveOrders().places == [.port("a3")])
        #expect(Tally(gateway.counters).held == 0)
    }

    @Test func aFloodOfThemIsHeldToTheBudgetOfTheTunnels() {
        let gateway = gateway()
        gateway.agentFollows = false
        let request = arrival(Site.arpRequest(from: Site.r1, for: Site.gateway10))
        let turn = gateway.receive([Arrival](repeating: request, count: 2000))
        #expect(turn.isBalanced && turn.outputs.isEmpty)
        #expect(turn.tally.dropped > 1000)
    }
}
