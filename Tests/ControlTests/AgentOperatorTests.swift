import TestKit
import Testing
import Wire

@testable import Control

@Suite struct AgentOperatorTests {
    typealias Site = TestSite

    /// Addresses 1 to 4 on a1, 5 and 6 on a2, 7 and 8 behind p1, 9 behind p2, 10 to 12 in v20, and
    /// a static one beside each.
    private func filled() throws -> AgentBench {
        let bench = AgentBench(Site.routed)
        let rows: [(ClosedRange<Int>, String, FDBTarget)] = [
            (1...4, "v10", .port("a1")), (5...6, "v10", .port("a2")), (7...8, "v10", .peer("p1")),
            (9...9, "v10", .peer("p2")), (10...11, "v20", .port("a3")),
            (12...12, "v20", .peer("p1")),
        ]
        for (numbers, vsi, target) in rows {
            let place = bench.agent.place(of: target)!
            for number in numbers { bench.see(AgentBench.mac(number), at: place, vsi: vsi) }
            try bench.agent.addFDB(
                vsi: vsi, mac: AgentBench.mac(100 + numbers.lowerBound), target: target,
                now: bench.now)
        }
        return bench
    }

    private func clear(
        _ bench: AgentBench, includingStatic: Bool = false,
        _ change: (inout Selection) -> Void = { _ in }
    ) throws -> Int {
        var selection = Selection()
        change(&selection)
        return try bench.agent.clearFDB(selection, includingStatic: includingStatic)
    }

    private func numbers(_ bench: AgentBench, _ kind: FDBReport.Kind) throws -> Set<Int> {
        Set(
            try bench.fdb().filter { $0.kind == kind }.map {
                Int(MACAddress($0.mac)!.bits & 0xFFFF)
            })
    }

    @Test func clearsWhatIsNamed() throws {
        let scopes: [((inout Selection) -> Void, Set<Int>)] = [
            ({ $0.port = "a1" }, [1, 2, 3, 4]), ({ $0.peer = "p1" }, [7, 8, 12]),
            ({ $0.peer = "198.51.100.12" }, [9]), ({ $0.vsi = "v20" }, [10, 11, 12]),
            ({ $0.mac = AgentBench.mac(5) }, [5]),
            (
                {
                    $0.vsi = "v10"
                    $0.peer = "p1"
                }, [7, 8]
            ),
            (
                {
                    $0.vsi = "v20"
                    $0.port = "a1"
                }, []
            ), ({ $0.vsi = "v30" }, []), ({ _ in }, Set(1...12)),
        ]
        for (change, gone) in scopes {
            let bench = try filled()
            #expect(try clear(bench, change) == gone.count)
            #expect(try numbers(bench, .dynamic) == Set(1...12).subtracting(gone))
            #expect(try numbers(bench, .static) == [101, 105, 107, 109, 110, 112])
            #expect(try bench.fdb().filter { $0.kind == .own }.count == 3)
        }
    }

    @Test func clearsStaticEntriesWhenAsked() throws {
        var bench = try filled()
        #expect(try clear(bench, includingStatic: true) { $0.port = "a1" } == 5)
        #expect(try numbers(bench, .static) == [105, 107, 109, 110, 112])
        bench = try filled()
        #expect(try clear(bench, includingStatic: true) == 18)
        #expect(try bench.fdb().allSatisfy { $0.kind == .own })
        #expect(try bench.fdb().count == 3)
    }

    @Test func deletesOneEntry() throws {
        let bench = try filled()
        try bench.agent.deleteFDB(vsi: "v10", mac: AgentBench.mac(1))
        try bench.agent.deleteFDB(vsi: "v10", mac: AgentBench.mac(101))
        #expect(try numbers(bench, .dynamic) == Set(2...12))
        #expect(try numbers(bench, .static) == [105, 107, 109, 110, 112])
    }

