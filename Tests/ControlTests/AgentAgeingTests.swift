import Tables
import TestKit
import Testing
import Wire

@testable import Control

@Suite struct AgentAgeingTests {
    typealias Site = TestSite

    private func configuration(seconds: Int) -> Configuration {
        Site.bridged.changed { configuration in
            for index in configuration.vsis.indices {
                configuration.vsis[index].ageingSeconds = seconds
            }
        }
    }

    /// Whatever part of a tick the entry was made in, it goes after its limit and within a second.
    @Test(arguments: [0, 1, 49, 124, 125, 126, 200, 249])
    func goesBetweenItsLimitAndASecondLater(phase: Int) throws {
        var bench = AgentBench(configuration(seconds: 5))
        for _ in 0..<3 { bench.advance(milliseconds: 250) }
        bench.now += UInt64(phase) * 1_000_000
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        let seen = bench.now
        bench.now -= UInt64(phase) * 1_000_000
        var gone: UInt64?
        for _ in 0..<40 where gone == nil {
            bench.advance(milliseconds: 250)
            if try bench.fdb().isEmpty { gone = bench.now }
        }
        let milliseconds = try #require(gone.map { ($0 - seen) / 1_000_000 })
        #expect((5000...6000).contains(milliseconds))
    }

    @Test func aTouchByTheWorkerKeepsIt() throws {
        var bench = AgentBench(configuration(seconds: 5))
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.see(AgentBench.mac(2), at: bench.port("a1"))
        let table = bench.agent.writer.forwarding
        let slot = table.find(ForwardingTable.key(mac: AgentBench.mac(1), vsi: bench.vsi("v10")))
        for _ in 0..<20 {
            bench.advance(seconds: 1)
            table.touch(slot, time: Agent.ticks(bench.now))
        }
        #expect(try bench.entries() == ["v10 00:01 dynamic a1"])
        bench.advance(seconds: 7)
        #expect(try bench.entries() == [])
    }

    @Test func aMoveMakesItYoung() throws {
        var bench = AgentBench(configuration(seconds: 5))
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.advance(seconds: 4)
        bench.see(AgentBench.mac(1), at: bench.port("a2"))
        bench.advance(seconds: 4)
        #expect(try bench.entries() == ["v10 00:01 dynamic a2"])
        #expect(try bench.fdb().first?.ageSeconds == 4)
    }

    @Test func eachDomainHasItsOwnLimit() throws {
        var bench = AgentBench(
            configuration(seconds: 5).changed { $0.vsis[1].ageingSeconds = 20 })
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.see(AgentBench.mac(2), at: bench.port("a3"), vsi: "v20")
        bench.advance(seconds: 10)
        #expect(try bench.entries() == ["v20 00:02 dynamic a3"])
        bench.advance(seconds: 11)
        #expect(try bench.entries() == [])
    }

    @Test func whatIsConfiguredDoesNotAge() throws {
        var bench = AgentBench(
            Site.routed.changed { configuration in
                configuration.vsis[0].ageingSeconds = 1
                configuration.timers.arpAgeingSeconds = 1
                configuration.staticFDB = [Site.staticFDB[0]]
                configuration.staticARP = [
                    .init(interface: "g10", address: Site.h1.address, mac: Site.h1.mac)
                ]
            })
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(9), target: .peer("p1"), now: bench.now)
        let fdb = try bench.entries()
        let arp = try bench.arp()
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.see(Site.h2.address, Site.h2.mac, at: bench.port("a2"))
        bench.advance(seconds: 5)
        #expect(try bench.entries() == fdb)
        #expect(try bench.arp() == arp)
    }

    @Test func neighborsAge() throws {
        var bench = AgentBench(Site.bridged.changed { $0.timers.arpAgeingSeconds = 3 })
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        bench.advance(seconds: 2)
        bench.see(Site.h2.address, Site.h2.mac, at: bench.port("a2"))
        #expect(try bench.arp().count == 2)
        bench.advance(seconds: 2)
        #expect(try bench.arp().map(\.address) == [Site.h2.address.description])
        bench.advance(seconds: 3)
        #expect(try bench.arp().isEmpty)
    }

    @Test func theClockOfTicksMayWrap() throws {
        // 2^32 quarters of a second after the start of the clock.
        let wrap: UInt64 = (1 << 32) * 250_000_000
        var bench = AgentBench(configuration(seconds: 5), now: wrap - 3_000_000_000)
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.advance(seconds: 4)
        #expect(Agent.ticks(bench.now) < 100)
        #expect(try bench.entries() == ["v10 00:01 dynamic a1"])
        bench.see(AgentBench.mac(2), at: bench.port("a1"))
        bench.advance(seconds: 3)
        #expect(try bench.entries() == ["v10 00:02 dynamic a1"])
        bench.advance(seconds: 3)
        #expect(try bench.entries() == [])
    }

    @Test func aTouchFromTheFutureIsYoung() throws {
        // The worker reads the clock after the agent did.
        var bench = AgentBench(configuration(seconds: 5))
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        let table = bench.agent.writer.forwarding
        let slot = table.find(ForwardingTable.key(mac: AgentBench.mac(1), vsi: bench.vsi("v10")))
        table.touch(slot, time: Agent.ticks(bench.now) + 8)
        bench.advance(seconds: 1)
        #expect(try bench.fdb().first?.ageSeconds == 0)
        bench.advance(seconds: 5)
        #expect(try bench.fdb().count == 1)
    }
}
