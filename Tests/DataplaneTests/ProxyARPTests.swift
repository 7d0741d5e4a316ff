import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Announcements, probes and questions to nobody, where ARP is the agent's (local proxy ARP).
@Suite struct ProxyARPTests {
    typealias Site = TestSite

    private let gateway = TestGateway(
        Site.routed.with { configuration in
            for index in configuration.vsis.indices {
                configuration.vsis[index].arpSuppression = false
            }
            for index in configuration.vsiInterfaces.indices {
                configuration.vsiInterfaces[index].localProxyARP = true
            }
            // The same host moves again and again here, and is believed each time.
            configuration.limits.macMoves = 0
        })

    private func unpadded(_ frame: [UInt8]) -> [UInt8] { Array(frame.prefix(42)) }

    private func neighbor(_ address: IPv4Address) throws -> ARPReport? {
        try gateway.agent.arpReport(Selection(), now: gateway.now).first {
            $0.interface == "g10" && $0.address == address.description
        }
    }

    /// The forms in which hosts announce themselves (RFC 5227 section 3, RFC 5944 section 4.6).
    private var announcements: [(String, [UInt8])] {
        let host = Site.h2
        let broadcast = MACAddress.broadcast
        return [
            ("request", Site.arp(1, host.mac, host.address, .zero, host.address)),
            (
                "request, own target MAC",
                Site.arp(1, host.mac, host.address, host.mac, host.address)
            ),
            ("reply", Site.arp(2, host.mac, host.address, host.mac, host.address)),
            (
                "reply, target MAC broadcast",
                Site.arp(2, host.mac, host.address, broadcast, host.address)
            ),
            ("reply, target MAC zero", Site.arp(2, host.mac, host.address, .zero, host.address)),
        ]
    }

    @Test func announcementsOfEitherFormGoOnToThePeersRewritten() throws {
        // The host was elsewhere, and this gateway knew it there.
        for (name, frame) in announcements {
            gateway.receive(
                .tunnel(
                    from: Site.p1, vni: 10010,
                    Site.arp(
                        2, MACAddress(bits: 0x5E00_020B), Site.h2.address, Site.gatewayMAC,
                        Site.gateway10, to: Site.gatewayMAC)))
            _ = gateway.serveOrders()
            #expect(try neighbor(Site.h2.address)?.peer == "p1", "\(name)")
            let turn = gateway.receive(.device("a2", frame))
            #expect(turn.verdicts == [.consumed] && turn.isBalanced, "\(name)")
            #expect(turn.tally.events[.arpGratuitous] == 1, "\(name)")
            let relayed = gateway.serveOrders()
            #expect(relayed.places == [.peer("p1"), .peer("p2")], "\(name)")
            let wanted = unpadded(
                Site.arp(1, Site.gatewayMAC, Site.h2.address, .zero, Site.h2.address))
            #expect(relayed.outputs.allSatisfy { $0.frame == wanted }, "\(name)")
            let row = try neighbor(Site.h2.address)
            #expect(row?.mac == Site.h2.mac.description && row?.port == "a2", "\(name)")
            gateway.advance(seconds: 1)
        }
    }

