import Control
import TestKit
import Testing
import Wire

/// ARP of other gateways that was under way when a host came here. A copy of it, believed, made two
/// gateways send the host's packets to each other until the host spoke again.
@Suite struct LateClaimTests {
    typealias Site = TestSite

    private let host = Site.Host(
        mac: MACAddress(bits: 0x02AA_0000_0077), address: IPv4Address(bits: 0x0A00_0AC8))

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

    /// What another gateway asks in the name of the host.
    private func claim(of peer: IPv4Address = Site.p1) -> Arrival {
        let frame = Site.arp(
            1, MACAddress(bits: 0x5E00_020B), host.address, .zero, Site.h1.address)
        return .tunnel(from: peer, vni: 10010, frame)
    }

    private var ownWord: Arrival {
        .device("a1", Site.arpRequest(from: host, for: Site.gateway10))
    }

    private func place(_ gateway: TestGateway) throws -> String? {
        var selection = Selection()
        selection.address = host.address
        let row = try gateway.agent.arpReport(selection, now: gateway.now).first
        return row?.port ?? row?.peer
    }

    @Test func aHostThatHasJustComeIsNotWhereItWas() throws {
        let gateway = TestGateway(proxied)
        gateway.receive(claim())
        #expect(try place(gateway) == "p1")
        gateway.receive(ownWord)
        #expect(try place(gateway) == "a1")
        gateway.receive(claim())
        #expect(try place(gateway) == "a1")
        // What it asks for is still asked for here.
        #expect(gateway.serveOrders().places.contains(.port("a2")))
        // Another gateway says something new.
        gateway.receive(claim(of: Site.p2))
        #expect(try place(gateway) == "p2")
    }

    @Test func aHostMayGoBackLater() throws {
        let gateway = TestGateway(proxied)
        gateway.receive(claim())
        gateway.receive(ownWord)
        gateway.advance(milliseconds: 150)
        gateway.receive(claim())
        #expect(try place(gateway) == "p1")
    }

    @Test func aHostThatWasNowhereBeforeMayGoAtOnce() throws {
        let gateway = TestGateway(proxied)
        gateway.receive(ownWord)
        #expect(try place(gateway) == "a1")
        gateway.receive(claim())
        #expect(try place(gateway) == "p1")
    }
}
