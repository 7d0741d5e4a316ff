import Control
import Dataplane
import Memory
import TestKit
import Testing
import Wire

@Suite struct BridgeStageTests {
    typealias Site = TestSite

    private func tunnel(_ peer: IPv4Address, _ frame: [UInt8], vni: UInt32 = 10010) -> Arrival {
        .tunnel(from: peer, vni: vni, frame)
    }

    @Test func knownDestinationsGetOneCopy() {
        expectAll(
            [
                .leaves(
                    "port to port", .device("a1", Site.udp(from: Site.h1, to: Site.h2)),
                    to: .port("a2")),
                .leaves(
                    "port to peer", .device("a1", Site.udp(from: Site.h1, to: Site.r2)),
                    to: .peer("p2")),
                .leaves(
                    "peer to port", tunnel(Site.p2, Site.udp(from: Site.r2, to: Site.h2)),
                    to: .port("a2")),
                .leaves(
                    "other VSI", .device("a3", Site.udp(from: Site.h3, to: Site.r3)),
                    to: .peer("p1")),
                .leaves(
                    "known in the other VSI alone",
                    .device("a3", Site.opaque(from: Site.h3.mac, to: Site.h2.mac)),
                    to: .peer("p1")),
            ], in: TestGateway(Site.known))
    }

    @Test func groupsAndUnknownDestinationsAreFlooded() {
        let gateway = TestGateway(Site.known)
        for destination: UInt64 in [
            0xFFFF_FFFF_FFFF, 0x0100_5E01_0101, 0x3333_0000_0001, 0x02EE_0000_0001, 0,
            0x0180_C200_0010, 0x0180_C200_0100, 0x0180_C300_0000,
        ] {
            let receiver = MACAddress(bits: destination)
            expectAll(
                [
                    .leaves(
                        "port \(receiver)",
                        .device("a1", Site.opaque(from: Site.h1.mac, to: receiver)),
                        to: .port("a2"), .peer("p1"), .peer("p2")),
                    .leaves(
                        "peer \(receiver)",
                        tunnel(Site.p1, Site.opaque(from: Site.r1.mac, to: receiver)),
                        to: .port("a1"), .port("a2")),
                    .leaves(
                        "other VSI \(receiver)",
                        .device("a3", Site.opaque(from: Site.h3.mac, to: receiver)),
                        to: .peer("p1")),
                ], in: gateway)
        }
    }

    @Test func linkLocalGroupsStay() {
        let gateway = TestGateway(Site.known)
        for last in UInt64(0)...15 {
            let group = MACAddress(bits: 0x0180_C200_0000 | last)
            expectAll(
                [
                    .dropped(
                        "port \(last)",
                        .device("a1", Site.opaque(from: Site.h1.mac, to: group)), .linkLocalGroup),
                    .dropped(
                        "peer \(last)",
                        tunnel(Site.p1, Site.opaque(from: Site.r1.mac, to: group)),
                        .linkLocalGroup),
                ], in: gateway)
        }
    }

    @Test func nothingGoesBackOrFromTunnelToTunnel() {
        expectAll(
            [
                .dropped(
                    "same port",
                    .device("a1", Site.opaque(from: MACAddress(bits: 0x02CC_01), to: Site.h1.mac)),
                    .hairpin),
                .dropped(
                    "same peer",
                    tunnel(
                        Site.p1, Site.opaque(from: MACAddress(bits: 0x02CC_02), to: Site.r1.mac)),
                    .hairpin),
                .dropped(
                    "other peer", tunnel(Site.p1, Site.udp(from: Site.r1, to: Site.r2)),
                    .splitHorizon),
                .dropped(
                    "itself", .device("a1", Site.opaque(from: Site.h1.mac, to: Site.h1.mac)),
                    .hairpin),
            ], in: TestGateway(Site.known))
    }

    @Test func anUnknownPeerIsAPeerForSplitHorizon() {
        let gateway = TestGateway(Site.known.with { $0.vtep.acceptUnknownPeers = true })
        gateway.agentFollows = false
        let frame = Site.opaque(from: MACAddress(bits: 0x02CC_03), to: Site.r1.mac)
        expectAll([.dropped("", tunnel(Site.stranger, frame), .splitHorizon)], in: gateway)
    }

