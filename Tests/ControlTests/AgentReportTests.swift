import TestKit
import Testing
import Wire

@testable import Control

/// What operators see, by the filters they give.
@Suite struct AgentReportTests {
    typealias Site = TestSite

    private var configuration: Configuration {
        Site.routed.changed { configuration in
            configuration.vsiInterfaces[1].addresses.append(
                IPv4Prefix(address: IPv4Address("192.168.9.1")!, length: 32))
            configuration.staticRoutes = [
                .init(
                    prefix: IPv4Prefix("0.0.0.0/0")!, via: [Site.h1.address], vrf: "red"),
                .init(
                    prefix: IPv4Prefix("198.18.0.0/15")!, via: [Site.h1.address, Site.h3.address],
                    vrf: "red"),
                .init(prefix: IPv4Prefix("198.18.6.0/24")!, via: [], vrf: "red", blackhole: true),
                .init(prefix: IPv4Prefix("10.0.20.0/24")!, via: [Site.h1.address], vrf: "red"),
            ]
            configuration.policyRoutes = [
                .init(name: "out", interface: "g10", nextHop: Site.h3.address),
                .init(name: "blue", interface: "g30", nextHop: Site.h4.address),
            ]
        }
    }

    private func selection(_ change: (inout Selection) -> Void) -> Selection {
        var selection = Selection()
        change(&selection)
        return selection
    }

    private func routes(_ change: (inout Selection) -> Void) throws -> [String] {
        let agent = AgentBench(configuration).agent
        return try agent.routeReport(selection(change)).map {
            "\($0.vrf) \($0.prefix) \($0.kind.rawValue) \($0.via ?? "-")"
        }
    }

    /// The route to a connected subnet does nothing, and is not shown as if it did.
    @Test func everyRouteByItsKind() throws {
        #expect(
            try routes { _ in } == [
                "red 10.0.10.0/24 connected -", "red 10.0.20.0/24 connected -",
                "red 192.168.9.1/32 host -", "blue 10.0.10.0/24 connected -",
                "red 0.0.0.0/0 static 10.0.10.101", "red 198.18.0.0/15 static 10.0.10.101",
                "red 198.18.0.0/15 static 10.0.20.103", "red 198.18.6.0/24 blackhole -",
            ])
    }

    @Test func theRouteOfAnAddress() throws {
        for (address, rows) in [
            ("10.0.20.5", ["red 10.0.20.0/24 connected -"]),
            (
                "10.0.10.5", ["red 10.0.10.0/24 connected -", "blue 10.0.10.0/24 connected -"]
            ),
            ("192.168.9.1", ["red 192.168.9.1/32 host -"]),
            ("198.18.6.255", ["red 198.18.6.0/24 blackhole -"]),
            (
                "198.18.7.0",
                ["red 198.18.0.0/15 static 10.0.10.101", "red 198.18.0.0/15 static 10.0.20.103"]
            ),
            ("203.0.113.1", ["red 0.0.0.0/0 static 10.0.10.101"]),
        ] {
            #expect(try routes { $0.address = IPv4Address(address) } == rows, "\(address)")
        }
        let none = try routes {
            $0.address = IPv4Address("203.0.113.1")
            $0.vrf = "blue"
        }
        #expect(none.isEmpty)
        // What another interface carries is not this one's, however long the prefix.
        let other = try routes {
            $0.address = IPv4Address("10.0.20.5")
            $0.interface = "g10"
        }
        #expect(other.isEmpty)
    }

    @Test func policiesByTheirFilters() throws {
        let agent = AgentBench(configuration).agent
        func names(_ change: (inout Selection) -> Void) throws -> [String] {
            try agent.policyReport(selection(change)).map(\.report.name)
        }
        #expect(try names { _ in } == ["out", "blue"])
        #expect(try names { $0.name = "blue" } == ["blue"])
        #expect(try names { $0.interface = "g10" } == ["out"])
        #expect(try names { $0.interface = "g20" }.isEmpty)
        #expect(try names { $0.vrf = "blue" } == ["blue"])
        #expect(try names { $0.vrf = "default" }.isEmpty)
    }

    @Test func aNameThatDoesNotExistIsSaid() {
        let agent = AgentBench(configuration).agent
        for change: (inout Selection) -> Void in [
            { $0.name = "nosuch" }, { $0.interface = "nosuch" }, { $0.vrf = "nosuch" },
        ] {
            let selection = selection(change)
            let policies = AgentBench.error { () throws(ControlError) in
                _ = try agent.policyReport(selection)
            }
            #expect(policies?.kind == "notFound")
            guard selection.name == nil else { continue }
            let routes = AgentBench.error { () throws(ControlError) in
                _ = try agent.routeReport(selection)
            }
            #expect(routes?.kind == "notFound")
        }
    }

    @Test func theMTUOfAVSI() {
        let agent = AgentBench(
            Site.routed.changed {
                $0.vsiInterfaces[1].mtu = 1300
                $0.vsis[2].vni = nil
            }
        ).agent
        #expect(agent.configuration.vsis.map { agent.mtu(ofVSI: $0) } == [1450, 1300, 1500])
    }
}
