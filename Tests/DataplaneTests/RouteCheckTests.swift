import Control
import Dataplane
import Memory
import TestKit
import Testing
import Wire

/// What a router must ask of a packet before it looks for a way (RFC 1812 sections 4.3.2.7, 5.2.2
/// and 5.3): where it claims to come from, and whom it would reach.
@Suite struct RouteCheckTests {
    typealias Site = TestSite

    private var configuration: Configuration {
        Site.routed.with { configuration in
            configuration.staticFDB = Site.staticFDB
            configuration.staticARP = [
                .init(interface: "g10", address: Site.h1.address, mac: Site.h1.mac),
                .init(interface: "g20", address: Site.h3.address, mac: Site.h3.mac),
            ]
        }
    }

    private func host(_ address: String) -> Site.Host {
        .init(mac: Site.h1.mac, address: IPv4Address(address)!)
    }

    private func packet(
        from source: String, to target: Site.Host = Site.h3, timeToLive: UInt8 = 64,
        fragment: UInt16 = 0
    ) -> [UInt8] {
        Site.udp(
            from: host(source), to: target, destinationMAC: Site.gatewayMAC,
            timeToLive: timeToLive, fragment: fragment)
    }

    private func routed(_ arrival: Arrival, in gateway: TestGateway) -> Bool {
        let turn = gateway.receive(arrival)
        return turn.verdicts == [.forward] && turn.isBalanced
    }

    /// Nobody hears of such a packet: its sender cannot be told apart from a whole subnet.
    private func expectDropped(
        _ frame: [UInt8], _ reason: DropReason, _ name: String, in gateway: TestGateway
    ) {
        expectAll([.dropped(name, .device("a1", frame), reason)], in: gateway)
        #expect(gateway.serveOrders().outputs.isEmpty, "\(name)")
    }

    @Test func theEdgesOfASubnetAreNoSources() {
        let gateway = TestGateway(configuration)
        for source in ["10.0.10.0", "10.0.10.255", "10.0.20.0", "10.0.20.255"] {
            expectDropped(packet(from: source), .ipMartianSrc, source, in: gateway)
            expectDropped(
                packet(from: source, to: host("203.0.113.9")), .ipMartianSrc,
                "\(source) to nowhere", in: gateway)
        }
        // Of a subnet that is not connected, nobody here knows the edges.
        #expect(routed(.device("a1", packet(from: "10.0.30.255")), in: gateway))
    }

    @Test func nothingIsToldAboutAPacketToAnEdge() {
        let gateway = TestGateway(configuration)
        for timeToLive: UInt8 in [0, 1, 2, 64] {
            for target in ["10.0.20.255", "10.0.20.0", "10.0.10.255"] {
                expectDropped(
                    packet(from: "10.0.10.101", to: host(target), timeToLive: timeToLive),
                    .ipMartianDst, "\(target), TTL \(timeToLive)", in: gateway)
            }
        }
    }

    @Test func noPolicyLeadsToAnEdge() {
        let policy = Configuration.PolicyRoute(
            name: "out", interface: "g10", nextHop: Site.h3.address)
        let gateway = TestGateway(configuration.with { $0.policyRoutes = [policy] })
        expectDropped(
            packet(from: "10.0.10.101", to: host("10.0.20.255")), .ipMartianDst, "edge",
            in: gateway)
        #expect(gateway.counters.page.read(CounterLayout.index(policy: 0)) == 0)
    }

    /// It would overwrite the transport header that others have let pass (RFC 1858, RFC 3128).
    @Test func aFragmentInsideOfTheTransportHeaderIsDropped() {
        let gateway = TestGateway(configuration)
        for fragment: UInt16 in [0x0001, 0x2001] {
            expectDropped(
                packet(from: "10.0.10.101", fragment: fragment), .ipFragmentOffset, "offset 1",
                in: gateway)
        }
        for fragment: UInt16 in [0x2000, 0x0002, 0x2002] {
            #expect(
                routed(.device("a1", packet(from: "10.0.10.101", fragment: fragment)), in: gateway))
        }
    }

    @Test func theReversePathAsTheInterfaceAsks() {
        func gateway(_ mode: Configuration.ReversePathFilter) -> TestGateway {
            TestGateway(configuration.with { $0.vsiInterfaces[0].rpf = mode })
        }
        let near = packet(from: "10.0.10.77")
        let far = packet(from: "10.0.20.77")
        let unknown = packet(from: "9.9.9.9")
        for (mode, passes) in [
            (.off, [near, far, unknown]), (.loose, [near, far]), (.strict, [near]),
        ] as [(Configuration.ReversePathFilter, [[UInt8]])] {
            let gateway = gateway(mode)
            for frame in [near, far, unknown] {
                guard passes.contains(frame) else {
                    expectDropped(frame, .rpfFail, "\(mode)", in: gateway)
                    continue
                }
                #expect(routed(.device("a1", frame), in: gateway), "\(mode)")
            }
            // Another interface has a mode of its own.
            let stranger = Site.Host(mac: Site.h3.mac, address: IPv4Address("9.9.9.9")!)
            let back = Site.udp(from: stranger, to: Site.h1, destinationMAC: Site.gatewayMAC)
            #expect(routed(.device("a3", back), in: gateway), "\(mode)")
        }
    }

    /// An ICMP error of a gateway behind a tunnel, with the address that this one has too.
    @Test(arguments: [
        Configuration.ReversePathFilter.off, .loose, .strict,
    ])
    func theSharedAddressPassesTheReversePathFromPeersAlone(
        mode: Configuration.ReversePathFilter
    ) {
        let gateway = TestGateway(configuration.with { $0.vsiInterfaces[0].rpf = mode })
        let other = Site.Host(mac: Site.r1.mac, address: Site.gateway10)
        let error = Site.udp(from: other, to: Site.h3, destinationMAC: Site.gatewayMAC)
        #expect(routed(.tunnel(from: Site.p1, vni: 10010, error), in: gateway))
        expectDropped(packet(from: "10.0.10.1"), .ipMartianSrc, "from a port", in: gateway)
    }

    @Test func anInterfaceThatDoesNotForwardStillAnswers() {
        let gateway = TestGateway(configuration.with { $0.vsiInterfaces[0].forwarding = false })
        expectDropped(packet(from: "10.0.10.101"), .ipForwardingDisabled, "off", in: gateway)
        let own = Site.Host(mac: Site.gatewayMAC, address: Site.gateway10)
        expectAll(
            [
                PacketCase(
                    "own", .device("a1", packet(from: "10.0.10.101", to: own)), .consumed)
            ], in: gateway)
        // Where it came in counts, not where it would leave.
        let back = Site.udp(from: Site.h3, to: Site.h1, destinationMAC: Site.gatewayMAC)
        #expect(routed(.device("a3", back), in: gateway))
    }

    /// As Linux and every router have it: a subnet that is at hand is not reached by others.
    @Test func aStaticRouteDoesNotHideAConnectedSubnet() {
        let route = Configuration.StaticRoute(
            prefix: IPv4Prefix("10.0.20.0/24")!, via: [Site.h1.address], interface: "g10",
            vrf: "red")
        let gateway = TestGateway(configuration.with { $0.staticRoutes = [route] })
        let turn = gateway.receive(.device("a1", packet(from: "10.0.10.101")))
        #expect(turn.places == [.port("a3")])
    }
}
