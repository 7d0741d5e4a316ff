import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// Layer 3 of the table set, as it is made of a configuration.
@Suite struct RoutingBuilderTests {
    typealias Site = TestSite

    /// Five ways over three next hops of two VSIs.
    private static let ways = [
        [Site.h1.address], [Site.h3.address], [Site.h1.address, Site.h3.address],
        [Site.h3.address, Site.h1.address], [Site.r1.address],
    ]

    private static func prefix(_ number: Int) -> IPv4Prefix {
        let bits = 0x4000_0000 + UInt32(number) << 8
        return IPv4Prefix(address: IPv4Address(bits: bits), length: 24)
    }

    /// A thousand routes by few next hops have as few records, and each of them its own way.
    @Test func routesByTheSameNextHopsShareThem() {
        let configuration = Site.routed.changed {
            $0.staticRoutes = (0..<1000).map {
                .init(prefix: Self.prefix($0), via: Self.ways[$0 % Self.ways.count], vrf: "red")
            }
        }
        var layout = GatewayLayout()
        layout.adopt(configuration, now: 0)
        let routing = RoutingBuilder(
            configuration: configuration, layout: layout,
            environment: TestGateway.environment(of: configuration)
        ).build { _ in Site.gatewayMAC }
        // Seven in all the ways, and one for each connected subnet.
        #expect(routing.nextHops.count == 7 + 3)
        func question(_ address: IPv4Address) -> UInt64 {
            let vsi = address == Site.h3.address ? "v20" : "v10"
            return NeighborTable.key(vsi: UInt16(layout.vsis[vsi]!), address: address.bits)
        }
        for number in 0..<1000 {
            let route = routing.routes.first { $0.prefix == Self.prefix(number) }
            let first = route?.firstNextHop ?? 0
            let hops = routing.nextHops[first..<first + (route?.nextHopCount ?? 0)]
            #expect(hops.map(\.question) == Self.ways[number % Self.ways.count].map(question))
            #expect(
                hops.allSatisfy { layout.interfaceOf[$0.interface]?.vrf == "red" })
        }
    }
}
