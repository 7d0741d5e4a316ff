import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Packets to the MAC of the gateway, between the VSI-interfaces of a VRF.
@Suite struct RouteStageTests {
    typealias Site = TestSite

    /// Every host but h4 is a neighbor with a place.
    private var configuration: Configuration {
        Site.routed.with { configuration in
            configuration.staticFDB = Site.staticFDB
            configuration.staticARP = [
                .init(interface: "g10", address: Site.h1.address, mac: Site.h1.mac),
                .init(interface: "g10", address: Site.h2.address, mac: Site.h2.mac),
                .init(interface: "g10", address: Site.r2.address, mac: Site.r2.mac),
                .init(interface: "g20", address: Site.h3.address, mac: Site.h3.mac),
                .init(interface: "g20", address: Site.r3.address, mac: Site.r3.mac),
            ]
        }
    }

    /// As the sender hands it to the gateway, and as the gateway hands it on.
    private func pair(
        _ sender: Site.Host, _ receiver: Site.Host, timeToLive: UInt8 = 64
    ) -> (sent: [UInt8], routed: [UInt8]) {
        let gateway = Site.Host(mac: Site.gatewayMAC, address: sender.address)
        return (
            Site.udp(
                from: sender, to: receiver, destinationMAC: Site.gatewayMAC,
                timeToLive: timeToLive),
            Site.udp(from: gateway, to: receiver, timeToLive: timeToLive &- 1)
        )
    }

    private func expectRouted(
        _ name: String, _ sender: Site.Host, _ receiver: Site.Host, by port: String,
        to place: Output.Place, vni: UInt32? = nil
    ) {
        let gateway = TestGateway(configuration)
        for timeToLive: UInt8 in [2, 3, 64, 255] {
            let frames = pair(sender, receiver, timeToLive: timeToLive)
            expectAll(
                [
                    PacketCase(
                        "\(name), TTL \(timeToLive)", .device(port, frames.sent),
                        .leaves([.init(place, frames.routed)]))
                ], in: gateway)
            if let vni {
                #expect(gateway.receive(.device(port, frames.sent)).outputs.map(\.vni) == [vni])
            }
        }
    }

    @Test func betweenTheDomainsOfAVRF() {
        expectRouted("port to port", Site.h1, Site.h3, by: "a1", to: .port("a3"))
        expectRouted("port to peer", Site.h1, Site.r3, by: "a1", to: .peer("p1"), vni: 10020)
        expectRouted("within a subnet", Site.h1, Site.h2, by: "a1", to: .port("a2"))
        expectRouted("back to its port", Site.h1, Site.h1, by: "a1", to: .port("a1"))
        let frames = pair(Site.r2, Site.h3)
        expectAll(
            [
                PacketCase(
                    "peer to port", .tunnel(from: Site.p2, vni: 10010, frames.sent),
                    .leaves([.init(.port("a3"), frames.routed)]))
            ], in: TestGateway(configuration))
    }

    @Test func aPacketWithoutAHopLeftEnds() {
        let gateway = TestGateway(configuration)
        expectAll(
            [0, 1].map { timeToLive in
                .dropped(
                    "TTL \(timeToLive)",
                    .device("a1", pair(Site.h1, Site.h3, timeToLive: timeToLive).sent),
                    .ttlExceeded)
            }, in: gateway)
        // For the gateway itself no hop is needed.
        let own = Site.udp(
            from: Site.h1, to: .init(mac: Site.gatewayMAC, address: Site.gateway10), timeToLive: 1)
        expectAll([PacketCase("own", .device("a1", own), .consumed)], in: gateway)
    }

    @Test func whatIsForTheGatewayEndsThere() {
        let gateway = TestGateway(configuration)
        func to(_ address: IPv4Address) -> Arrival {
            .device(
                "a1", Site.udp(from: Site.h1, to: .init(mac: Site.gatewayMAC, address: address)))
        }
        expectAll(
            [
                PacketCase("its address", to(Site.gateway10), .consumed),
                PacketCase(
                    "IPv6",
                    .device(
                        "a1",
                        Site.udp6(from: Site.h1, to: Site.h3).replacing(
                            destination: Site.gatewayMAC)),
                    .consumed),
                PacketCase(
                    "unknown type",
                    .device("a1", Site.opaque(from: Site.h1.mac, to: Site.gatewayMAC)), .consumed),
            ], in: gateway)
    }

