import Control
import Dataplane
import Memory
import TestKit
import Testing
import Uring

@testable import Gateway

@Suite struct AccountsTests {
    private let agentRegion = PageRegion(byteCount: CounterLayout.count * 8)

    private func links(_ count: Int) throws -> [WorkerLink] {
        let descriptor = OwnedDescriptor(-1)
        return try (0..<count).map { try WorkerLink(number: $0, agentDescriptor: descriptor) }
    }

    @Test func sumsTheWorkers() throws {
        let links = try links(3)
        let accounts = Accounts(links: links, agent: Counters(region: agentRegion))
        for (index, link) in links.enumerated() {
            link.counters.count(.hairpin, UInt64(index + 1))
            link.counters.count(.vxlanUnknownVni, 10)
            link.counters.add(100, .received)
            link.counters.record(.bridge, packets: 7, bytes: 700, clocks: 70)
        }
        #expect(accounts.value(CounterLayout.index(DropReason.hairpin)) == 6)
        let report = accounts.report(Agent.Events())
        #expect(report.totals.received == 300)
        #expect(report.totals.dropped == 36)
        let bridge = try #require(report.stages.first { $0.stage == "bridge" })
        #expect(bridge.packets == 21 && bridge.bytes == 2100 && bridge.clocksPerPacket == 10)
        #expect(bridge.vectors == 3 && bridge.drops == 6)
        #expect(report.stages.first { $0.stage == "classify" }?.drops == 30)
        #expect(accounts.report(worker: links[2]).totals.dropped == 13)
    }

