import Control
import Dataplane
import Memory
import TestKit
import Testing
import Wire

/// Next hops that are not known, and ARP in the name of others.
@Suite struct ResolutionTests {
    typealias Site = TestSite

    private let silent = Site.Host(
        mac: MACAddress(bits: 0x02AA_0000_0099), address: IPv4Address(bits: 0x0A00_14C8))

    private var routed: Configuration {
        Site.routed.with { $0.timers = .init(arpRetrySeconds: 1, arpAttempts: 3) }
    }

    private var proxied: Configuration {
        Site.routed.with { configuration in
            for index in configuration.vsis.indices {
                configuration.vsis[index].arpSuppression = false
            }
            for index in configuration.vsiInterfaces.indices {
                configuration.vsiInterfaces[index].localProxyARP = true
            }
        }
    }

    private func toSilent(_ number: UInt16) -> Arrival {
        .device(
            "a1",
            Site.udp(
                from: Site.h1, to: silent, destinationMAC: Site.gatewayMAC, sourcePort: number))
    }

    /// A question in the gateway's own name; what it makes itself has no padding.
    private func request(_ target: IPv4Address, sender: IPv4Address) -> [UInt8] {
        unpadded(Site.arp(1, Site.gatewayMAC, sender, .zero, target))
    }

    private func unpadded(_ frame: [UInt8]) -> [UInt8] { Array(frame.prefix(42)) }

    private func isBalanced(_ gateway: TestGateway, _ turns: [Turn]) -> Bool {
        turns.allSatisfy(\.isBalanced)
    }

    @Test func anUnknownHostIsAskedForAndItsPacketsWait() {
        let gateway = TestGateway(routed)
        var turns = (1...20).map { gateway.receive(toSilent($0)) }
        #expect(turns.allSatisfy { $0.verdicts == [.held] && $0.outputs.isEmpty })
        let asked = gateway.serveOrders()
        #expect(asked.places == [.peer("p1"), .port("a3")])
        #expect(
            asked.outputs.allSatisfy {
                $0.frame == request(silent.address, sender: Site.gateway20)
            })
        // Sixteen wait by default, the newest; the four oldest went for them.
        #expect(asked.tally.drops == [:] || asked.tally.drops == [.nhUnresolvedQueueFull: 4])
        let answer = Site.arp(
            2, silent.mac, silent.address, Site.gatewayMAC, Site.gateway20, to: Site.gatewayMAC)
        turns.append(gateway.receive(.device("a3", answer)))
        let resumed = gateway.serveOrders()
        #expect(resumed.outputs.count == 16)
        #expect(resumed.outputs.allSatisfy { $0.place == .port("a3") })
        let ports = resumed.outputs.map { UInt16($0.frame[34]) << 8 | UInt16($0.frame[35]) }
        #expect(ports == Array(5...20), "the newest, in order")
        #expect(isBalanced(gateway, turns))
        #expect(Tally(gateway.counters).held == 0)
    }

    @Test func aPacketThatWaitsCountsForItsPolicyOnce() {
        let policy = Configuration.PolicyRoute(
            name: "out", interface: "g10", nextHop: silent.address)
        let gateway = TestGateway(routed.with { $0.policyRoutes = [policy] })
        let packets = { gateway.counters.page.read(CounterLayout.index(policy: 0)) }
        #expect(gateway.receive(toSilent(1)).verdicts == [.held])
        _ = gateway.serveOrders()
        #expect(packets() == 0)
        let answer = Site.arp(
            2, silent.mac, silent.address, Site.gatewayMAC, Site.gateway20, to: Site.gatewayMAC)
        gateway.receive(.device("a3", answer))
        #expect(gateway.serveOrders().places == [.port("a3")])
        #expect(packets() == 1)
        gateway.receive(toSilent(2))
        #expect(packets() == 2)
    }

    @Test func aHostThatNeverAnswersFailsAndItsSenderHears() {
        let gateway = TestGateway(routed)
        // So that the error finds its way back, h1 is known.
        gateway.receive(.device("a1", Site.arpRequest(from: Site.h1, for: Site.gateway10)))
        _ = gateway.serveOrders()
        gateway.receive(toSilent(1))
        var requests = 0
        var errors: [Output] = []
        for _ in 0..<5 {
            let turn = gateway.serveOrders()
            requests += turn.outputs.filter { $0.place == .port("a3") }.count
            errors += turn.outputs.filter { $0.place == .port("a1") }
            gateway.advance(seconds: 1)
        }
        #expect(requests == 3, "one a second, three times")
        #expect(errors.count == 1)
        let message = errors.first?.frame ?? []
        #expect(message.count > 42 && message[34] == 3 && message[35] == 1)
        #expect(Tally(gateway.counters).drops[.nhFailed] == 1)
        #expect(gateway.receive(toSilent(2)).tally.drops == [.nhFailed: 1])
        gateway.advance(seconds: 6)
        #expect(gateway.receive(toSilent(3)).verdicts == [.held], "asked for anew")
    }

    @Test func theProxyAnswersAtOnceAndAsksTheOthers() {
        let gateway = TestGateway(proxied)
        let turn = gateway.receive(
            .device("a1", Site.arpRequest(from: Site.h1, for: Site.r1.address)))
        #expect(turn.verdicts == [.consumed] && turn.outputs.isEmpty)
        let orders = gateway.serveOrders()
        #expect(orders.places == [.peer("p1"), .peer("p2"), .port("a1")])
        for output in orders.outputs {
            let wanted =
                output.place == .port("a1")
                ? unpadded(
                    Site.arp(
                        2, Site.gatewayMAC, Site.r1.address, Site.h1.mac, Site.h1.address,
                        to: Site.h1.mac))
                : request(Site.r1.address, sender: Site.h1.address)
            #expect(output.frame == wanted)
        }
    }

    @Test func aPeersQuestionStaysLocalAndItsAnswerFindsEveryAsker() {
        let gateway = TestGateway(proxied)
        let askers = [
            (Site.p1, Site.Host(mac: MACAddress(bits: 0x5E00_020B), address: Site.r1.address)),
            (Site.p2, Site.Host(mac: MACAddress(bits: 0x5E00_020C), address: Site.r2.address)),
        ]
        for (peer, asker) in askers {
            gateway.receive(
                .tunnel(
                    from: peer, vni: 10010,
                    Site.arpRequest(from: asker, for: Site.h1.address)))
            let turn = gateway.serveOrders()
            #expect(turn.places == [.port("a1"), .port("a2")])
        }
        let answer = Site.arp(
            2, Site.h1.mac, Site.h1.address, Site.gatewayMAC, Site.r1.address,
            to: Site.gatewayMAC)
        gateway.receive(.device("a1", answer))
        #expect(gateway.serveOrders().places == [.peer("p1"), .peer("p2")])
        gateway.receive(.device("a1", answer))
        #expect(gateway.serveOrders().outputs.isEmpty, "each asker hears once")
    }
}