    @Test func addressesThatCannotBe() {
        let gateway = TestGateway(configuration)
        for source in [
            "0.0.0.0", "0.1.1.1", "127.0.0.1", "127.255.255.255", "224.0.0.5", "239.1.1.1",
            "240.0.0.1", "255.255.255.255",
        ] {
            let sender = Site.Host(mac: Site.h1.mac, address: IPv4Address(source)!)
            expectAll(
                [
                    .dropped(
                        "from \(source)", .device("a1", pair(sender, Site.h3).sent), .ipMartianSrc)
                ], in: gateway)
        }
        for destination in [
            "0.0.0.0", "0.1.1.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "240.0.0.1",
            "255.255.255.255",
        ] {
            let receiver = Site.Host(mac: Site.h3.mac, address: IPv4Address(destination)!)
            expectAll(
                [
                    .dropped(
                        "to \(destination)", .device("a1", pair(Site.h1, receiver).sent),
                        .ipMartianDst)
                ], in: gateway)
        }
    }

    @Test func brokenHeadersByTheirNames() {
        let good = pair(Site.h1, Site.h3).sent
        func changed(_ offset: Int, _ bytes: [UInt8], repaired: Bool = true) -> [UInt8] {
            var frame = good
            frame.replaceSubrange(14 + offset..<14 + offset + bytes.count, with: bytes)
            guard repaired else { return frame }
            frame.replaceSubrange(24..<26, with: [0, 0])
            let checksum = ~plainSum(Array(frame[14..<34]))
            frame.replaceSubrange(24..<26, with: [UInt8(checksum >> 8), UInt8(checksum & 255)])
            return frame
        }
        let gateway = TestGateway(configuration)
        for version: UInt8 in [0, 1, 3, 5, 6, 15] {
            expectAll(
                [
                    .dropped(
                        "version \(version)", .device("a1", changed(0, [version << 4 | 5])),
                        .ipBadVersion)
                ], in: gateway)
        }
        for length: UInt8 in 0..<5 {
            expectAll(
                [
                    .dropped(
                        "IHL \(length)", .device("a1", changed(0, [0x40 | length])), .ipBadIhl)
                ], in: gateway)
        }
        for length in [0, 19, 47, 1000, 65_535] {
            expectAll(
                [
                    .dropped(
                        "length \(length)",
                        .device("a1", changed(2, [UInt8(length >> 8), UInt8(length & 255)])),
                        .ipBadLength)
                ], in: gateway)
        }
        for bit in 0..<16 {
            let sum = UInt16(good[24]) << 8 | UInt16(good[25])
            let wrong = sum ^ 1 << UInt16(bit)
            expectAll(
                [
                    .dropped(
                        "checksum bit \(bit)",
                        .device(
                            "a1",
                            changed(10, [UInt8(wrong >> 8), UInt8(wrong & 255)], repaired: false)),
                        .ipBadChecksum)
                ], in: gateway)
        }
        for length in 14..<34 {
            expectAll(
                [
                    .dropped(
                        "\(length) bytes", .device("a1", Array(good.prefix(length))), .ipBadLength)
                ], in: gateway)
        }
    }

    @Test func whereThereIsNoWay() {
        let gateway = TestGateway(configuration)
        let nowhere = Site.Host(mac: Site.h3.mac, address: IPv4Address("203.0.113.9")!)
        expectAll(
            [
                .dropped("no route", .device("a1", pair(Site.h1, nowhere).sent), .noRoute),
                // Blue has no 10.0.20.0/24.
                .dropped("other VRF", .device("a4", pair(Site.h4, Site.h3).sent), .noRoute),
            ], in: gateway)
    }

