import Control
import TestKit
import Testing
import Wire

/// Gateways behind tunnels that have one MAC address in common (D2 of the distributed gateway),
/// seen from one that has another: their ARP entries keep to the peers they came from.
@Suite struct SharedMACTests {
    typealias Site = TestSite

    private let mac = MACAddress(bits: 0x0200_5E00_0077)
    private var first: Site.Host { Site.Host(mac: mac, address: IPv4Address("10.0.10.61")!) }
    private var second: Site.Host { Site.Host(mac: mac, address: IPv4Address("10.0.10.62")!) }

    private func question(of host: Site.Host, from peer: IPv4Address) -> Arrival {
        .tunnel(from: peer, vni: 10010, Site.arpRequest(from: host, for: Site.gateway10))
    }

    private func data(of host: Site.Host, from peer: IPv4Address) -> Arrival {
        .tunnel(from: peer, vni: 10010, Site.udp(from: host, to: Site.h1))
    }

    /// Where packets of a local host in the other VSI to the two addresses go.
    private func ways(_ gateway: TestGateway) -> [Output.Place] {
        [first, second].flatMap { host in
            gateway.receive(
                .device(
                    "a3",
                    Site.udp(from: Site.h3, to: host, destinationMAC: Site.gatewayMAC))
            ).outputs.map(\.place)
        }
    }

    @Test func eachIsWhereItsARPCameFrom() {
        let gateway = TestGateway(Site.routed)
        gateway.receive(question(of: first, from: Site.p1))
        gateway.receive(question(of: second, from: Site.p2))
        for _ in 0..<3 {
            gateway.receive(data(of: first, from: Site.p1))
            #expect(ways(gateway) == [.peer("p1"), .peer("p2")])
            gateway.receive(data(of: second, from: Site.p2))
            #expect(ways(gateway) == [.peer("p1"), .peer("p2")])
        }
    }

    @Test func oneHostIsFollowed() {
        // The same MAC with two addresses, but both were heard at one place: a host that moves.
        let gateway = TestGateway(Site.routed)
        gateway.receive(question(of: first, from: Site.p1))
        gateway.receive(question(of: second, from: Site.p1))
        #expect(ways(gateway) == [.peer("p1"), .peer("p1")])
        gateway.receive(data(of: first, from: Site.p2))
        #expect(ways(gateway) == [.peer("p2"), .peer("p2")])
        gateway.receive(data(of: first, from: Site.p1))
        #expect(ways(gateway) == [.peer("p1"), .peer("p1")])
        gateway.receive(.device("a2", Site.udp(from: first, to: Site.h1)))
        #expect(ways(gateway) == [.port("a2"), .port("a2")])
    }
}
