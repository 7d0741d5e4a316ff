import Control
import Dataplane
import Tables
import TestKit
import Testing
import Wire

@Suite struct LearnStageTests {
    typealias Site = TestSite
    private let mac = MACAddress(bits: 0x02CC_0000_0007)

    /// Where a frame from h2 to `mac` goes: one place when it is known, the flood list when not.
    private func places(_ gateway: TestGateway, from port: String = "a2") -> [Output.Place] {
        gateway.receive(.device(port, Site.opaque(from: Site.h2.mac, to: mac))).places
    }

    private func tunnel(_ peer: IPv4Address, _ frame: [UInt8], vni: UInt32 = 10010) -> Arrival {
        .tunnel(from: peer, vni: vni, frame)
    }

    @Test func learnsFromPortsAndPeersAndFollowsMoves() {
        let gateway = TestGateway(Site.bridged)
        let frame = Site.broadcast(from: mac)
        #expect(places(gateway) == [.peer("p1"), .peer("p2"), .port("a1")])
        for (arrival, place) in [
            (Arrival.device("a1", frame), Output.Place.port("a1")),
            (tunnel(Site.p1, frame), .peer("p1")), (tunnel(Site.p2, frame), .peer("p2")),
            (.device("a1", frame), .port("a1")),
        ] {
            gateway.receive(arrival)
            #expect(places(gateway) == [place])
        }
        #expect(gateway.agent.events.fdbMoves == 3)
    }

    @Test func keepsTheDomainsApart() {
        let gateway = TestGateway(Site.bridged)
        gateway.receive(.device("a1", Site.broadcast(from: mac)))
        gateway.receive(.device("a3", Site.broadcast(from: mac)))
        let frame = Site.opaque(from: Site.r1.mac, to: mac)
        expectAll(
            [
                .leaves("10010", tunnel(Site.p1, frame), to: .port("a1")),
                .leaves("10020", tunnel(Site.p1, frame, vni: 10020), to: .port("a3")),
                .leaves(
                    "broadcast", tunnel(Site.p1, Site.broadcast(from: Site.r1.mac)),
                    to: .port("a1"),
                    .port("a2")),
            ], in: gateway)
        #expect(gateway.agent.events.fdbMoves == 0)
    }

    @Test func ownAddressesComeFromPeersAlone() throws {
        let gateway = TestGateway(Site.routed)
        let own = Site.broadcast(from: Site.gatewayMAC)
        expectAll(
            [
                .dropped("port", .device("a1", own), .smacOwnFromAc),
                .leaves("peer", tunnel(Site.p1, own), to: .port("a1"), .port("a2")),
            ], in: gateway)
        #expect(gateway.takeReports().isEmpty)
        var selection = Selection()
        selection.mac = Site.gatewayMAC
        let rows = try gateway.agent.fdbReport(selection, now: gateway.now)
        #expect(rows.map(\.kind) == [.own, .own, .own])
    }

    @Test func staticEntriesDoNotMove() throws {
        let gateway = TestGateway(Site.known)
        let h1 = Site.broadcast(from: Site.h1.mac)
        expectAll(
            [
                .dropped("other port", .device("a2", h1), .fdbStaticMove),
                .dropped("peer", tunnel(Site.p1, h1), .fdbStaticMove),
                .dropped(
                    "other peer", tunnel(Site.p2, Site.broadcast(from: Site.r1.mac)),
                    .fdbStaticMove),
                .leaves("its place", .device("a1", h1), to: .port("a2"), .peer("p1"), .peer("p2")),
                .leaves(
                    "still there", .device("a2", Site.opaque(from: Site.h2.mac, to: Site.h1.mac)),
                    to: .port("a1")),
            ], in: gateway)
        #expect(gateway.agent.events.fdbMoves == 0)
    }

    @Test func learnsNothingWhereItIsOff() {
        let gateway = TestGateway(Site.bridged.with(vsi: "v10") { $0.learning = false })
        gateway.receive(.device("a1", Site.broadcast(from: mac)))
        gateway.receive(tunnel(Site.p1, Site.broadcast(from: mac)))
        #expect(places(gateway) == [.peer("p1"), .peer("p2"), .port("a1")])
        gateway.agentFollows = false
        gateway.receive(.device("a1", Site.broadcast(from: mac)))
        #expect(gateway.takeReports().isEmpty)
        gateway.agentFollows = true
        gateway.apply(Site.bridged)
        gateway.receive(.device("a1", Site.broadcast(from: mac)))
        #expect(places(gateway) == [.port("a1")])
    }

    @Test func aRunOfFramesIsReportedOnce() {
        let gateway = TestGateway(Site.bridged)
        gateway.agentFollows = false
        let frames = [Arrival](repeating: .device("a1", Site.broadcast(from: mac)), count: 100)
        gateway.receive(frames)
        let reports = gateway.takeReports()
        #expect(reports.count == 1)
        #expect(reports.first?.kind == .macSeen)
        #expect(reports.first?.mac == mac.bits)
        #expect(reports.first?.place.isPort == true)
    }

    @Test func aFullRingCostsTheReportAndNotTheFrame() {
        let gateway = TestGateway(Site.bridged, reportCapacity: 4)
        gateway.agentFollows = false
        let frames = (0..<10).map { index in
            Arrival.device("a1", Site.broadcast(from: MACAddress(bits: 0x0200_0000_0100 + index)))
        }
        let turn = gateway.receive(frames)
        #expect(turn.tally.events[.learnRingFull] == 6)
        #expect(turn.outputs.count == 30)
        #expect(turn.isBalanced)
        // The agent takes four; the next frames of the others report them again.
        for remaining in [2, 0, 0] {
            gateway.deliverReports()
            #expect(
                gateway.receive(frames).tally.events[.learnRingFull] ?? 0 == remaining)
        }
        gateway.deliverReports()
        #expect(gateway.receive(frames).tally.events.isEmpty)
        #expect(gateway.takeReports().isEmpty)
    }

    @Test func theLimitDropsNothing() {
        let gateway = TestGateway(Site.bridged.with(vsi: "v10") { $0.macLimit = 8 })
        for index in UInt64(0)..<16 {
            let turn = gateway.receive(
                .device("a1", Site.broadcast(from: MACAddress(bits: 0x0200_0000_0100 + index))))
            #expect(turn.outputs.count == 3)
        }
        #expect(gateway.agent.events.fdbLimit == 8)
        #expect(gateway.agent.forwardingCounts().reduce(0, +) == 8)
    }

    @Test func onlyTheSourceKeepsAnEntryYoung() {
        let gateway = TestGateway(Site.bridged.with(vsi: "v10") { $0.ageingSeconds = 5 })
        gateway.receive(.device("a1", Site.broadcast(from: mac)))
        for _ in 0..<4 {
            gateway.advance(seconds: 4)
            // Still there, and not learnt anew.
            #expect(places(gateway) == [.port("a1")])
            gateway.receive(.device("a1", Site.broadcast(from: mac)))
        }
        // Traffic to it every second does not.
        for second in 1...4 {
            gateway.advance(seconds: 1)
            #expect(places(gateway) == [.port("a1")], "after \(second) s")
        }
        gateway.advance(seconds: 2)
        #expect(places(gateway) == [.peer("p1"), .peer("p2"), .port("a1")])
    }
}