    @Test func packetsOfOneBatchDoNotShareAFate() {
        // The stage looks up all lanes at once; each of these ends at another step of it.
        let nowhere = Site.Host(mac: Site.h3.mac, address: IPv4Address("203.0.113.9")!)
        let silent = Site.Host(mac: Site.h3.mac, address: IPv4Address("10.0.20.200")!)
        let own = Site.Host(mac: Site.gatewayMAC, address: Site.gateway20)
        let sent = [
            pair(Site.h1, nowhere).sent, pair(Site.h1, Site.h3).sent,
            pair(Site.h1, silent).sent, pair(Site.h1, own).sent,
            pair(Site.h1, Site.r3, timeToLive: 1).sent, pair(Site.h1, Site.r3).sent,
            Site.udp(from: Site.h1, to: Site.h2), pair(Site.h1, nowhere).sent,
            pair(Site.h1, Site.r3).sent,
        ]
        let expected: [(arrival: Int, place: Output.Place, frame: [UInt8])] = [
            (1, .port("a3"), pair(Site.h1, Site.h3).routed),
            (5, .peer("p1"), pair(Site.h1, Site.r3).routed),
            (6, .port("a2"), Site.udp(from: Site.h1, to: Site.h2)),
            (8, .peer("p1"), pair(Site.h1, Site.r3).routed),
        ]
        let turn = TestGateway(configuration).receive(sent.map { .device("a1", $0) })
        #expect(turn.outputs.map(\.arrival) == expected.map(\.arrival))
        #expect(turn.outputs.map(\.place) == expected.map(\.place))
        #expect(turn.outputs.map(\.frame) == expected.map(\.frame))
        #expect(
            turn.verdicts == [
                .dropped, .forward, .held, .consumed, .dropped, .forward, .forward, .dropped,
                .forward,
            ])
    }

    @Test func aNeighborIsFollowedToItsNewPlace() {
        // The stage remembers where in the FDB it found the neighbor; that must never outlive the
        // entry, whatever takes its slot.
        let gateway = TestGateway(configuration)
        let frames = pair(Site.h1, Site.h3)
        func expectAt(_ place: Output.Place, _ name: String) {
            expectAll(
                [
                    PacketCase(
                        name, .device("a1", frames.sent), .leaves([.init(place, frames.routed)]))
                ], in: gateway)
        }
        expectAt(.port("a3"), "first")
        expectAt(.port("a3"), "as remembered")
        gateway.apply(
            configuration.with { configuration in
                let index = configuration.staticFDB.firstIndex { $0.mac == Site.h3.mac }!
                configuration.staticFDB[index].target = .peer("p1")
            })
        expectAt(.peer("p1"), "moved")
        expectAt(.peer("p1"), "moved, as remembered")
        gateway.apply(
            configuration.with { configuration in
                configuration.staticFDB.removeAll { $0.mac == Site.h3.mac }
            })
        let flooded = gateway.receive(.device("a1", frames.sent))
        #expect(flooded.verdicts == [.replicate])
        gateway.apply(configuration)
        expectAt(.port("a3"), "back")
    }

    @Test func aNeighborWithoutAPlaceIsFloodedInItsOwnDomain() {
        let configuration = configuration.with { configuration in
            configuration.staticFDB.removeAll { $0.vsi == "v20" }
        }
        let frames = pair(Site.h1, Site.h3)
        expectAll(
            [
                PacketCase(
                    "", .device("a1", frames.sent),
                    .leaves([
                        .init(.port("a3"), frames.routed), .init(.peer("p1"), frames.routed),
                    ]))
            ], in: TestGateway(configuration))
    }

    @Test func aNeighborWithoutAPlaceIsNotFloodedWhereThatIsOff() {
        let configuration = configuration.with { configuration in
            configuration.staticFDB.removeAll { $0.vsi == "v20" }
        }
        // The switch of the VSI of the next hop counts, not that of the sender.
        for (vsi, isDropped) in [("v20", true), ("v10", false)] {
            let gateway = TestGateway(
                configuration.with(vsi: vsi) { $0.flooding.unknownUnicast = false })
            let frames = pair(Site.h1, Site.h3)
            let flooded = PacketCase.Fate.leaves([
                .init(.port("a3"), frames.routed), .init(.peer("p1"), frames.routed),
            ])
            expectAll(
                [
                    PacketCase(
                        vsi, .device("a1", frames.sent),
                        isDropped ? .dropped(.floodDisabled) : flooded)
                ], in: gateway)
        }
    }

    @Test func onlyFramesToTheGatewayAreRouted() {
        let gateway = TestGateway(configuration)
        let broadcast = Site.udp(from: Site.h1, to: Site.h3, destinationMAC: .broadcast)
        expectAll(
            [
                .leaves(
                    "broadcast", .device("a1", broadcast), to: .port("a2"), .peer("p1"),
                    .peer("p2")),
                .leaves(
                    "host", .device("a1", Site.udp(from: Site.h1, to: Site.h2)), to: .port("a2")),
            ], in: gateway)
    }
}
