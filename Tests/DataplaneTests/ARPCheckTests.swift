import Control
import Dataplane
import TestKit
import Testing
import Wire

/// ARP packets that are refused, and what is learnt from the others.
@Suite struct ARPCheckTests {
    typealias Site = TestSite
    private let request = TestSite.arpRequest(from: TestSite.h1, for: TestSite.r1.address)

    private func changed(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
        var frame = request
        frame.replaceSubrange(14 + offset..<14 + offset + bytes.count, with: bytes)
        return frame
    }

    /// Where ARP is looked into: with suppression, and with a VSI-interface.
    private var configurations: [Configuration] {
        let routed = Site.routed.with { configuration in
            for index in configuration.vsis.indices {
                configuration.vsis[index].arpSuppression = false
            }
        }
        return [Site.bridged, routed]
    }

    @Test func brokenPacketsAreRefused() {
        let broken: [(String, [UInt8])] = [
            ("hardware type 6", changed(0, [0, 6])), ("hardware type 257", changed(0, [1, 1])),
            ("protocol 86dd", changed(2, [0x86, 0xDD])), ("protocol 0801", changed(2, [8, 1])),
            ("hardware length 5", changed(4, [5])), ("hardware length 8", changed(4, [8])),
            ("hardware length 0", changed(4, [0])), ("protocol length 3", changed(5, [3])),
            ("protocol length 16", changed(5, [16])), ("operation 0", changed(6, [0, 0])),
            ("operation 3", changed(6, [0, 3])), ("operation 25", changed(6, [0, 25])),
            ("operation 256", changed(6, [1, 0])), ("operation 257", changed(6, [1, 1])),
            ("sender 224.0.0.1", changed(14, [224, 0, 0, 1])),
            ("sender 255.255.255.255", changed(14, [255, 255, 255, 255])),
            ("sender 240.0.0.1", changed(14, [240, 0, 0, 1])),
            ("sender MAC broadcast", changed(8, [255, 255, 255, 255, 255, 255])),
            ("sender MAC zero", changed(8, [0, 0, 0, 0, 0, 0])),
            ("sender MAC group", changed(8, [1, 0, 0x5E, 0, 0, 1])),
        ]
        for configuration in configurations {
            let gateway = TestGateway(configuration)
            gateway.agentFollows = false
            for (name, frame) in broken {
                expectAll(
                    [
                        .dropped(name, .device("a1", frame), .arpMalformed),
                        .dropped(
                            "\(name), tunnel", .tunnel(from: Site.p1, vni: 10010, frame),
                            .arpMalformed),
                    ], in: gateway)
            }
            #expect(gateway.takeReports().allSatisfy { $0.kind == .macSeen })
        }
    }

