import Control
import Dataplane
import Memory
import TestKit
import Testing
import Wire

/// What becomes of the flows of a next hop that does not answer.
@Suite struct NextHopDetourTests {
    typealias Site = TestSite

    /// In 10.0.10.0/24, and never there.
    private let gone = IPv4Address("10.0.10.250")!
    private let away = Site.Host(mac: Site.gatewayMAC, address: IPv4Address("198.18.0.1")!)

    private func route(via: IPv4Address...) -> Configuration.StaticRoute {
        .init(prefix: IPv4Prefix("198.18.0.0/15")!, via: via, interface: "g10", vrf: "red")
    }

    private func gateway(
        _ routes: [Configuration.StaticRoute], policy: IPv4Address? = nil
    ) -> TestGateway {
        TestGateway(
            Site.routed.with { configuration in
                configuration.timers = .init(arpRetrySeconds: 1, arpAttempts: 1)
                configuration.staticFDB = Site.staticFDB
                configuration.staticARP = [Site.h1, Site.r1, Site.r2].map {
                    .init(interface: "g10", address: $0.address, mac: $0.mac)
                }
                configuration.staticRoutes = routes
                configuration.policyRoutes =
                    policy.map {
                        [.init(name: "out", interface: "g10", nextHop: $0)]
                    } ?? []
            })
    }

    /// Forty flows of one packet each.
    private func send(_ gateway: TestGateway) -> Turn {
        gateway.receive(
            (0..<40).map {
                .device(
                    "a1",
                    Site.udp(
                        from: Site.h1, to: away, destinationMAC: Site.gatewayMAC,
                        sourcePort: 1000 + $0))
            })
    }

    /// Until it is known that nobody is there, and not yet asked again.
    private func waitForFailure(_ gateway: TestGateway) {
        for _ in 0..<2 {
            _ = gateway.serveOrders()
            gateway.advance(seconds: 1)
        }
        _ = gateway.serveOrders()
    }

    @Test func theFlowsOfAnAbsentNextHopGoToTheOthers() {
        let gateway = gateway([route(via: Site.r1.address, gone, Site.r2.address)])
        let before = send(gateway)
        let held = before.verdicts.count { $0 == .held }
        #expect((1..<40).contains(held), "the first that asks and what comes with it wait")
        waitForFailure(gateway)
        let after = send(gateway)
        #expect(after.outputs.count == 40 && after.tally.drops.isEmpty && after.isBalanced)
        #expect(gateway.serveOrders().outputs.isEmpty, "nobody is told of a failure")
        // Who was not concerned keeps its next hop; the others are shared.
        let placesBefore = Dictionary(
            uniqueKeysWithValues: before.outputs.map { ($0.arrival, $0.place) })
        for output in after.outputs {
            if let place = placesBefore[output.arrival] { #expect(output.place == place) }
        }
        let moved = after.outputs.filter { placesBefore[$0.arrival] == nil }
        #expect(moved.count == held)
        #expect(Set(moved.map(\.place)) == [.peer("p1"), .peer("p2")])
        #expect(send(gateway).outputs.map(\.place) == after.outputs.map(\.place), "stable")
    }

    /// A flow does not go one way before the answer and another behind it.
    @Test func theFlowsOfANextHopThatIsBeingAskedForWait() {
        let gateway = gateway([route(via: Site.r1.address, gone)])
        let before = send(gateway)
        _ = gateway.serveOrders()
        let asked = send(gateway)
        #expect(asked.verdicts == before.verdicts)
        #expect(asked.verdicts.contains(.held) && asked.outputs.map(\.place).contains(.peer("p1")))
        let answer = Site.arp(
            2, Site.h2.mac, gone, Site.gatewayMAC, Site.gateway10, to: Site.gatewayMAC)
        gateway.receive(.device("a2", answer))
        _ = gateway.serveOrders()
        #expect(Set(send(gateway).places) == [.peer("p1"), .port("a2")], "it takes part again")
    }

    @Test func whereNoNextHopAnswersTheSenderHears() {
        let gateway = gateway([route(via: gone, IPv4Address("10.0.10.251")!)])
        _ = send(gateway)
        waitForFailure(gateway)
        let turn = send(gateway)
        #expect(turn.tally.drops == [.nhFailed: 40] && turn.isBalanced)
        #expect(gateway.serveOrders().places.contains(.port("a1")))
    }

    @Test func aPolicyThatFailsLeavesItsPacketsToTheRoutingTable() {
        let gateway = gateway([route(via: Site.r1.address)], policy: gone)
        let hits = { gateway.counters.page.read(CounterLayout.index(policy: 0)) }
        #expect(send(gateway).verdicts.allSatisfy { $0 == .held }, "it is asked for first")
        waitForFailure(gateway)
        let counted = hits()
        let turn = send(gateway)
        #expect(turn.outputs.count == 40 && Set(turn.places) == [.peer("p1")])
        #expect(hits() == counted, "the policy has not sent them")
    }

    @Test func aPolicyThatFailsWithoutARouteIsTold() {
        let gateway = gateway([], policy: gone)
        _ = send(gateway)
        waitForFailure(gateway)
        #expect(send(gateway).tally.drops == [.nhFailed: 40])
    }
}
