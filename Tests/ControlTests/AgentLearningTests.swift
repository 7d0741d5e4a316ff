import Tables
import TestKit
import Testing
import Wire

@testable import Control

@Suite struct AgentLearningTests {
    typealias Site = TestSite

    @Test func learnsWhereAnAddressWasSeen() throws {
        let bench = AgentBench()
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.see(AgentBench.mac(2), at: bench.peer(Site.p1))
        bench.see(AgentBench.mac(1), at: bench.port("a3"), vsi: "v20")
        #expect(
            try bench.entries() == [
                "v10 00:01 dynamic a1", "v10 00:02 dynamic p1", "v20 00:01 dynamic a3",
            ])
        let row = try bench.fdb().first { $0.peer != nil }
        #expect(row?.vni == 10010 && row?.address == "198.51.100.11")
    }

    @Test func countsMovesAndNothingElse() throws {
        let bench = AgentBench()
        let mac = AgentBench.mac(1)
        for place in [
            bench.port("a1"), bench.port("a1"), bench.peer(Site.p1), bench.peer(Site.p1),
            bench.peer(Site.p2), bench.port("a2"), bench.port("a1"),
        ] {
            bench.see(mac, at: place)
        }
        #expect(try bench.entries() == ["v10 00:01 dynamic a1"])
        #expect(try bench.fdb().first?.moves == 4)
        #expect(bench.agent.events.fdbMoves == 4)
        #expect(bench.agent.events.fdbLimit == 0)
    }

    @Test func aMoveThatComesBackAfterAFlushIsNoMove() throws {
        let bench = AgentBench()
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        bench.see(AgentBench.mac(1), at: bench.port("a2"))
        _ = try bench.agent.clearFDB(Selection(), includingStatic: false)
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        #expect(try bench.fdb().first?.moves == 0)
        #expect(bench.agent.events.fdbMoves == 1)
    }

    @Test func reportsThatCameTooLateTeachNothing() throws {
        let bench = AgentBench()
        let port = bench.port("a2")
        let peer = bench.peer(Site.p2)
        let vsi = bench.vsi("v30")
        bench.apply(
            Site.bridged.changed { configuration in
                configuration.accessPorts.removeAll { $0.name == "a2" }
                configuration.peers.removeAll { $0.name == "p2" }
                configuration.vsis.removeAll { $0.name == "v30" }
                configuration.accessPorts.removeAll { $0.vsi == "v30" }
                configuration.vsis[0].floodList = ["p1"]
            })
        bench.see(AgentBench.mac(1), at: port)
        bench.see(AgentBench.mac(2), at: peer)
        bench.agent.macSeen(
            AgentBench.mac(3), vsi: vsi, place: bench.port("a1"), address: .any, now: bench.now)
        bench.agent.macSeen(
            AgentBench.mac(4), vsi: 60_000, place: bench.port("a1"), address: .any, now: bench.now)
        // A port of another VSI, and a peer that may not carry the VNI.
        bench.see(AgentBench.mac(5), at: bench.port("a3"))
        bench.see(AgentBench.mac(6), at: bench.peer(Site.p3))
        bench.see(AgentBench.mac(7), at: .none)
        bench.see(AgentBench.mac(8), at: .own(0))
        bench.see(AgentBench.mac(9), at: .unknownPeer)
        #expect(try bench.entries() == [])
    }

    @Test func staticAndOwnEntriesStay() throws {
        let bench = AgentBench(
            Site.routed.changed { $0.staticFDB = [Site.staticFDB[0]] })
        bench.see(Site.h1.mac, at: bench.port("a2"))
        bench.see(Site.h1.mac, at: bench.peer(Site.p1))
        bench.see(Site.gatewayMAC, at: bench.peer(Site.p1))
        let rows = try bench.entries { $0.vsi = "v10" }
        #expect(rows == ["v10 01:01 own -", "v10 00:01 static a1"])
        #expect(bench.agent.events.fdbMoves == 0)
    }

    @Test func theLimitOfADomainHoldsForWhatIsLearnt() throws {
        let bench = AgentBench(Site.bridged.changed { $0.vsis[0].macLimit = 8 })
        for number in 1...16 { bench.see(AgentBench.mac(number), at: bench.port("a1")) }
        #expect(try bench.fdb { $0.vsi = "v10" }.count == 8)
        #expect(bench.agent.events.fdbLimit == 8)
        // The other VSI has none.
        for number in 1...16 {
            bench.see(AgentBench.mac(number), at: bench.port("a3"), vsi: "v20")
        }
        #expect(try bench.fdb { $0.vsi = "v20" }.count == 16)
        // Moves are no news.
        for number in 1...8 { bench.see(AgentBench.mac(number), at: bench.peer(Site.p1)) }
        #expect(bench.agent.events.fdbLimit == 8)
        #expect(bench.agent.events.fdbMoves == 8)
    }

    @Test func whatIsNotLearntDoesNotCount() throws {
        let bench = AgentBench(Site.bridged.changed { $0.vsis[0].macLimit = 4 })
        for number in 1...4 { bench.see(AgentBench.mac(number), at: bench.port("a1")) }
        // At the limit, the operator's entries are taken all the same.
        for number in 10...19 {
            try bench.agent.addFDB(
                vsi: "v10", mac: AgentBench.mac(number), target: .port("a2"), now: bench.now)
        }
        #expect(try bench.fdb { $0.vsi = "v10" }.count == 14)
        bench.see(AgentBench.mac(5), at: bench.port("a1"))
        #expect(bench.agent.events.fdbLimit == 1)
        // A learnt entry made static leaves room for one.
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(1), target: .port("a1"), now: bench.now)
        bench.see(AgentBench.mac(5), at: bench.port("a1"))
        bench.see(AgentBench.mac(6), at: bench.port("a1"))
        #expect(bench.agent.events.fdbLimit == 2)
        // Deleting a static entry does not, deleting a learnt one does.
        try bench.agent.deleteFDB(vsi: "v10", mac: AgentBench.mac(10))
        bench.see(AgentBench.mac(6), at: bench.port("a1"))
        #expect(bench.agent.events.fdbLimit == 3)
        try bench.agent.deleteFDB(vsi: "v10", mac: AgentBench.mac(5))
        bench.see(AgentBench.mac(6), at: bench.port("a1"))
        #expect(bench.agent.events.fdbLimit == 3)
        #expect(try bench.fdb { $0.vsi = "v10" }.filter { $0.kind == .dynamic }.count == 4)
    }

    @Test func roomIsCountedRightAfterEveryWayOfRemoving() throws {
        let limited = Site.bridged.changed { $0.vsis[0].macLimit = 3 }
        var bench = AgentBench(limited.changed { $0.vsis[0].ageingSeconds = 2 })
        func fill() throws -> Int {
            for number in 1...5 { bench.see(AgentBench.mac(number), at: bench.port("a1")) }
            return try bench.fdb { $0.vsi = "v10" }.filter { $0.kind == .dynamic }.count
        }
        #expect(try fill() == 3)
        bench.advance(seconds: 4)
        #expect(try bench.fdb().isEmpty)
        #expect(try fill() == 3)
        _ = try bench.agent.clearFDB(Selection(), includingStatic: true)
        #expect(try fill() == 3)
        bench.setDown("a1")
        #expect(try bench.fdb().isEmpty)
        bench.setDown()
        #expect(try fill() == 3)
        // The port leaves the VSI and comes back.
        bench.apply(limited.changed { $0.accessPorts[0].vsi = "v20" })
        bench.apply(limited)
        #expect(try fill() == 3)
        // The VSI itself goes and comes back.
        bench.apply(
            limited.changed { configuration in
                configuration.vsis.removeFirst()
                configuration.accessPorts.removeAll { $0.vsi == "v10" }
            })
        bench.apply(limited)
        #expect(try fill() == 3)
    }

    @Test func theTableGrowsUnderALoadOfAddresses() throws {
        let bench = AgentBench()
        for number in 0..<100_000 { bench.see(AgentBench.mac(number), at: bench.peer(Site.p1)) }
        let counts = bench.agent.forwardingCounts()
        #expect(counts[bench.vsi("v10")] == 100_000)
        for number in stride(from: 0, to: 100_000, by: 997) {
            #expect(try bench.fdb { $0.mac = AgentBench.mac(number) }.first?.peer == "p1")
        }
        #expect(bench.agent.writer.forwarding.capacity <= 1 << 19)
    }

    @Test func addressesChosenToCollideCostNoMemory() throws {
        // Hosts choose their MACs, and the hash is no secret: 40 addresses that share both buckets
        // of the table and of the next three sizes must not make it grow.
        var bench = AgentBench()
        let before = bench.agent.writer.forwarding.capacity
        let colliding = Collision.macs
        try #require(bench.vsi("v10") == 0)
        for mac in colliding { bench.see(mac, at: bench.port("a1")) }
        #expect(bench.agent.writer.forwarding.capacity == before)
        #expect(try bench.fdb().count == 16)
        #expect(bench.agent.events.fdbLimit == 24)
        // Others are learnt as ever, and what does not fit comes in when there is room.
        bench.see(AgentBench.mac(1), at: bench.port("a1"))
        #expect(try bench.fdb().count == 17)
        _ = try bench.agent.clearFDB(Selection(), includingStatic: false)
        bench.advance(milliseconds: 250)
        for mac in colliding.suffix(10) { bench.see(mac, at: bench.port("a1")) }
        #expect(try bench.fdb().count == 10)
    }
}