    @Test func everyCutIsRefused() {
        for configuration in configurations {
            let gateway = TestGateway(configuration)
            for length in 14..<42 {
                expectAll(
                    [
                        .dropped(
                            "\(length) bytes", .device("a1", Array(request.prefix(length))),
                            .arpMalformed)
                    ], in: gateway)
            }
            #expect(
                gateway.receive(.device("a1", Array(request.prefix(42)))).tally.drops.isEmpty)
        }
    }

    @Test func everyFlippedBitHasAVerdict() {
        for configuration in configurations {
            let gateway = TestGateway(configuration)
            for bit in 0..<request.count * 8 {
                var frame = request
                frame[bit / 8] ^= 1 << UInt8(bit % 8)
                let turn = gateway.receive(.device("a1", frame))
                #expect(turn.isBalanced, "bit \(bit)")
                // An answer goes to the asker alone; nothing else than the request is flooded.
                #expect(turn.outputs.allSatisfy { $0.frame == frame || $0.place == .port("a1") })
            }
        }
    }

    @Test func theSenderIsTheEthernetSource() {
        for configuration in configurations {
            let gateway = TestGateway(configuration)
            let frame = Site.arp(
                1, MACAddress(bits: 0x00DE_ADBE), Site.h1.address, .zero, Site.r1.address,
                source: Site.h1.mac)
            let reply = Site.arp(
                2, MACAddress(bits: 0x00DE_ADBE), Site.r1.address, Site.h1.mac, Site.h1.address,
                to: Site.h1.mac, source: Site.r1.mac)
            expectAll(
                [
                    .dropped("request", .device("a1", frame), .arpSenderMismatch),
                    .dropped(
                        "reply", .tunnel(from: Site.p1, vni: 10010, reply), .arpSenderMismatch),
                ], in: gateway)
            #expect(throws: Never.self) {
                let rows = try gateway.agent.arpReport(Selection(), now: gateway.now)
                #expect(rows.allSatisfy { $0.kind == .own })
            }
        }
    }

    /// VRRP (RFC 5798): the shared MAC address and the router's own stand in one packet.
    @Test func aVirtualRoutersAddressesMayDiffer() throws {
        let shared = MACAddress(bits: 0x0000_5E00_0107)
        let own = Site.gatewayMAC
        for configuration in configurations {
            func arp(_ sender: MACAddress, from source: MACAddress) -> Arrival {
                .device(
                    "a1",
                    Site.arp(
                        2, sender, Site.h1.address, .broadcast, Site.h2.address, source: source))
            }
            let everywhere: [Output.Place] = [.port("a2"), .peer("p1"), .peer("p2")]
            for (sender, source) in [
                (shared, Site.h1.mac), (Site.h1.mac, shared), (shared, shared),
            ] {
                let gateway = TestGateway(configuration)
                let turn = gateway.receive(arp(sender, from: source))
                #expect(turn.places == everywhere.sorted { "\($0)" < "\($1)" })
                let rows = try gateway.agent.arpReport(Selection(), now: gateway.now)
                #expect(rows.first { $0.kind == .dynamic }?.mac == sender.description)
            }
            let near = [MACAddress(bits: 0x0000_5E00_0201), MACAddress(bits: 0x0100_5E00_0101)]
            for sender in near where !sender.isGroup {
                expectAll(
                    [.dropped("\(sender)", arp(sender, from: Site.h1.mac), .arpSenderMismatch)],
                    in: configuration)
            }
        }
        // The gateway's own is such an address here, and nobody else's.
        let theft = Site.arp(2, own, Site.h1.address, .broadcast, Site.h2.address, source: shared)
        expectAll(
            [
                .dropped("port", .device("a1", theft), .arpSenderMismatch),
                .dropped("tunnel", .tunnel(from: Site.p1, vni: 10010, theft), .arpSenderMismatch),
                .dropped(
                    "from the gateway's",
                    .tunnel(
                        from: Site.p1, vni: 10010,
                        Site.arp(
                            2, shared, Site.h1.address, .broadcast, Site.h2.address, source: own)),
                    .arpSenderMismatch),
            ], in: Site.routed)
    }

    @Test func theSenderIsInTheSubnet() throws {
        let gateway = TestGateway(Site.routed)
        let outsider = Site.Host(mac: Site.h1.mac, address: IPv4Address("10.9.9.9")!)
        expectAll(
            [
                .dropped(
                    "request",
                    .device("a1", Site.arpRequest(from: outsider, for: Site.gateway10)),
                    .arpOutsideSubnet),
                .dropped(
                    "announcement",
                    .device("a1", Site.arpRequest(from: outsider, for: outsider.address)),
                    .arpOutsideSubnet),
                .dropped(
                    "reply",
                    .device(
                        "a1",
                        Site.arp(
                            2, outsider.mac, outsider.address, Site.gatewayMAC, Site.gateway10,
                            to: Site.gatewayMAC)), .arpOutsideSubnet),
                .dropped(
                    "subnet of another VSI",
                    .device("a3", Site.arpRequest(from: Site.h1, for: Site.gateway20)),
                    .arpOutsideSubnet),
            ], in: gateway)
        #expect(try gateway.agent.arpReport(Selection(), now: gateway.now).count == 3)
        // Without an interface there is no subnet to be outside of.
        expectAll(
            [
                .leaves(
                    "bridged", .device("a1", Site.arpRequest(from: outsider, for: Site.r1.address)),
                    to: .port("a2"), .peer("p1"), .peer("p2"))
            ], in: Site.bridged)
    }

    /// Neither the proxy nor the table takes the edge of a subnet for a host.
    @Test func theSenderIsNoEdgeOfTheSubnet() throws {
        for isProxy in [false, true] {
            let gateway = TestGateway(
                Site.routed.with { $0.vsiInterfaces[0].localProxyARP = isProxy })
            for edge in ["10.0.10.0", "10.0.10.255"].compactMap({ IPv4Address($0) }) {
                let host = Site.Host(mac: Site.h1.mac, address: edge)
                let reply = Site.arp(
                    2, host.mac, edge, Site.gatewayMAC, Site.gateway10, to: Site.gatewayMAC)
                expectAll(
                    [
                        .dropped(
                            "request",
                            .device("a1", Site.arpRequest(from: host, for: Site.gateway10)),
                            .arpOutsideSubnet),
                        .dropped(
                            "announcement", .device("a1", Site.arpRequest(from: host, for: edge)),
                            .arpOutsideSubnet),
                        .dropped("reply", .device("a1", reply), .arpOutsideSubnet),
                        .dropped(
                            "tunnel",
                            .tunnel(
                                from: Site.p1, vni: 10010,
                                Site.arpRequest(from: host, for: Site.h1.address)),
                            .arpOutsideSubnet),
                    ], in: gateway)
            }
            #expect(try gateway.agent.arpReport(Selection(), now: gateway.now).count == 3)
            #expect(gateway.serveOrders().outputs.isEmpty)
        }
    }

    /// RFC 3021: both addresses of a /31 are hosts.
    @Test func aPairHasNoEdges() throws {
        let pair = Site.routed.with { configuration in
            configuration.vsiInterfaces[0].addresses = [
                IPv4Prefix(address: Site.gateway10, length: 31)
            ]
        }
        let host = Site.Host(mac: Site.h1.mac, address: IPv4Address("10.0.10.0")!)
        let gateway = TestGateway(pair)
        let turn = gateway.receive(.device("a1", Site.arpRequest(from: host, for: Site.gateway10)))
        #expect(turn.places == [.port("a1")])
        #expect(
            try gateway.agent.arpReport(Selection(), now: gateway.now).contains {
                $0.kind == .dynamic && $0.address == "10.0.10.0"
            })
    }

    @Test func whereNobodyLooksARPIsAnyFrame() {
        let configuration = Site.bridged.with(vsi: "v10") { $0.arpSuppression = false }
        let gateway = TestGateway(configuration)
        for frame in [changed(0, [0, 6]), Array(request.prefix(20)), changed(14, [224, 0, 0, 1])] {
            expectAll(
                [
                    .leaves(
                        "\(frame.count)", .device("a1", frame), to: .port("a2"), .peer("p1"),
                        .peer("p2"))
                ], in: gateway)
        }
    }

    @Test func requestsAndRepliesTeachWhoHasAnAddress() throws {
        let gateway = TestGateway(Site.routed)
        gateway.receive([
            .device("a1", Site.arpRequest(from: Site.h1, for: Site.gateway10)),
            .device(
                "a2",
                Site.arp(
                    2, Site.h2.mac, Site.h2.address, Site.gatewayMAC, Site.gateway10,
                    to: Site.gatewayMAC)),
            .tunnel(
                from: Site.p1, vni: 10020, Site.arpRequest(from: Site.r3, for: Site.h3.address)),
            // In blue the address of h1 is another host's.
            .device("a4", Site.arpRequest(from: Site.h4, for: Site.gateway10)),
        ])
        let rows = try gateway.agent.arpReport(Selection(), now: gateway.now)
            .filter { $0.kind == .dynamic }
        #expect(
            rows.map { "\($0.vrf) \($0.interface) \($0.address) \($0.mac ?? "")" } == [
                "red g10 10.0.10.101 02:aa:00:00:00:01", "red g10 10.0.10.102 02:aa:00:00:00:02",
                "red g20 10.0.20.113 02:bb:00:00:00:03",
                "blue g30 10.0.10.101 02:aa:00:00:00:04",
            ])
        #expect(rows.map(\.port) == ["a1", "a2", nil, "a4"])
        #expect(rows.map(\.peer) == [nil, nil, "p1", nil])
    }
}
