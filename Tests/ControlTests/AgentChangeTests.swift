import Memory
import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// What a new configuration or a change of the host does to what was learnt.
@Suite struct AgentChangeTests {
    typealias Site = TestSite

    /// One address behind each place, and its neighbor.
    private func filled(_ configuration: Configuration = TestSite.routed) -> AgentBench {
        let bench = AgentBench(configuration)
        let hosts: [(Site.Host, String, FDBTarget)] = [
            (Site.h1, "v10", .port("a1")), (Site.h2, "v10", .port("a2")),
            (Site.r1, "v10", .peer("p1")), (Site.r2, "v10", .peer("p2")),
            (Site.h3, "v20", .port("a3")), (Site.r3, "v20", .peer("p1")),
            (Site.h4, "v30", .port("a4")),
        ]
        for (host, vsi, target) in hosts {
            let place = bench.agent.place(of: target)!
            bench.see(host.mac, at: place, vsi: vsi)
            bench.see(host.address, host.mac, at: place, vsi: vsi)
        }
        return bench
    }

    /// Places of learnt entries.
    private func places(_ bench: AgentBench) throws -> [String] {
        try bench.fdb().filter { $0.kind == .dynamic }
            .map { "\($0.vsi) \($0.port ?? $0.peer ?? "-")" }.sorted()
    }

    private func neighbors(_ bench: AgentBench) throws -> [String] {
        try bench.arp().filter { $0.kind == .dynamic }
            .map { "\($0.interface) \($0.port ?? $0.peer ?? "-")" }.sorted()
    }

    private let all = [
        "v10 a1", "v10 a2", "v10 p1", "v10 p2", "v20 a3", "v20 p1", "v30 a4",
    ]

    private func expectOnlyGone(_ gone: String..., in bench: AgentBench) throws {
        #expect(try places(bench) == all.filter { !gone.contains($0) })
        let kept = all.filter { !gone.contains($0) }
            .map { $0.replacing("v10", with: "g10").replacing("v20", with: "g20") }
            .map { $0.replacing("v30", with: "g30") }
        #expect(try neighbors(bench) == kept)
    }

