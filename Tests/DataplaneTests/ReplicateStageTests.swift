import Control
import Dataplane
import TestKit
import Testing
import Wire

@Suite struct ReplicateStageTests {
    typealias Site = TestSite

    /// One VSI with `ports` ports and `peers` peers.
    private func configuration(ports: Int, peers: Int, vni: UInt32? = 100) -> Configuration {
        var configuration = Configuration(vtep: .init(address: .address(Site.vtep)))
        configuration.peers = (0..<peers).map {
            .init(name: "p\($0)", address: IPv4Address(bits: 0x0A80_0001 + UInt32($0)))
        }
        configuration.vsis = [Site.vsi("v", vni, nil)]
        configuration.accessPorts = (0..<ports).map { Site.port("a\($0)", "v") }
        return configuration
    }

    /// Every peer, then every port but the one it came from.
    private func targets(ports: Int, peers: Int, from port: Int) -> Set<Output.Place> {
        Set((0..<peers).map { .peer("p\($0)") })
            .union((0..<ports).filter { $0 != port }.map { .port("a\($0)") })
    }

    @Test(arguments: [1, 2, 3, 63, 64, 65, 127, 255, 256, 257, 300])
    func oneCopyForEveryTarget(peers: Int) {
        let gateway = TestGateway(configuration(ports: 3, peers: peers))
        let frame = Site.broadcast(from: Site.h1.mac)
        let turn = gateway.receive(.device("a1", frame))
        #expect(turn.isBalanced)
        #expect(turn.outputs.count == peers + 2)
        #expect(Set(turn.outputs.map(\.place)) == targets(ports: 3, peers: peers, from: 1))
        #expect(turn.tally.replicated == peers + 1)
        #expect(turn.outputs.allSatisfy { $0.frame == frame })
        // Out of a tunnel: the ports alone.
        let back = gateway.receive(
            .tunnel(
                from: IPv4Address(bits: 0x0A80_0001), vni: 100,
                Site.broadcast(from: Site.r1.mac)))
        #expect(Set(back.outputs.map(\.place)) == targets(ports: 3, peers: 0, from: -1))
        #expect(back.isBalanced)
    }

    /// 40 lanes of 101 copies are four times what the outputs hold.
    @Test func moreCopiesThanTheOutputsHold() {
        let gateway = TestGateway(configuration(ports: 2, peers: 100))
        let arrivals = (0..<40).map { index in
            Arrival.device(
                "a\(index % 2)",
                Site.opaque(from: Site.h1.mac, to: .broadcast, payload: [UInt8(index)])
            )
        }
        let turn = gateway.receive(arrivals)
        #expect(turn.isBalanced)
        #expect(turn.outputRounds == 4)
        #expect(turn.outputs.count == 40 * 101)
        for index in 0..<40 {
            let copies = turn.outputs.filter { $0.arrival == index }
            #expect(copies.count == 101)
            #expect(
                Set(copies.map(\.place)) == targets(ports: 2, peers: 100, from: index % 2))
            #expect(copies.allSatisfy { $0.frame == arrivals[index].bytes })
        }
        // In the order of arrival, so that no flow is turned round.
        #expect(turn.outputs.map(\.arrival) == turn.outputs.map(\.arrival).sorted())
    }

    @Test func aFullBatchOfCopiesOfEveryKind() {
        let gateway = TestGateway(configuration(ports: 2, peers: 5))
        gateway.receive(.device("a1", Site.broadcast(from: Site.h2.mac)))
        let unicast = Site.opaque(from: Site.h1.mac, to: Site.h2.mac)
        let arrivals = (0..<PacketBatch.laneCapacity * 2 + 7).map { index in
            Arrival.device(
                "a0", index % 3 == 0 ? Site.broadcast(from: Site.h1.mac) : unicast)
        }
        let turn = gateway.receive(arrivals)
        #expect(turn.isBalanced)
        let broadcasts = arrivals.indices.count { $0 % 3 == 0 }
        #expect(turn.outputs.count == broadcasts * 6 + arrivals.count - broadcasts)
    }

    @Test func exactlyAsManyAsTheOutputsHold() {
        // 256 lanes of four copies: 1,024.
        let gateway = TestGateway(configuration(ports: 1, peers: 4))
        let frames = [Arrival](
            repeating: .device("a0", Site.broadcast(from: Site.h1.mac)), count: 256)
        let turn = gateway.receive(frames)
        #expect(turn.outputs.count == 1024)
        #expect(turn.outputRounds == 1)
        #expect(turn.isBalanced)
    }

    @Test func nobodyToFloodTo() {
        expectAll(
            [
                .dropped(
                    "alone", .device("a0", Site.broadcast(from: Site.h1.mac)), .noFloodTarget)
            ], in: configuration(ports: 1, peers: 0))
        expectAll(
            [
                .dropped(
                    "no port",
                    .tunnel(
                        from: IPv4Address(bits: 0x0A80_0001), vni: 100,
                        Site.broadcast(from: Site.r1.mac)), .noFloodTarget)
            ], in: configuration(ports: 0, peers: 2))
    }

    @Test func aLocalDomainHasPortsAlone() {
        expectAll(
            [
                .leaves(
                    "", .device("a0", Site.broadcast(from: Site.h1.mac)), to: .port("a1"),
                    .port("a2"))
            ], in: configuration(ports: 3, peers: 4, vni: nil))
    }

    @Test func theFloodListDecidesAmongThePeersOfTheVNI() {
        var configuration = configuration(ports: 1, peers: 4)
        configuration.vsis[0].floodList = ["p3", "p1"]
        configuration.peers[0].vnis = [VNI(bits: 5)]
        let frame = Site.broadcast(from: Site.h1.mac)
        expectAll(
            [.leaves("list", .device("a0", frame), to: .peer("p1"), .peer("p3"))],
            in: configuration)
        configuration.vsis[0].floodList = nil
        expectAll(
            [.leaves("no list", .device("a0", frame), to: .peer("p1"), .peer("p2"), .peer("p3"))],
            in: configuration)
        configuration.vsis[0].floodList = []
        expectAll([.dropped("empty list", .device("a0", frame), .noFloodTarget)], in: configuration)
    }

    @Test func aPortThatIsDownLosesItsCopyAlone() {
        let configuration = configuration(ports: 3, peers: 1)
        var environment = TestGateway.environment(of: configuration)
        environment.devicesUp.remove(DeviceKey(configuration.accessPorts[1]))
        let gateway = TestGateway(configuration, environment: environment)
        let turn = gateway.receive(.device("a0", Site.broadcast(from: Site.h1.mac)))
        #expect(turn.places == [.peer("p0"), .port("a2")])
        #expect(turn.tally.drops == [.portDown: 1])
        #expect(turn.isBalanced)
        // What stands beside the other copies moved up with them.
        let outer = turn.outputs(to: .peer("p0")).first?.outer
        #expect(outer?.timeToLive == 64)
        let alone = gateway.receive(.device("a2", Site.broadcast(from: Site.h1.mac)))
        #expect(alone.outputs(to: .peer("p0")).first?.outer == outer)
    }
}
