import Tables
import TestKit
import Testing
import Wire

@testable import Control

@Suite struct AgentMoveTests {
    typealias Site = TestSite
    private let mac = AgentBench.mac(1)

    /// Moves `count` times between a port and a peer; ends at the peer when that is odd.
    private func flap(_ bench: AgentBench, _ count: Int) {
        for move in 1...count {
            bench.see(mac, at: move % 2 == 1 ? bench.peer(Site.p1) : bench.port("a1"))
        }
    }

    private func flapAddress(_ bench: AgentBench, _ count: Int) {
        for move in 1...count {
            if move % 2 == 1 {
                bench.see(Site.h1.address, Site.r1.mac, at: bench.peer(Site.p1))
            } else {
                bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
            }
        }
    }

    @Test func theFifthMoveIsTheLastForAWhile() throws {
        var bench = AgentBench(Site.bridged.changed { $0.vsis[0].ageingSeconds = 600 })
        bench.see(mac, at: bench.port("a1"))
        bench.see(AgentBench.mac(2), at: bench.port("a2"))
        flap(bench, 4)
        #expect(try bench.fdb().map(\.isFrozen) == [false, false])
        flap(bench, 1)
        #expect(try bench.entries() == ["v10 00:01 dynamic p1", "v10 00:02 dynamic a2"])
        #expect(try bench.fdb().map(\.isFrozen) == [true, false])
        let vsi = "v10"
        #expect(
            bench.agent.takeNotices(now: bench.now)
                == [.macFrozen(mac, vsi: vsi, place: bench.peer(Site.p1))])
        flap(bench, 6)
        #expect(try bench.fdb().first?.peer == "p1")
        #expect(try bench.fdb().first?.moves == 5)
        #expect(bench.agent.events.fdbMoves == 5)
        #expect(bench.agent.events.fdbFrozen == 1)
        // Others move as ever.
        bench.see(AgentBench.mac(2), at: bench.port("a1"))
        #expect(try bench.fdb { $0.mac = AgentBench.mac(2) }.first?.port == "a1")
        bench.advance(seconds: 179)
        #expect(try bench.fdb().first?.isFrozen == true)
        bench.advance(seconds: 1)
        #expect(try bench.fdb().first?.isFrozen == false)
        #expect(bench.agent.takeNotices(now: bench.now) == [.macReleased(mac, vsi: vsi)])
        bench.see(mac, at: bench.port("a1"))
        #expect(try bench.fdb().first?.port == "a1")
    }

    @Test func movesFarApartFreezeNothing() throws {
        var bench = AgentBench(Site.bridged.changed { $0.vsis[0].ageingSeconds = 600 })
        bench.see(mac, at: bench.port("a1"))
        for _ in 0..<12 {
            flap(bench, 1)
            bench.advance(seconds: 45)
            bench.see(mac, at: bench.port("a1"))
            bench.advance(seconds: 45)
        }
        #expect(bench.agent.events.fdbMoves == 24)
        #expect(bench.agent.events.fdbFrozen == 0)
    }

    @Test func theFreezeEndsWithTheEntry() throws {
        var bench = AgentBench(Site.bridged.changed { $0.vsis[0].ageingSeconds = 20 })
        func freeze() {
            bench.see(mac, at: bench.port("a1"))
            flap(bench, 5)
            bench.see(mac, at: bench.port("a2"))
        }
        freeze()
        #expect(try bench.entries() == ["v10 00:01 dynamic p1"])
        var selection = Selection()
        selection.mac = mac
        _ = try bench.agent.clearFDB(selection, includingStatic: false)
        freeze()
        bench.advance(seconds: 22)
        #expect(try bench.entries() == [])
        freeze()
        // A static entry takes its place, and what follows it begins anew.
        try bench.agent.addFDB(vsi: "v10", mac: mac, target: .port("a2"), now: bench.now)
        #expect(try bench.fdb().first?.isFrozen == false)
        try bench.agent.deleteFDB(vsi: "v10", mac: mac)
        bench.see(mac, at: bench.port("a1"))
        flap(bench, 4)
        #expect(try bench.fdb().first?.isFrozen == false)
        #expect(bench.agent.events.fdbFrozen == 3)
        bench.advance(seconds: 200)
        #expect(bench.agent.macMoves.count == 0)
    }

    @Test func limitsComeFromTheConfigurationAndChangeWithIt() throws {
        let strict = Site.bridged.changed { configuration in
            configuration.limits.macMoves = 2
            configuration.timers.macMoveWindowSeconds = 10
            configuration.timers.macFreezeSeconds = 30
        }
        var bench = AgentBench(strict)
        bench.see(mac, at: bench.port("a1"))
        flap(bench, 1)
        bench.advance(seconds: 10)
        flap(bench, 2)
        #expect(try bench.fdb().first?.isFrozen == false)
        flap(bench, 1)
        #expect(try bench.fdb().first?.isFrozen == true)
        bench.apply(strict.changed { $0.limits.macMoves = 0 })
        bench.advance(milliseconds: 250)
        #expect(try bench.fdb().first?.isFrozen == false)
        flap(bench, 50)
        #expect(try bench.fdb().first?.isFrozen == false)
    }

    @Test func betweenPortsTheLastFrameDecides() throws {
        let bench = AgentBench()
        for _ in 0..<20 {
            bench.see(mac, at: bench.port("a1"))
            bench.see(mac, at: bench.port("a2"))
        }
        #expect(bench.agent.events.fdbMoves == 39)
        #expect(bench.agent.events.fdbFrozen == 0)
        #expect(try bench.entries() == ["v10 00:01 dynamic a2"])
    }

    @Test func betweenTunnelsNothingIsFrozen() throws {
        let bench = AgentBench()
        for _ in 0..<20 {
            bench.see(mac, at: bench.peer(Site.p1))
            bench.see(mac, at: bench.peer(Site.p2))
        }
        #expect(bench.agent.events.fdbMoves == 39)
        #expect(bench.agent.events.fdbFrozen == 0)
    }

    @Test func anAddressThatChangesHandsTooOftenStays() throws {
        var bench = AgentBench(Site.routed)
        func row() throws -> ARPReport? {
            try bench.arp { $0.address = Site.h1.address }.first { $0.interface == "g10" }
        }
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        flapAddress(bench, 4)
        #expect(try row()?.port == "a1")
        #expect(try row()?.isFrozen == false)
        flapAddress(bench, 1)
        #expect(try row()?.isFrozen == true)
        #expect(
            bench.agent.takeNotices(now: bench.now) == [
                .addressFrozen(
                    Site.h1.address, vsi: "v10", mac: Site.r1.mac, place: bench.peer(Site.p1))
            ])
        // An announcement is an ARP packet like any other.
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"), isAnnouncement: true)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        #expect(try row()?.peer == "p1")
        #expect(try row()?.mac == Site.r1.mac.description)
        #expect(bench.agent.events.arpMoves == 5)
        #expect(bench.agent.events.arpFrozen == 1)
        #expect(bench.agent.events.arpRefused == 2)
        for _ in 0..<180 {
            bench.see(Site.h1.address, Site.r1.mac, at: bench.peer(Site.p1))
            bench.advance(seconds: 1)
        }
        #expect(try row()?.isFrozen == false)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        #expect(try row()?.port == "a1")
    }

    @Test func clearARPEndsTheFreezeOfAnAddress() throws {
        let bench = AgentBench(Site.routed)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        flapAddress(bench, 5)
        var selection = Selection()
        selection.interface = "g10"
        _ = try bench.agent.clearARP(selection)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        #expect(try bench.arp { $0.address = Site.h1.address }.map(\.port) == ["a1"])
        #expect(bench.agent.addressMoves.count == 0)
    }

    /// A gateway's address that two gateways share (A-P3, D2) is told by each in turn.
    @Test func addressesOfSharedGatewaysAreNotFrozen() {
        let bench = AgentBench(Site.routed)
        for _ in 0..<20 {
            bench.see(Site.r1.address, Site.r1.mac, at: bench.peer(Site.p1))
            bench.see(Site.r1.address, Site.r2.mac, at: bench.peer(Site.p2))
        }
        #expect(bench.agent.events.arpMoves == 39)
        #expect(bench.agent.events.arpFrozen == 0)
    }

    @Test func neighborsThatFollowTheirMACDoNotMoveThemselves() {
        let bench = AgentBench(Site.routed)
        bench.see(Site.h1.mac, at: bench.port("a1"))
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        for port in ["a2", "a1", "a2"] {
            bench.see(Site.h1.mac, at: bench.port(port))
            bench.see(Site.h1.address, Site.h1.mac, at: bench.port(port))
        }
        #expect(bench.agent.events.fdbMoves == 3)
        #expect(bench.agent.events.arpMoves == 0)
    }
}