/// MAC addresses of VSI 0 that `ProbeTable` puts into the same two buckets, at up to 2^16 of them:
/// some that a search through 2^38 addresses found with one tag and one lower half of the hash.
private enum Collision {
    static let macs: [MACAddress] = [
        0x0200_D4C5_D5B9, 0x0201_A634_0322, 0x0202_BC36_7261, 0x0203_8DA4_9FCA, 0x0204_65EE_6D62,
        0x0205_4BEF_7B58, 0x0206_1D5D_A8C1, 0x0206_DA38_F59D, 0x0207_B282_C335, 0x0208_83F0_F09E,
        0x020B_583E_3B6B, 0x020C_29AC_68D4, 0x020D_01F6_366C, 0x020D_E7F7_4462, 0x020E_B965_71CB,
        0x0210_4E8A_8C3F, 0x0211_1FF8_B9A8, 0x0212_05F9_C79E, 0x0212_D767_F507, 0x0213_AFB1_C29F,
        0x0214_2BAA_358C, 0x0215_03F4_0324, 0x0215_D562_308D, 0x0216_C23E_DEB2, 0x0217_93AD_0C1B,
        0x0219_21F6_8660, 0x021A_E041_61EE, 0x021B_B1AF_8F57, 0x021C_89F9_5CEF, 0x021D_9FFB_CC2E,
        0x021E_7169_F997, 0x0221_BDFE_4F6A, 0x0222_8F6C_7CD3, 0x0223_67B6_4A6B, 0x0223_7C49_2AF8,
        0x0226_3C03_9538, 0x0227_0D71_C2A1, 0x0227_F372_D097, 0x0228_CBBC_9E2F, 0x0229_9D2A_CB98,
    ].map { MACAddress(bits: $0) }
}