    @Test func replacesWhatIsThere() throws {
        let bench = try filled()
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(1), target: .peer("p2"), now: bench.now)
        #expect(
            try bench.entries { $0.mac = AgentBench.mac(1) } == ["v10 00:01 static p2"])
        try bench.agent.addFDB(
            vsi: "v10", mac: AgentBench.mac(1), target: .port("a2"), now: bench.now)
        #expect(
            try bench.entries { $0.mac = AgentBench.mac(1) } == ["v10 00:01 static a2"])
    }

    /// The body fails with an error of this kind, and both tables are as before.
    private func expectError(
        _ kind: String, in bench: AgentBench, _ location: SourceLocation = #_sourceLocation,
        _ body: () throws(ControlError) -> Void
    ) throws {
        let fdb = try bench.fdb()
        let arp = try bench.arp()
        #expect(AgentBench.error(body)?.kind == kind, sourceLocation: location)
        #expect(try bench.fdb() == fdb, sourceLocation: location)
        #expect(try bench.arp() == arp, sourceLocation: location)
    }

    @Test func anEntryThatMakesNoSenseIsRefused() throws {
        let bench = try filled()
        let group = MACAddress(bits: 0x0100_5E00_0001)
        let mac = AgentBench.mac(50)
        let rows: [(String, String, MACAddress, FDBTarget)] = [
            ("notFound", "none", mac, .port("a1")), ("notFound", "v10", mac, .port("none")),
            ("notFound", "v10", mac, .peer("none")), ("notFound", "v10", mac, .peer("192.0.2.1")),
            ("conflict", "v10", mac, .port("a3")), ("conflict", "v10", mac, .peer("p3")),
            ("malformed", "v10", .broadcast, .port("a1")), ("malformed", "v10", .zero, .port("a1")),
            ("malformed", "v10", group, .port("a1")),
            ("conflict", "v10", Site.gatewayMAC, .port("a1")),
        ]
        for (kind, vsi, mac, target) in rows {
            try expectError(kind, in: bench) { () throws(ControlError) in
                try bench.agent.addFDB(vsi: vsi, mac: mac, target: target, now: bench.now)
            }
        }
    }

    @Test func anEntryThatIsNotThereCannotBeDeleted() throws {
        let bench = try filled()
        for (vsi, mac) in [
            ("none", AgentBench.mac(1)), ("v10", AgentBench.mac(50)), ("v20", AgentBench.mac(1)),
            ("v10", Site.gatewayMAC),
        ] {
            try expectError("notFound", in: bench) { () throws(ControlError) in
                try bench.agent.deleteFDB(vsi: vsi, mac: mac)
            }
        }
        for (interface, address) in [
            ("none", Site.h1.address), ("g10", Site.h1.address), ("g10", Site.gateway10),
        ] {
            try expectError("notFound", in: bench) { () throws(ControlError) in
                try bench.agent.deleteARP(interface: interface, address: address)
            }
        }
    }

    @Test func aNeighborThatMakesNoSenseIsRefused() throws {
        let bench = try filled()
        let mac = AgentBench.mac(50)
        let rows: [(String, String, IPv4Address, MACAddress)] = [
            ("notFound", "none", Site.h1.address, mac), ("conflict", "g10", Site.h3.address, mac),
            ("conflict", "g10", Site.gateway10, mac),
            ("malformed", "g10", Site.h1.address, .broadcast),
            ("malformed", "g10", Site.h1.address, .zero),
        ]
        for (kind, interface, address, mac) in rows {
            try expectError(kind, in: bench) { () throws(ControlError) in
                try bench.agent.addARP(
                    interface: interface, address: address, mac: mac, now: bench.now)
            }
        }
    }

    /// Next hops of onlink routes are in no subnet, and the edges of a subnet are no hosts.
    @Test func aNeighborMayBeAnOnlinkHopButNoEdge() throws {
        let hop = IPv4Address("192.168.77.1")!
        let bench = AgentBench(
            Site.routed.changed {
                $0.staticRoutes = [
                    .init(
                        prefix: IPv4Prefix("192.0.2.0/24")!, via: [hop], interface: "g10",
                        vrf: "red",
                        onlink: true)
                ]
            })
        let mac = AgentBench.mac(50)
        try bench.agent.addARP(interface: "g10", address: hop, mac: mac, now: bench.now)
        #expect(try bench.arp { $0.address = hop }.map(\.kind) == [.static])
        let refused = [
            ("g20", hop), ("g10", IPv4Address("10.0.10.0")!), ("g10", IPv4Address("10.0.10.255")!),
            ("g10", IPv4Address("192.168.77.2")!), ("g10", Site.gateway10),
        ]
        for (interface, address) in refused {
            let error = AgentBench.error { () throws(ControlError) in
                try bench.agent.addARP(
                    interface: interface, address: address, mac: mac, now: bench.now)
            }
            #expect(error?.kind == "conflict")
            // What is wrong, and what to do.
            #expect("\(error.map { "\($0)" } ?? "")".contains(": "))
        }
    }

    @Test func namesThatDoNotExistAreSaid() throws {
        let bench = try filled()
        let agent = bench.agent
        let changes: [(inout Selection) -> Void] = [
            { $0.vsi = "none" }, { $0.port = "none" }, { $0.peer = "none" },
            { $0.peer = "192.0.2.1" },
        ]
        for change in changes {
            var selection = Selection()
            change(&selection)
            let asked = selection
            try expectError("notFound", in: bench) { () throws(ControlError) in
                _ = try agent.clearFDB(asked, includingStatic: true)
            }
            try expectError("notFound", in: bench) { () throws(ControlError) in
                _ = try agent.clearARP(asked)
            }
            try expectError("notFound", in: bench) { () throws(ControlError) in
                _ = try agent.fdbReport(asked, now: bench.now)
            }
            try expectError("notFound", in: bench) { () throws(ControlError) in
                _ = try agent.arpReport(asked, now: bench.now)
            }
        }
    }

    @Test func theOperatorsNeighborsBeatWhatIsHeard() throws {
        let bench = AgentBench(Site.routed)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        try bench.agent.addARP(
            interface: "g10", address: Site.h1.address, mac: AgentBench.mac(7), now: bench.now)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"), isAnnouncement: true)
        var rows = try bench.arp { $0.address = Site.h1.address }.filter { $0.interface == "g10" }
        #expect(rows.map(\.kind) == [.static])
        #expect(rows.first?.mac == AgentBench.mac(7).description)
        try bench.agent.deleteARP(interface: "g10", address: Site.h1.address)
        rows = try bench.arp { $0.address = Site.h1.address }
        #expect(rows.isEmpty)
    }

    @Test func clearsNeighborsByWhatIsNamed() throws {
        let hosts: [(Site.Host, String, FDBTarget)] = [
            (Site.h1, "v10", .port("a1")), (Site.h2, "v10", .port("a2")),
            (Site.r1, "v10", .peer("p1")),
            (Site.h3, "v20", .port("a3")), (Site.r3, "v20", .peer("p1")),
            (Site.h4, "v30", .port("a4")),
        ]
        let scopes: [((inout Selection) -> Void, Int)] = [
            ({ $0.port = "a1" }, 1), ({ $0.peer = "p1" }, 2), ({ $0.vsi = "v10" }, 3),
            ({ $0.interface = "g20" }, 2), ({ $0.vrf = "red" }, 5), ({ $0.vrf = "blue" }, 1),
            ({ $0.vrf = "default" }, 0), ({ $0.address = Site.h1.address }, 2),
            ({ $0.mac = Site.r3.mac }, 1), ({ _ in }, 6),
        ]
        for (change, count) in scopes {
            let bench = AgentBench(Site.routed)
            for (host, vsi, target) in hosts {
                let place = bench.agent.place(of: target)!
                bench.see(host.mac, at: place, vsi: vsi)
                bench.see(host.address, host.mac, at: place, vsi: vsi)
            }
            try bench.agent.addARP(
                interface: "g10", address: IPv4Address("10.0.10.200")!, mac: AgentBench.mac(1),
                now: bench.now)
            var selection = Selection()
            change(&selection)
            #expect(try bench.agent.clearARP(selection) == count)
            #expect(try bench.arp().filter { $0.kind == .dynamic }.count == 6 - count)
            #expect(try bench.arp().filter { $0.kind == .static }.count == 1)
            #expect(try bench.arp().filter { $0.kind == .own }.count == 3)
        }
    }

    @Test func showsTheFloodListAsDefaultEntries() throws {
        let bench = AgentBench()
        let rows = try bench.agent.fdbReport(Selection(), now: bench.now)
        #expect(rows.allSatisfy { $0.kind == .flood && $0.mac == "00:00:00:00:00:00" })
        #expect(
            rows.map { "\($0.vsi) \($0.peer ?? "")" } == ["v10 p1", "v10 p2", "v20 p1", "v30 p3"])
        var selection = Selection()
        selection.vsi = "v10"
        selection.peer = "p2"
        let one = try bench.agent.fdbReport(selection, now: bench.now)
        #expect(one.map(\.address) == ["198.51.100.12"])
    }
}