    /// In the form of an answer it is one; as a request it goes to every peer, askers among them.
    @Test func whoHasAskedHearsAnAnnouncement() {
        for (name, frame) in announcements {
            let asker = Site.Host(mac: MACAddress(bits: 0x5E00_020B), address: Site.r1.address)
            gateway.receive(
                .tunnel(
                    from: Site.p1, vni: 10010, Site.arpRequest(from: asker, for: Site.h2.address)))
            #expect(gateway.serveOrders().places == [.port("a1"), .port("a2")], "\(name)")
            gateway.receive(.device("a2", frame))
            let answer = unpadded(
                Site.arp(
                    2, Site.gatewayMAC, Site.h2.address, asker.mac, asker.address, to: asker.mac))
            let heard = gateway.serveOrders().outputs
            let isAnswer = name.hasPrefix("reply")
            #expect(
                heard.count { $0.place == .peer("p1") && $0.frame == answer }
                    == (isAnswer ? 1 : 0), "\(name)")
            #expect(heard.contains { $0.place == .peer("p1") && $0.frame != answer }, "\(name)")
            gateway.advance(seconds: 3)
            _ = gateway.serveOrders()
        }
    }

    @Test func whoClearsTheTableMayAskAgainAtOnce() throws {
        let question = Arrival.device("a1", Site.arpRequest(from: Site.h1, for: Site.r1.address))
        gateway.receive(question)
        #expect(gateway.serveOrders().places.contains(.peer("p1")))
        gateway.receive(question)
        #expect(!gateway.serveOrders().places.contains(.peer("p1")))
        let asker = Site.Host(mac: MACAddress(bits: 0x5E00_020B), address: Site.r1.address)
        gateway.receive(
            .tunnel(from: Site.p1, vni: 10010, Site.arpRequest(from: asker, for: Site.h2.address)))
        _ = gateway.serveOrders()
        _ = try gateway.agent.clearARP(Selection())
        gateway.receive(question)
        #expect(gateway.serveOrders().places.contains(.peer("p1")))
        // Nor is it remembered who had asked before.
        gateway.receive(
            .device(
                "a2",
                Site.arp(
                    2, Site.h2.mac, Site.h2.address, Site.gatewayMAC, Site.r1.address,
                    to: Site.gatewayMAC)))
        #expect(gateway.serveOrders().outputs.isEmpty)
    }

    @Test func anAnnouncementOfAPeerTeachesAndGoesNoFurther() throws {
        for operation: UInt16 in [1, 2] {
            let frame = Site.arp(
                operation, Site.r1.mac, Site.r1.address, Site.r1.mac, Site.r1.address)
            let turn = gateway.receive(.tunnel(from: Site.p1, vni: 10010, frame))
            #expect(turn.tally.events[.arpGratuitous] == 1)
            #expect(gateway.serveOrders().outputs.isEmpty)
            #expect(try neighbor(Site.r1.address)?.peer == "p1")
        }
    }

    /// RFC 5227 section 2.1.1: only the true owner answers.
    @Test func aProbeIsPassedOnAndCountedAndTeachesNothing() throws {
        gateway.receive(.device("a2", Site.arpRequest(from: Site.h2, for: Site.r1.address)))
        _ = gateway.serveOrders()
        let probe = Site.arp(1, Site.h1.mac, .any, .zero, Site.h2.address)
        let turn = gateway.receive(.device("a1", probe))
        #expect(turn.verdicts == [.consumed])
        #expect(turn.tally.events[.arpProbeNotProxied] == 1)
        #expect(gateway.serveOrders().places == [.peer("p1"), .peer("p2"), .port("a2")])
        #expect(try neighbor(.any) == nil)
        let forGateway = Site.arp(1, Site.h1.mac, .any, .zero, Site.gateway10)
        let answered = gateway.receive(.device("a1", forGateway))
        #expect(answered.tally.events[.arpProbeNotProxied] == nil)
        #expect(gateway.serveOrders().places == [.port("a1")])
    }

    /// A4: no MAC address of a host crosses a tunnel in a question.
    @Test func aQuestionToAMACAddressThatNobodyKnowsIsTheProxys() {
        let stale = MACAddress(bits: 0x02AA_0000_0077)
        let question = Site.arpRequest(from: Site.h1, for: Site.r1.address, to: stale)
        let turn = gateway.receive(.device("a1", question))
        #expect(turn.verdicts == [.consumed] && turn.outputs.isEmpty)
        let orders = gateway.serveOrders()
        #expect(orders.places == [.peer("p1"), .peer("p2"), .port("a1")])
        let asked = unpadded(
            Site.arp(1, Site.gatewayMAC, Site.h1.address, .zero, Site.r1.address))
        #expect(orders.outputs.filter { $0.place != .port("a1") }.allSatisfy { $0.frame == asked })
        // To one that is known it is bridged.
        gateway.receive(.device("a2", Site.broadcast(from: Site.h2.mac)))
        let direct = Site.arpRequest(from: Site.h1, for: Site.h2.address, to: Site.h2.mac)
        #expect(gateway.receive(.device("a1", direct)).places == [.port("a2")])
    }
}