    @Test func beginsAgainAtZeroAfterAClear() throws {
        let links = try links(2)
        var accounts = Accounts(links: links, agent: Counters(region: agentRegion))
        var events = Agent.Events()
        events.fdbLimit = 5
        func count() {
            for link in links {
                link.counters.count(.hairpin)
                link.counters.count(.arpAnswered)
                link.counters.add(3, .transmitted)
                link.counters.add(4, port: 1, .rxPackets)
                link.counters.add(5, peer: 2, .txBytes)
                link.counters.add(6, vsi: 3, .floodedPackets)
                link.counters.add(7, policy: 4)
                link.counters.record(.parse, packets: 1, bytes: 1, clocks: 1)
            }
        }
        count()
        accounts.resetAll(
            .init(ports: [1], peers: [2], vsis: [3], policies: [4]), events: events)
        let words = [
            CounterLayout.index(DropReason.hairpin), CounterLayout.index(.arpAnswered),
            CounterLayout.index(CounterLayout.Total.transmitted),
            CounterLayout.index(port: 1, .rxPackets), CounterLayout.index(peer: 2, .txBytes),
            CounterLayout.index(vsi: 3, .floodedPackets), CounterLayout.index(.parse, .clocks),
            CounterLayout.index(policy: 4),
        ]
        for word in words { #expect(accounts.value(word) == 0) }
        #expect(accounts.report(events).events["fdb_limit"] == 0)
        count()
        #expect(words.map { accounts.value($0) } == [2, 2, 6, 8, 10, 12, 2, 14])
        events.fdbLimit = 7
        #expect(accounts.report(events).events["fdb_limit"] == 2)
        // What workers and agent both count is one sum.
        links[1].counters.count(.icmpRateLimited, 2)
        events.icmpRateLimited = 3
        #expect(accounts.report(events).events["icmp_rate_limited"] == 5)
    }

    /// What waits, and what is in the middle of the stages, ends after the clear.
    @Test func packetsUnderWayAtAClearStayInTheIdentity() throws {
        let links = try links(2)
        var accounts = Accounts(links: links, agent: Counters(region: agentRegion))
        let counters = links[0].counters
        counters.add(20, .received)
        counters.add(3, .replicated)
        counters.add(8, .transmitted)
        links[1].counters.add(2, .consumed)
        counters.count(.noRoute, 4)
        counters.add(6, .held)
        // Three are between receive and transmit; one that waited is let go.
        links[1].counters.add(1, .released)
        counters.add(1, .transmitted)
        func totals() -> TotalsReport { accounts.report(Agent.Events()).totals }
        accounts.resetAll(.init(), events: Agent.Events())
        #expect(totals().held == 5)
        #expect(totals().received == 8, "five that wait and three on their way")
        #expect(totals().transmitted == 0 && totals().dropped == 0)
        counters.add(3, .transmitted)
        #expect(isBalanced(totals()))
        counters.add(10, .received)
        counters.add(10, .transmitted)
        Counters(region: agentRegion).count(.nhFailed, 2)
        counters.add(5, .released)
        counters.add(3, .transmitted)
        #expect(isBalanced(totals()))
        #expect(totals().held == 0 && totals().received == 18 && totals().dropped == 2)
        accounts.resetAll(.init(), events: Agent.Events())
        #expect(totals() == TotalsReport())
    }

    private func isBalanced(_ totals: TotalsReport) -> Bool {
        totals.received + totals.replicated == totals.transmitted + totals.consumed
            + totals.dropped + totals.held
    }

    /// A policy takes over the counter of one that is gone.
    @Test func aNewPolicyBeginsAtZero() throws {
        func configuration(_ names: String...) -> Configuration {
            var configuration = TestSite.routed
            configuration.policyRoutes = names.map {
                .init(name: $0, interface: "g10", nextHop: TestSite.h2.address)
            }
            return configuration
        }
        let gateway = TestGateway(configuration("old", "kept"))
        let links = try links(1)
        var accounts = Accounts(links: links, agent: Counters(region: agentRegion))
        for index in 0..<2 { links[0].counters.add(10, policy: index) }
        func hits() -> [String: UInt64] {
            gateway.agent.policyNames.mapValues { accounts.value(CounterLayout.index(policy: $0)) }
        }
        func apply(_ configuration: Configuration) {
            let before = Accounts.Owners(of: gateway.agent)
            gateway.apply(configuration)
            accounts.reset(Accounts.Owners(of: gateway.agent).subtracting(before))
        }
        apply(configuration("kept"))
        gateway.advance(seconds: 10)
        apply(configuration("kept", "new"))
        #expect(gateway.agent.policyNames["new"] == 0)
        #expect(hits() == ["kept": 10, "new": 0])
    }

    @Test func aNewOwnerOfAnIndexBeginsAtZero() throws {
        let links = try links(1)
        var accounts = Accounts(links: links, agent: Counters(region: agentRegion))
        for index in 0..<3 {
            links[0].counters.add(10, port: index, .txPackets)
            links[0].counters.add(10, peer: index, .txPackets)
            links[0].counters.add(10, vsi: index, .txPackets)
        }
        accounts.resetPort(1)
        accounts.resetPeer(1)
        accounts.resetVSI(1)
        for index in 0..<3 {
            let expected: UInt64 = index == 1 ? 0 : 10
            #expect(accounts.value(CounterLayout.index(port: index, .txPackets)) == expected)
            #expect(accounts.value(CounterLayout.index(peer: index, .txPackets)) == expected)
            #expect(accounts.value(CounterLayout.index(vsi: index, .txPackets)) == expected)
        }
    }

    /// No two things share a word, up to the limits of a gateway.
    @Test func everyWordMeansOneThing() {
        var words: [Int] = []
        for stage in Stage.allCases {
            words += CounterLayout.StageField.allCases.map { CounterLayout.index(stage, $0) }
        }
        words += DropReason.allCases.map { CounterLayout.index($0) }
        words += CounterLayout.Total.allCases.map { CounterLayout.index($0) }
        words += CounterLayout.Event.allCases.map { CounterLayout.index($0) }
        words += CounterLayout.Runtime.allCases.map { CounterLayout.index($0) }
        for port in [0, 1, CounterLayout.maximumPorts - 1] {
            words += CounterLayout.PortField.allCases.map { CounterLayout.index(port: port, $0) }
        }
        for peer in [0, 1, CounterLayout.maximumPeers - 1, CounterLayout.maximumPeers] {
            words += CounterLayout.PeerField.allCases.map { CounterLayout.index(peer: peer, $0) }
        }
        for vsi in [0, 1, CounterLayout.maximumVSIs - 1, CounterLayout.maximumVSIs] {
            words += CounterLayout.VSIField.allCases.map { CounterLayout.index(vsi: vsi, $0) }
        }
        #expect(Set(words).count == words.count)
        #expect(words.allSatisfy { (0..<CounterLayout.count).contains($0) })
    }

    @Test func everyReasonHasItsOwnNameAndText() {
        let reasons = DropReason.allCases
        #expect(Set(reasons.map(\.name)).count == reasons.count)
        #expect(Set(reasons.map(\.entry.text)).count == reasons.count)
        #expect(
            reasons.allSatisfy { $0.name.allSatisfy { $0.isLowercase || $0 == "_" || $0.isNumber } }
        )
        // The order of the table and that of the cases meet at a few of them.
        #expect(DropReason.vxlanNoIFlag.name == "vxlan_no_i_flag")
        #expect(DropReason.vxlanNoIFlag.stage == .parse)
        #expect(DropReason.portDown.entry.text == "the access port is down")
        #expect(DropReason.hairpin.stage == .bridge)
        #expect(DropReason.arpRate.stage == .bridge)
        #expect(DropReason.ttlExceeded.stage == .route)
        #expect(DropReason.encapMtu.stage == .encapsulate)
        #expect(DropReason.internalUnknownVerdict.stage == .transmit)
    }
}
