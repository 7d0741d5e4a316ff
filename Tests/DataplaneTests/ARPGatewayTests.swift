import Control
import Dataplane
import TestKit
import Testing
import Wire

/// ARP for the addresses of the gateway itself, and the budget for it.
@Suite struct ARPGatewayTests {
    typealias Site = TestSite

    private func answer(to host: Site.Host, for address: IPv4Address) -> [UInt8] {
        Site.arp(2, Site.gatewayMAC, address, host.mac, host.address, to: host.mac)
    }

    @Test func everybodyIsAnsweredAndNobodyElseHearsIt() {
        let probe = Site.arp(1, Site.h1.mac, .any, .zero, Site.gateway10)
        expectAll(
            [
                PacketCase(
                    "broadcast", .device("a1", Site.arpRequest(from: Site.h1, for: Site.gateway10)),
                    .leaves([.init(.port("a1"), answer(to: Site.h1, for: Site.gateway10))]),
                    events: [.arpAnswered]),
                PacketCase(
                    "unicast",
                    .device(
                        "a2",
                        Site.arpRequest(from: Site.h2, for: Site.gateway10, to: Site.gatewayMAC)),
                    .leaves([.init(.port("a2"), answer(to: Site.h2, for: Site.gateway10))])),
                PacketCase(
                    "peer",
                    .tunnel(
                        from: Site.p1, vni: 10010,
                        Site.arpRequest(from: Site.r1, for: Site.gateway10)),
                    .leaves([.init(.peer("p1"), answer(to: Site.r1, for: Site.gateway10))])),
                PacketCase(
                    "probe", .device("a1", probe),
                    .leaves([
                        .init(
                            .port("a1"),
                            Site.arp(
                                2, Site.gatewayMAC, Site.gateway10, Site.h1.mac, .any,
                                to: Site.h1.mac))
                    ]), events: [.arpAnswered]),
                PacketCase(
                    "other VRF", .device("a4", Site.arpRequest(from: Site.h4, for: Site.gateway10)),
                    .leaves([.init(.port("a4"), answer(to: Site.h4, for: Site.gateway10))])),
            ], in: TestGateway(Site.routed))
    }

    @Test func nobodyTakesTheGatewaysAddress() throws {
        let thief = Site.Host(mac: Site.h1.mac, address: Site.gateway10)
        let shared = Site.Host(
            mac: MACAddress(bits: 0x02BB_0000_00FE), address: Site.gateway10)
        let gateway = TestGateway(Site.routed)
        expectAll(
            [
                .dropped(
                    "request", .device("a1", Site.arpRequest(from: thief, for: Site.r1.address)),
                    .arpOwnAddressClaimed),
                .dropped(
                    "announcement",
                    .device("a1", Site.arpRequest(from: thief, for: Site.gateway10)),
                    .arpOwnAddressClaimed),
                .dropped(
                    "reply",
                    .device(
                        "a1",
                        Site.arp(2, thief.mac, thief.address, .zero, Site.h2.address)),
                    .arpOwnAddressClaimed),
                // From a peer it is the gateway that shares the address, asking for a host here.
                .leaves(
                    "peer asks",
                    .tunnel(
                        from: Site.p1, vni: 10010,
                        Site.arpRequest(from: shared, for: Site.h1.address)),
                    to: .port("a1"), .port("a2")),
                PacketCase(
                    "peer announces",
                    .tunnel(
                        from: Site.p1, vni: 10010,
                        Site.arpRequest(from: shared, for: Site.gateway10)),
                    .consumed),
            ], in: gateway)
        let rows = try gateway.agent.arpReport(Selection(), now: gateway.now)
        #expect(rows.count == 3 && rows.allSatisfy { $0.kind == .own })
        #expect(rows.allSatisfy { $0.mac == Site.gatewayMAC.description })
    }

    @Test func repliesToTheGatewayEndThere() {
        expectAll(
            [
                PacketCase(
                    "",
                    .device(
                        "a1",
                        Site.arp(
                            2, Site.h1.mac, Site.h1.address, Site.gatewayMAC, Site.gateway10,
                            to: Site.gatewayMAC)), .consumed)
            ], in: TestGateway(Site.routed))
    }

    // MARK: The budget

    private func gateway(rate: Int) -> TestGateway {
        TestGateway(Site.routed.with { $0.limits.arpPuntPerSecond = rate })
    }

    private let request = Arrival.device(
        "a1", TestSite.arpRequest(from: TestSite.h1, for: TestSite.gateway10))

    @Test func aBurstAndThenTheRate() {
        let gateway = gateway(rate: 100)
        let turn = gateway.receive([Arrival](repeating: request, count: 200))
        #expect(turn.tally.events[.arpAnswered] == 33)
        #expect(turn.tally.drops == [.arpRate: 167])
        #expect(turn.isBalanced)
        // 10 ms later there is room for one.
        gateway.wait(nanoseconds: 10_000_000)
        #expect(gateway.receive([request, request]).tally.events[.arpAnswered] == 1)
        gateway.wait(nanoseconds: 9_000_000)
        #expect(gateway.receive(request).tally.drops == [.arpRate: 1])
    }

    @Test func tenTimesTheRateIsCutToIt() {
        let gateway = gateway(rate: 600)
        gateway.receive([Arrival](repeating: request, count: 33))
        var answered = 0
        let milliseconds = 2000
        for _ in 0..<milliseconds {
            gateway.wait(nanoseconds: 1_000_000)
            let turn = gateway.receive([Arrival](repeating: request, count: 6))
            answered += turn.tally.events[.arpAnswered] ?? 0
            #expect(turn.isBalanced)
        }
        #expect((1190...1205).contains(answered))
    }

    @Test func whoStaysBelowTheRateLosesNothing() {
        let gateway = gateway(rate: 600)
        for _ in 0..<1000 {
            gateway.wait(nanoseconds: 1_700_000)
            #expect(gateway.receive(request).tally.events[.arpAnswered] == 1)
        }
    }

    @Test func eachPortHasABudgetOfItsOwn() {
        let gateway = gateway(rate: 10)
        gateway.receive([Arrival](repeating: request, count: 100))
        #expect(gateway.receive(request).tally.drops == [.arpRate: 1])
        let other = Arrival.device("a2", Site.arpRequest(from: Site.h2, for: Site.gateway10))
        #expect(gateway.receive(other).tally.events[.arpAnswered] == 1)
        // Peers are held to none, and ARP that is not for the gateway neither.
        let peer = Arrival.tunnel(
            from: Site.p1, vni: 10010, Site.arpRequest(from: Site.r1, for: Site.gateway10))
        #expect(
            gateway.receive([Arrival](repeating: peer, count: 100)).tally.events[.arpAnswered]
                == 100)
        let bridged = Arrival.device("a1", Site.arpRequest(from: Site.h1, for: Site.r2.address))
        #expect(gateway.receive(bridged).tally.drops.isEmpty)
    }

    @Test func aRateOfZeroIsNone() {
        let turn = gateway(rate: 0).receive([Arrival](repeating: request, count: 1000))
        #expect(turn.tally.events[.arpAnswered] == 1000)
    }

    @Test func idleTimeSavesNoMoreThanABurst() {
        let gateway = gateway(rate: 100)
        gateway.receive(request)
        gateway.wait(nanoseconds: 3_600_000_000_000)
        let turn = gateway.receive([Arrival](repeating: request, count: 200))
        #expect(turn.tally.events[.arpAnswered] == 33)
    }
}