    @Test func theSameConfigurationAHundredTimesChangesNothing() throws {
        let configuration = Site.routed.changed { configuration in
            configuration.staticFDB = [
                .init(vsi: "v10", mac: AgentBench.mac(1), target: .port("a1")),
                .init(vsi: "v20", mac: AgentBench.mac(2), target: .peer("p1")),
            ]
            configuration.staticARP = [
                .init(interface: "g10", address: IPv4Address("10.0.10.9")!, mac: AgentBench.mac(1))
            ]
        }
        var bench = filled(configuration)
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(5), target: .port("a2"), now: bench.now)
        bench.advance(seconds: 3)
        let fdb = try bench.fdb()
        let arp = try bench.arp()
        let names = bench.agent.portNames
        for _ in 0..<100 { bench.apply(configuration) }
        #expect(try bench.fdb() == fdb)
        #expect(try bench.arp() == arp)
        #expect(bench.agent.portNames == names)
        #expect(fdb.contains { $0.ageSeconds == 3 })
        #expect(bench.agent.events == Agent.Events())
    }

    @Test func aPortThatGoesTakesItsAddresses() throws {
        let bench = filled()
        bench.apply(Site.routed.changed { $0.accessPorts.removeAll { $0.name == "a2" } })
        try expectOnlyGone("v10 a2", in: bench)
    }

    @Test func aPortThatChangesItsDomainTakesItsAddresses() throws {
        let bench = filled()
        bench.apply(Site.routed.changed { $0.accessPorts[1].vsi = "v20" })
        try expectOnlyGone("v10 a2", in: bench)
    }

    @Test func aNewPortInheritsNothing() throws {
        var bench = filled()
        let index = bench.agent.portNames["a2"]
        bench.apply(Site.routed.changed { $0.accessPorts[1] = Site.port("b2", "v10") })
        #expect(bench.agent.portNames["b2"] != index)
        try expectOnlyGone("v10 a2", in: bench)
        // Later on one is given the index of the one that went.
        bench.advance(seconds: 5)
        bench.apply(Site.routed.changed { $0.accessPorts[1] = Site.port("c2", "v10") })
        #expect(bench.agent.portNames["c2"] == index)
        try expectOnlyGone("v10 a2", in: bench)
    }

    @Test func aPeerThatLeavesAVNITakesWhatItHadThere() throws {
        let bench = filled()
        bench.apply(
            Site.routed.changed { configuration in
                configuration.peers[0].vnis = [VNI(bits: 10020)]
                configuration.vsis[0].floodList = ["p2"]
            })
        try expectOnlyGone("v10 p1", in: bench)
    }

    @Test func aPeerThatGoesTakesItsAddresses() throws {
        let bench = filled()
        bench.apply(
            Site.routed.changed { configuration in
                configuration.peers.removeAll { $0.name == "p1" }
                configuration.vsis[0].floodList = ["p2"]
                configuration.vsis[1].floodList = []
            })
        try expectOnlyGone("v10 p1", "v20 p1", in: bench)
    }

    @Test func aPeerMayChangeItsName() throws {
        let bench = filled()
        bench.apply(
            Site.routed.changed { configuration in
                configuration.peers[0].name = "leaf1"
                configuration.vsis[0].floodList = ["leaf1", "p2"]
                configuration.vsis[1].floodList = ["leaf1"]
            })
        #expect(
            try places(bench)
                == ["v10 a1", "v10 a2", "v10 leaf1", "v10 p2", "v20 a3", "v20 leaf1", "v30 a4"])
    }

    @Test func aDomainThatGoesTakesEverything() throws {
        let bench = filled()
        bench.apply(
            Site.routed.changed { configuration in
                configuration.vsis.removeAll { $0.name == "v20" }
                configuration.accessPorts.removeAll { $0.vsi == "v20" }
                configuration.vsiInterfaces.removeAll { $0.vsi == "v20" }
            })
        try expectOnlyGone("v20 a3", "v20 p1", in: bench)
        #expect(try bench.fdb().filter { $0.kind == .own }.count == 2)
        #expect(try bench.arp().filter { $0.kind == .own }.count == 2)
        // Another in its place begins empty.
        bench.apply(
            Site.routed.changed { configuration in
                configuration.vsis[1].name = "w20"
                configuration.accessPorts[2].vsi = "w20"
                configuration.vsiInterfaces[1].vsi = "w20"
            })
        #expect(try bench.fdb { $0.vsi = "w20" }.map(\.kind) == [.own])
    }

    @Test func anInterfaceThatGoesTakesItsAddresses() throws {
        let configuration = Site.routed.changed { configuration in
            configuration.staticARP = [
                .init(interface: "g20", address: Site.h3.address, mac: Site.h3.mac)
            ]
        }
        let bench = AgentBench(configuration)
        #expect(try bench.arp { $0.vsi = "v20" }.map(\.kind) == [.own, .static])
        bench.apply(
            configuration.changed { configuration in
                configuration.vsiInterfaces.remove(at: 1)
                configuration.staticARP = []
            })
        #expect(try bench.arp { $0.vsi = "v20" }.isEmpty)
        #expect(try bench.fdb { $0.vsi = "v20" }.isEmpty)
    }

    @Test func aNewGatewayMACTakesThePlaceOfTheOld() throws {
        let bench = filled()
        let mac = MACAddress(bits: 0x0000_5E00_0202)
        bench.apply(Site.routed.changed { $0.vsiInterfaces[0].mac = mac })
        #expect(
            try bench.fdb { $0.vsi = "v10" }.filter { $0.kind == .own }.map(\.mac)
                == [mac.description])
        #expect(
            try bench.arp { $0.interface = "g10" }.filter { $0.kind == .own }.map(\.mac)
                == [mac.description])
        // What was learnt as a host is the gateway's from now on.
        bench.apply(Site.routed.changed { $0.vsiInterfaces[0].mac = Site.h1.mac })
        #expect(try bench.fdb { $0.mac = Site.h1.mac }.map(\.kind) == [.own])
    }

    @Test func staticEntriesFollowTheFile() throws {
        let first = Site.bridged.changed { configuration in
            configuration.staticFDB = [
                .init(vsi: "v10", mac: AgentBench.mac(1), target: .port("a1")),
                .init(vsi: "v10", mac: AgentBench.mac(2), target: .peer("p1")),
                .init(vsi: "v10", mac: AgentBench.mac(3), target: .peer("p1")),
            ]
        }
        let bench = AgentBench(first)
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(9), target: .port("a2"), now: bench.now)
        bench.see(AgentBench.mac(4), at: bench.port("a1"))
        bench.apply(
            first.changed { configuration in
                configuration.staticFDB = [
                    .init(vsi: "v10", mac: AgentBench.mac(1), target: .port("a2")),
                    .init(vsi: "v10", mac: AgentBench.mac(3), target: .peer("p1")),
                    .init(vsi: "v10", mac: AgentBench.mac(4), target: .peer("p2")),
                ]
            })
        #expect(
            try bench.entries() == [
                "v10 00:01 static a2", "v10 00:03 static p1", "v10 00:04 static p2",
                "v10 00:09 static a2",
            ])
    }

    @Test func aLinkThatFailsForgetsWhatWasLearntThere() throws {
        let bench = filled()
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(9), target: .port("a1"), now: bench.now)
        bench.setDown("a1")
        try expectOnlyGone("v10 a1", in: bench)
        #expect(try bench.entries { $0.port = "a1" } == ["v10 00:09 static a1"])
        bench.setDown()
        try expectOnlyGone("v10 a1", in: bench)
    }

    @Test func aLinkThatFailsUndoesNothingTheOperatorDid() throws {
        let bench = AgentBench(
            Site.routed.changed { configuration in
                configuration.staticFDB = [
                    .init(vsi: "v10", mac: AgentBench.mac(1), target: .port("a1")),
                    .init(vsi: "v10", mac: AgentBench.mac(2), target: .port("a1")),
                ]
                configuration.staticARP = [
                    .init(interface: "g10", address: Site.h1.address, mac: Site.h1.mac)
                ]
            })
        try bench.agent.deleteFDB(vsi: "v10", mac: AgentBench.mac(1))
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(2), target: .port("a2"), now: bench.now)
        try bench.agent.deleteARP(interface: "g10", address: Site.h1.address)
        let fdb = try bench.entries()
        let arp = try bench.arp()
        bench.setDown("a4")
        bench.setDown()
        #expect(try bench.entries() == fdb)
        #expect(try bench.arp() == arp)
    }

    @Test func strangersAreKnownUntilTheyAreUnwelcome() throws {
        let open = Site.bridged.changed { $0.vtep.acceptUnknownPeers = true }
        let bench = AgentBench(open)
        bench.agent.macSeen(
            AgentBench.mac(1), vsi: bench.vsi("v10"), place: .unknownPeer, address: Site.stranger,
            now: bench.now)
        let entry = ["v10 00:01 dynamic \(Site.stranger)"]
        #expect(try bench.entries() == entry)
        let index = bench.agent.peerIndexes[Site.stranger]
        // A link elsewhere, and a change that does not concern them.
        bench.setDown("a4")
        #expect(try bench.entries() == entry)
        bench.apply(open.changed { $0.vsis[1].macLimit = 5 })
        #expect(try bench.entries() == entry)
        #expect(bench.agent.peerIndexes[Site.stranger] == index)
        // One that gets a name keeps what was learnt behind it.
        bench.apply(
            open.changed { $0.peers.append(.init(name: "p4", address: Site.stranger)) })
        #expect(try bench.entries() == ["v10 00:01 dynamic p4"])
        bench.apply(Site.bridged)
        #expect(try bench.entries() == [])
        #expect(bench.agent.peerIndexes[Site.stranger] == nil)
    }

    @Test func strangersHaveALimit() throws {
        let bench = AgentBench(Site.bridged.changed { $0.vtep.acceptUnknownPeers = true })
        for number in 0..<5000 {
            bench.agent.macSeen(
                AgentBench.mac(number), vsi: bench.vsi("v10"), place: .unknownPeer,
                address: IPv4Address(bits: 0x0A00_0000 + UInt32(number)), now: bench.now)
        }
        #expect(bench.agent.peerIndexes.count == 4096 + 3)
        #expect(try bench.fdb().count == 4096)
    }

    @Test func howWorkersWaitReachesThemWithTheTables() throws {
        let bench = AgentBench(Site.bridged)
        let before = try settings(bench)
        #expect(before.spinNanoseconds == 50_000 && before.gatherNanoseconds == 50_000)
        bench.apply(
            Site.bridged.changed {
                $0.system.spinMicroseconds = 3
                $0.system.gatherMicroseconds = 7
            })
        let after = try settings(bench)
        #expect(after.spinNanoseconds == 3000 && after.gatherNanoseconds == 7000)
    }

    /// What the only worker takes at the start of its next turn.
    private func settings(_ bench: AgentBench) throws -> TableSet.Settings {
        let snapshot = bench.agent.snapshot
        defer { snapshot.rest(0) }
        let address = unsafe try #require(snapshot.observe(0))
        return unsafe address.assumingMemoryBound(to: TableSet.self).pointee.settings
    }

    @Test func announcementsChangeAndDoNotMake() throws {
        let bench = AgentBench(Site.routed)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"), isAnnouncement: true)
        #expect(try bench.arp().allSatisfy { $0.kind == .own })
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        bench.see(Site.h1.address, AgentBench.mac(7), at: bench.peer(Site.p1), isAnnouncement: true)
        let rows = try bench.arp { $0.interface = "g10" }.filter { $0.kind == .dynamic }
        #expect(rows.map(\.mac) == [AgentBench.mac(7).description])
        #expect(rows.map(\.peer) == ["p1"])
        // Nobody tells the gateway who has its own address.
        bench.see(Site.gateway10, AgentBench.mac(8), at: bench.peer(Site.p1), isAnnouncement: true)
        bench.see(Site.gateway10, AgentBench.mac(8), at: bench.peer(Site.p1))
        #expect(
            try bench.arp { $0.address = Site.gateway10 }.allSatisfy {
                $0.kind == .own && $0.mac == Site.gatewayMAC.description
            })
    }
}