    @Test func eachClassOfFloodingHasASwitch() {
        let classes: [(String, UInt64, WritableKeyPath<Configuration.Flooding, Bool>)] = [
            ("broadcast", 0xFFFF_FFFF_FFFF, \.broadcast),
            ("unknown unicast", 0x02EE_0000_0001, \.unknownUnicast),
            ("multicast", 0x0100_5E01_0101, \.multicast),
        ]
        for (name, _, path) in classes {
            let gateway = TestGateway(
                Site.known.with(vsi: "v10") { $0.flooding[keyPath: path] = false })
            for (other, destination, otherPath) in classes {
                let frame = Site.opaque(from: Site.h1.mac, to: MACAddress(bits: destination))
                let isOff = otherPath == path
                expectAll(
                    [
                        isOff
                            ? .dropped(
                                "\(name) off, \(other)", .device("a1", frame), .floodDisabled)
                            : .leaves(
                                "\(name) off, \(other)", .device("a1", frame), to: .port("a2"),
                                .peer("p1"), .peer("p2")),
                        .leaves(
                            "known", .device("a1", Site.udp(from: Site.h1, to: Site.r1)),
                            to: .peer("p1")),
                    ], in: gateway)
            }
        }
    }

    @Test func aTakenDestinationThatLeftIsFlooded() {
        let gateway = TestGateway(Site.bridged)
        gateway.receive(.device("a1", Site.broadcast(from: Site.h1.mac)))
        let frame = Site.opaque(from: Site.h2.mac, to: Site.h1.mac)
        expectAll([.leaves("known", .device("a2", frame), to: .port("a1"))], in: gateway)
        #expect(throws: Never.self) {
            try gateway.agent.deleteFDB(vsi: "v10", mac: Site.h1.mac)
        }
        expectAll(
            [.leaves("deleted", .device("a2", frame), to: .port("a1"), .peer("p1"), .peer("p2"))],
            in: gateway)
    }

    @Test func countsPortsPeersAndDomains() {
        let gateway = TestGateway(Site.known)
        let frame = Site.udp(from: Site.h1, to: Site.r1)
        gateway.receive(.device("a1", frame))
        gateway.receive(.device("a1", Site.broadcast(from: Site.h1.mac)))
        gateway.receive(
            .device("a1", Site.opaque(from: MACAddress(bits: 0x02CC_01), to: Site.h1.mac)))
        gateway.receive(tunnel(Site.p1, Site.udp(from: Site.r1, to: Site.h1)))
        func read(_ index: Int) -> Int { Int(gateway.counters.page.read(index)) }
        let port = gateway.agent.portNames["a1"]!
        #expect(read(CounterLayout.index(port: port, .rxPackets)) == 3)
        #expect(read(CounterLayout.index(port: port, .rxBytes)) == 60 + 17 + 17)
        #expect(read(CounterLayout.index(port: port, .rxDrops)) == 1)
        let peer = gateway.agent.peerIndexes[Site.p1]!
        #expect(read(CounterLayout.index(peer: peer, .rxPackets)) == 1)
        #expect(read(CounterLayout.index(peer: peer, .rxBytes)) == 60)
        let vsi = gateway.agent.vsiNames["v10"]!
        #expect(read(CounterLayout.index(vsi: vsi, .rxPackets)) == 4)
        #expect(read(CounterLayout.index(vsi: vsi, .txPackets)) == 1 + 3 + 1)
        #expect(read(CounterLayout.index(vsi: vsi, .floodedPackets)) == 1)
        #expect(read(CounterLayout.index(vsi: gateway.agent.vsiNames["v20"]!, .rxPackets)) == 0)
        // The frame to h1 from its own port, and nothing after the bridge stage.
        #expect(read(CounterLayout.index(.bridge, .packets)) == 4)
        #expect(read(CounterLayout.index(.route, .packets)) == 3)
        #expect(read(CounterLayout.index(.replicate, .packets)) == 1 + 3 + 1)
    }
}
