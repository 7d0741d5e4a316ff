import TestKit
import Testing
import Wire

@testable import Control

/// What operators see of the long tables is what the agent had when it was asked.
@Suite struct AgentListingTests {
    typealias Site = TestSite

    private let bench = AgentBench(Site.routed)

    private func fill() {
        // Backwards and across VSIs, so that the order is not that of learning.
        for number in (1...3).reversed() {
            bench.see(AgentBench.mac(2 * number), at: bench.port("a3"), vsi: "v20")
            bench.see(AgentBench.mac(2 * number), at: bench.port("a1"))
            bench.see(AgentBench.mac(2 * number + 1), at: bench.peer(Site.p1))
        }
    }

    private static func text(_ row: FDBReport) -> String {
        "\(row.vsi) \(row.vni ?? 0) \(row.mac.suffix(2)) \(row.kind) \(row.port ?? "-") "
            + "\(row.peer ?? "-") \(row.address ?? "-")"
    }

    @Test func rowsAreByVSIAndAddressAndEachHasItsPlace() throws {
        fill()
        let rows = try bench.agent.fdbListing(Selection(), now: bench.now).rows()
        let p1 = "p1 \(Site.p1)"
        #expect(
            rows.filter { $0.kind == .dynamic }.map(Self.text) == [
                "v10 10010 02 dynamic a1 - -", "v10 10010 03 dynamic - \(p1)",
                "v10 10010 04 dynamic a1 - -", "v10 10010 05 dynamic - \(p1)",
                "v10 10010 06 dynamic a1 - -", "v10 10010 07 dynamic - \(p1)",
                "v20 10020 02 dynamic a3 - -", "v20 10020 04 dynamic a3 - -",
                "v20 10020 06 dynamic a3 - -",
            ])
        #expect(rows.first { $0.kind != .flood && $0.kind != .dynamic }?.kind == .own)
        let flood = rows.drop { $0.kind != .flood }
        #expect(!flood.isEmpty && flood.allSatisfy { $0.kind == .flood && $0.peer != nil })
    }

    @Test func whatChangesAfterwardsIsNotInIt() throws {
        fill()
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        let fdb = try bench.agent.fdbListing(Selection(), now: bench.now)
        let arp = try bench.agent.arpListing(Selection(), now: bench.now)
        let before = (Array(fdb.rows()), Array(arp.rows()))
        #expect(before.0.contains { $0.vsi == "v10" } && before.1.contains { $0.port == "a1" })
        bench.apply(
            Site.routed.changed { configuration in
                configuration.vsis.removeAll { $0.name == "v10" }
                configuration.accessPorts.removeAll { $0.vsi == "v10" }
                configuration.vsiInterfaces.removeAll { $0.vsi == "v10" }
            })
        #expect(try !bench.fdb().contains { $0.vsi == "v10" })
        #expect(Array(fdb.rows()) == before.0)
        #expect(Array(arp.rows()) == before.1)
    }

    /// The agent is held up by what it copies: numbers, and no text.
    @Test func anEntryIsSmall() {
        #expect(MemoryLayout<FDBListing.Entry>.stride <= 24)
        #expect(MemoryLayout<ARPListing.Entry>.stride <= 40)
    }
}
