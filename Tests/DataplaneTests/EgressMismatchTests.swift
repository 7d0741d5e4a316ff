import Control
import Dataplane
import TestKit
import Testing
import Wire

/// ARP table and FDB name the place of a next hop, and must agree (F6).
@Suite struct EgressMismatchTests {
    typealias Site = TestSite
    private static let p1 = FDBTarget.peer("p1")
    private static let a3 = FDBTarget.port("a3")

    private var routed: (sent: [UInt8], routed: [UInt8]) {
        let sent = Site.udp(from: Site.h1, to: Site.h3, destinationMAC: Site.gatewayMAC)
        let routed = FrameBuilder.ethernet(destination: Site.h3.mac, source: Site.gatewayMAC)
            .ipv4(source: Site.h1.address, destination: Site.h3.address, timeToLive: 63)
            .udp(sourcePort: 1000, destinationPort: 2000).payload(count: 18).bytes
        return (sent, routed)
    }

    private func answer(_ host: Site.Host) -> [UInt8] {
        Site.arp(
            2, host.mac, host.address, Site.gatewayMAC, Site.gateway20, to: Site.gatewayMAC)
    }

    /// A gateway that has learnt by ARP where h3 is, then been told another place for its MAC.
    private func gateway(_ arrival: Arrival, planted: FDBTarget?) throws -> TestGateway {
        let gateway = TestGateway(Site.routed)
        gateway.receive(arrival)
        if let planted {
            try gateway.agent.addFDB(
                vsi: "v20", mac: Site.h3.mac, target: planted, now: gateway.now)
        }
        return gateway
    }

    @Test func aStaticEntryThatContradictsARPDropsThePacket() throws {
        let port = Arrival.device("a3", answer(Site.h3))
        let tunnel = Arrival.tunnel(from: Site.p1, vni: 10020, answer(Site.h3))
        let packet = Arrival.device("a1", routed.sent)
        func leaves(_ place: Output.Place) -> PacketCase.Fate {
            .leaves([.init(place, routed.routed)])
        }
        let cases: [(String, Arrival, FDBTarget?, PacketCase.Fate)] = [
            ("port, nothing planted", port, nil, leaves(.port("a3"))),
            ("port, the same planted", port, Self.a3, leaves(.port("a3"))),
            ("port, a peer planted", port, Self.p1, .dropped(.l3L2EgressMismatch)),
            ("tunnel, nothing planted", tunnel, nil, leaves(.peer("p1"))),
            ("tunnel, the same planted", tunnel, Self.p1, leaves(.peer("p1"))),
            ("tunnel, a port planted", tunnel, Self.a3, .dropped(.l3L2EgressMismatch)),
        ]
        for (name, arrival, planted, fate) in cases {
            expectAll(
                [PacketCase(name, packet, fate)], in: try gateway(arrival, planted: planted))
        }
    }

    @Test func itEndsWithThePlantedEntry() throws {
        let gateway = try gateway(.device("a3", answer(Site.h3)), planted: Self.p1)
        let packet = Arrival.device("a1", routed.sent)
        expectAll([.dropped("planted", packet, .l3L2EgressMismatch)], in: gateway)
        try gateway.agent.deleteFDB(vsi: "v20", mac: Site.h3.mac)
        expectAll(
            [PacketCase("gone", packet, .leaves([.init(.port("a3"), routed.routed)]))],
            in: gateway)
    }

    /// A static ARP entry says no place, so that the FDB alone does.
    @Test func aStaticNeighborFollowsTheFDB() throws {
        for (target, place) in [(Self.a3, Output.Place.port("a3")), (Self.p1, .peer("p1"))] {
            let gateway = TestGateway(
                Site.routed.with { configuration in
                    configuration.staticFDB = [.init(vsi: "v20", mac: Site.h3.mac, target: target)]
                    configuration.staticARP = [
                        .init(interface: "g20", address: Site.h3.address, mac: Site.h3.mac)
                    ]
                })
            expectAll(
                [
                    PacketCase(
                        "", .device("a1", routed.sent),
                        .leaves([.init(place, routed.routed)]))
                ], in: gateway)
        }
    }
}
