import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Broadcast requests that the gateway answers for their owner (RFC 9161), and those it may not.
@Suite struct ARPSuppressionTests {
    typealias Site = TestSite

    /// Every host is in the FDB, and all but h1 have told their addresses.
    private func gateway(_ configuration: Configuration = TestSite.known) -> TestGateway {
        let gateway = TestGateway(configuration)
        gateway.receive([
            .device("a2", Site.arpRequest(from: Site.h2, for: IPv4Address(bits: 0x0A00_0AFE))),
            .tunnel(
                from: Site.p1, vni: 10010,
                Site.arpRequest(from: Site.r1, for: IPv4Address(bits: 0x0A00_0AFE))),
        ])
        return gateway
    }

    private let everybody: [Output.Place] = [.port("a2"), .peer("p1"), .peer("p2")]

    private func flooded(_ name: String, _ frame: [UInt8]) -> PacketCase {
        PacketCase(name, .device("a1", frame), .leaves(everybody.map { .init($0) }))
    }

    @Test func aKnownAddressIsAnsweredForItsOwner() {
        for owner in [Site.r1, Site.h2] {
            let answer = Site.arp(
                2, owner.mac, owner.address, Site.h1.mac, Site.h1.address, to: Site.h1.mac)
            expectAll(
                [
                    PacketCase(
                        "\(owner.address)",
                        .device("a1", Site.arpRequest(from: Site.h1, for: owner.address)),
                        .leaves([.init(.port("a1"), answer)]), events: [.arpSuppressed])
                ], in: gateway())
        }
    }

    @Test func whatTheAskerPadsWithDoesNotComeBack() {
        let request = Site.arp(
            1, Site.h1.mac, Site.h1.address, .zero, Site.r1.address, padding: 0xEE)
        let answer = Site.arp(
            2, Site.r1.mac, Site.r1.address, Site.h1.mac, Site.h1.address, to: Site.h1.mac)
        expectAll(
            [PacketCase("", .device("a1", request), .leaves([.init(.port("a1"), answer)]))],
            in: gateway())
    }

    @Test func whatIsNotAnsweredGoesOn() {
        let unknown = IPv4Address(bits: 0x0A00_0A63)
        let toOwner = Site.arpRequest(from: Site.h1, for: Site.r1.address, to: Site.r1.mac)
        expectAll(
            [
                flooded("unknown", Site.arpRequest(from: Site.h1, for: unknown)),
                flooded("announcement", Site.arpRequest(from: Site.h1, for: Site.h1.address)),
                .leaves("unicast request", .device("a1", toOwner), to: .peer("p1")),
                .leaves(
                    "reply",
                    .device(
                        "a1",
                        Site.arp(
                            2, Site.h1.mac, Site.h1.address, Site.r1.mac, Site.r1.address,
                            to: Site.r1.mac)), to: .peer("p1")),
                flooded(
                    "broadcast reply",
                    Site.arp(2, Site.h1.mac, Site.h1.address, .zero, Site.r1.address)),
                .leaves(
                    "from a tunnel",
                    .tunnel(
                        from: Site.p1, vni: 10010,
                        Site.arpRequest(from: Site.r1, for: Site.h2.address)),
                    to: .port("a1"), .port("a2")),
            ], in: gateway())
    }

    @Test func aProbeIsTheOwnersBusiness() {
        // RFC 5227: whoever answers for the owner breaks its duplicate-address check.
        let gateway = gateway()
        for target in [Site.r1.address, Site.h2.address, IPv4Address(bits: 0x0A00_0A63)] {
            var row = flooded(
                "probe for \(target)", Site.arp(1, Site.h1.mac, .any, .zero, target))
            row.events = [.arpProbeNotProxied]
            expectAll([row], in: gateway)
        }
        #expect(throws: Never.self) {
            let rows = try gateway.agent.arpReport(Selection(), now: gateway.now)
            #expect(!rows.contains { $0.address == "0.0.0.0" })
        }
    }

    @Test func anOwnerThatHearsTheRequestAnswersItself() {
        // A second host behind the asker's port.
        let neighbor = Site.Host(
            mac: MACAddress(bits: 0x02AA_0000_0055), address: IPv4Address(bits: 0x0A00_0A55))
        let gateway = gateway()
        gateway.receive(
            .device("a1", Site.arpRequest(from: neighbor, for: IPv4Address(bits: 0x0A00_0A01))))
        expectAll(
            [
                flooded(
                    "same port", Site.arpRequest(from: Site.h1, for: neighbor.address)),
                PacketCase(
                    "other port",
                    .device("a2", Site.arpRequest(from: Site.h2, for: neighbor.address)),
                    .leaves([
                        .init(
                            .port("a2"),
                            Site.arp(
                                2, neighbor.mac, neighbor.address, Site.h2.mac, Site.h2.address,
                                to: Site.h2.mac))
                    ])),
            ], in: gateway)
    }

    @Test func itIsASwitchOfTheDomain() {
        let off = gateway(Site.known.with(vsi: "v10") { $0.arpSuppression = false })
        expectAll([flooded("off", Site.arpRequest(from: Site.h1, for: Site.r1.address))], in: off)
        // Nothing of another VSI is known in this one.
        expectAll(
            [
                .leaves(
                    "other VSI",
                    .device("a3", Site.arpRequest(from: Site.h3, for: Site.r1.address)),
                    to: .peer("p1"))
            ], in: gateway())
    }

    @Test func answersFollowTheTable() {
        let gateway = gateway()
        let moved = Site.Host(mac: Site.h2.mac, address: Site.r1.address)
        // An announcement changes what is known.
        gateway.receive(.device("a2", Site.arpRequest(from: moved, for: moved.address)))
        let answer = Site.arp(
            2, moved.mac, moved.address, Site.h1.mac, Site.h1.address, to: Site.h1.mac)
        let request = Arrival.device("a1", Site.arpRequest(from: Site.h1, for: moved.address))
        expectAll(
            [PacketCase("changed", request, .leaves([.init(.port("a1"), answer)]))], in: gateway)
        #expect(throws: Never.self) { try gateway.agent.clearARP(Selection()) }
        expectAll(
            [flooded("cleared", Site.arpRequest(from: Site.h1, for: moved.address))], in: gateway)
    }

    @Test func anAnnouncementMakesNothingKnown() throws {
        let gateway = TestGateway(Site.known)
        let turn = gateway.receive(
            .device("a1", Site.arpRequest(from: Site.h1, for: Site.h1.address)))
        #expect(turn.tally.events[.arpGratuitous] == 1)
        #expect(try gateway.agent.arpReport(Selection(), now: gateway.now).isEmpty)
        gateway.receive(.device("a1", Site.arpRequest(from: Site.h1, for: Site.h2.address)))
        #expect(try gateway.agent.arpReport(Selection(), now: gateway.now).count == 1)
    }

    @Test func manyAnswersOfOneBatch() {
        let gateway = gateway()
        let request = Arrival.device("a1", Site.arpRequest(from: Site.h1, for: Site.r1.address))
        let turn = gateway.receive([Arrival](repeating: request, count: 256))
        #expect(turn.tally.events[.arpSuppressed] == 256)
        #expect(turn.outputs(to: .port("a1")).count == 256)
        #expect(turn.isBalanced)
    }
}
