import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Echo requests of the gateway's own, and what comes back for them.
@Suite struct PingTests {
    typealias Site = TestSite

    private var configuration: Configuration {
        Site.routed.with { configuration in
            configuration.staticFDB = Site.staticFDB
            configuration.staticARP = [
                .init(interface: "g10", address: Site.h1.address, mac: Site.h1.mac),
                .init(interface: "g20", address: Site.r3.address, mac: Site.r3.mac),
            ]
        }
    }

    private let gateway10 = Site.Host(mac: Site.gatewayMAC, address: Site.gateway10)

    private func icmp(
        from sender: Site.Host, to receiver: Site.Host, type: UInt8, code: UInt8 = 0,
        timeToLive: UInt8 = 64, fragment: UInt16 = 0, payload: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: receiver.mac, source: sender.mac)
            .ipv4(
                source: sender.address, destination: receiver.address, timeToLive: timeToLive,
                fragment: fragment
            )
            .icmp(type: type, code: code).payload(payload).bytes
    }

    /// As the gateway hands a request of its own to the route stage.
    private func request(to receiver: Site.Host) -> [UInt8] {
        let own = Site.Host(mac: Site.gatewayMAC, address: receiver.address)
        return icmp(from: gateway10, to: own, type: 8, timeToLive: 65)
    }

    private func originate(_ receiver: Site.Host, in gateway: TestGateway) -> Turn {
        gateway.agent.originate(
            request(to: receiver), vsi: gateway.agent.vsiNames["v10"]!)
        return gateway.serveOrders()
    }

    @Test func aRequestLeavesByPortAndPeer() {
        let gateway = TestGateway(configuration)
        for (host, place) in [
            (Site.h1, Output.Place.port("a1")), (Site.r3, Output.Place.peer("p1")),
        ] {
            let turn = originate(host, in: gateway)
            #expect(turn.places == [place] && turn.isBalanced)
            #expect(
                turn.outputs.first?.frame == icmp(from: gateway10, to: host, type: 8), "TTL 64")
        }
    }

    @Test func anInterfaceThatDoesNotForwardStillSends() {
        let gateway = TestGateway(
            configuration.with { $0.vsiInterfaces[0].forwarding = false })
        #expect(originate(Site.h1, in: gateway).places == [.port("a1")])
    }

    @Test func anOwnAddressAnswersToTheAgent() {
        let gateway = TestGateway(configuration)
        let own = Site.Host(mac: Site.gatewayMAC, address: Site.gateway20)
        let turn = originate(own, in: gateway)
        #expect(turn.outputs.isEmpty && turn.tally.consumed == 1 && turn.isBalanced)
        #expect(gateway.echoAnswers.count == 1)
        #expect(gateway.echoAnswers.first?[34] == 0, "an echo reply")
    }

    @Test func repliesAndErrorsGoToTheAgent() {
        let gateway = TestGateway(configuration)
        let quote = Array(icmp(from: gateway10, to: Site.r3, type: 8).dropFirst(14))
        let frames = [
            icmp(from: Site.h1, to: gateway10, type: 0),
            icmp(from: Site.h1, to: gateway10, type: 3, code: 1, payload: quote),
            icmp(from: Site.h1, to: gateway10, type: 11, payload: quote),
        ]
        for frame in frames {
            let turn = gateway.receive(.device("a1", frame))
            #expect(turn.verdicts == [.consumed] && turn.outputs.isEmpty)
        }
        #expect(gateway.echoAnswers == frames)
    }

    @Test func whatCannotBeAnAnswerEndsInTheDataplane() {
        let gateway = TestGateway(configuration)
        let tcp = Array(Site.udp(from: gateway10, to: Site.r3).dropFirst(14))
        let frames = [
            icmp(from: Site.h1, to: gateway10, type: 13),
            icmp(from: Site.h1, to: gateway10, type: 3, payload: tcp),
            icmp(from: Site.h1, to: gateway10, type: 3, payload: [0x45, 0, 0, 0]),
            icmp(from: Site.h1, to: gateway10, type: 0, fragment: 0x2000),
            Site.udp(from: Site.h1, to: gateway10),
        ]
        for frame in frames {
            #expect(gateway.receive(.device("a1", frame)).verdicts == [.consumed])
        }
        #expect(gateway.echoAnswers.isEmpty)
    }

    @Test func aFloodOfRepliesDoesNotReachTheAgent() {
        let gateway = TestGateway(configuration)
        let reply = icmp(from: Site.h1, to: gateway10, type: 0)
        for _ in 0..<1000 { gateway.receive(.device("a1", reply)) }
        #expect((100...110).contains(gateway.echoAnswers.count))
        gateway.wait(nanoseconds: 1_000_000_000)
        gateway.receive(.device("a1", reply))
        #expect((101...111).contains(gateway.echoAnswers.count), "the budget has come back")
    }
}
