import Control
import Dataplane
import TestKit
import Testing
import Wire

/// VLAN tags at access ports and inside tunnels (RFC 7348 section 6.1).
@Suite struct VLANTests {
    typealias Site = TestSite

    /// From `sender` to `receiver` with tags, outermost first.
    private func tagged(
        _ tags: [(UInt16, UInt16)], from sender: MACAddress = Site.h1.mac,
        to receiver: MACAddress = Site.r1.mac, priority: UInt8 = 0
    ) -> [UInt8] {
        var builder = FrameBuilder.ethernet(destination: receiver, source: sender)
        for (type, identifier) in tags {
            builder = builder.vlan(identifier, priority: priority, tagProtocol: type)
        }
        return builder.ipv4(source: Site.h1.address, destination: Site.r1.address)
            .udp(sourcePort: 1, destinationPort: 2).payload(count: 18).bytes
    }

    private func plain(
        from sender: MACAddress = Site.h1.mac, to receiver: MACAddress = Site.r1.mac
    ) -> [UInt8] {
        tagged([], from: sender, to: receiver)
    }

    private func inner(_ tags: [(UInt16, UInt16)]) -> Arrival {
        .tunnel(from: Site.p1, vni: 10010, tagged(tags, from: Site.r1.mac, to: Site.h1.mac))
    }

    private var innerPlain: [UInt8] { plain(from: Site.r1.mac, to: Site.h1.mac) }

    private func configuration(_ policy: Configuration.InnerVLAN) -> Configuration {
        Site.known.with(vsi: "v10") { $0.innerVLAN = policy }
    }

    @Test func tagsInATunnelAreDroppedByDefault() {
        #expect(Site.known.vsis[0].innerVLAN == .drop)
        expectAll(
            [
                .dropped("10", inner([(0x8100, 10)]), .innerVlanDenied),
                .dropped("4095", inner([(0x8100, 4095)]), .innerVlanDenied),
                .dropped("service 10", inner([(0x88A8, 10)]), .innerVlanDenied),
                .dropped("service 0", inner([(0x88A8, 0)]), .innerVlanDenied),
                .dropped("double", inner([(0x88A8, 100), (0x8100, 10)]), .innerVlanDenied),
                .dropped(
                    "double customer", inner([(0x8100, 100), (0x8100, 10)]), .innerVlanDenied),
                PacketCase("0", inner([(0x8100, 0)]), .leaves([.init(.port("a1"), innerPlain)])),
                .dropped("0 before 10", inner([(0x8100, 0), (0x8100, 10)]), .innerVlanDenied),
            ], in: TestGateway(configuration(.drop)))
    }

    @Test func tagsInATunnelAreStrippedWhereConfigured() {
        let delivered = PacketCase.Fate.leaves([.init(.port("a1"), innerPlain)])
        expectAll(
            [
                PacketCase("10", inner([(0x8100, 10)]), delivered),
                PacketCase("service 10", inner([(0x88A8, 10)]), delivered),
                PacketCase("0", inner([(0x8100, 0)]), delivered),
                // What would still be tagged is no frame of an untagged VSI.
                .dropped("double", inner([(0x88A8, 100), (0x8100, 10)]), .innerVlanDenied),
                .dropped("0 before 10", inner([(0x8100, 0), (0x8100, 10)]), .innerVlanDenied),
            ], in: TestGateway(configuration(.strip)))
    }

    @Test func tagsInATunnelAreKeptWhereConfigured() {
        expectAll(
            [
                .leaves("10", inner([(0x8100, 10)]), to: .port("a1")),
                .leaves("service 10", inner([(0x88A8, 10)]), to: .port("a1")),
                .leaves("double", inner([(0x88A8, 100), (0x8100, 10)]), to: .port("a1")),
                PacketCase("0", inner([(0x8100, 0)]), .leaves([.init(.port("a1"), innerPlain)])),
                // A priority tag hides no VLAN.
                .dropped("0 before 10", inner([(0x8100, 0), (0x8100, 10)]), .innerVlanDenied),
            ], in: TestGateway(configuration(.keep)))
    }

    @Test func priorityBitsOfAKeptTagStay() {
        let frame = tagged([(0x8100, 10)], from: Site.r1.mac, to: Site.h1.mac, priority: 5)
        expectAll(
            [.leaves("", .tunnel(from: Site.p1, vni: 10010, frame), to: .port("a1"))],
            in: TestGateway(configuration(.keep)))
    }

    @Test func aPortWithoutVLANTakesUntaggedFramesAlone() {
        expectAll(
            [
                PacketCase(
                    "0", .device("a1", tagged([(0x8100, 0)])),
                    .leaves([.init(.peer("p1"), plain())])),
                .dropped("11", .device("a1", tagged([(0x8100, 11)])), .innerVlanDenied),
                .dropped("service", .device("a1", tagged([(0x88A8, 11)])), .innerVlanDenied),
                .dropped(
                    "0 before 11", .device("a1", tagged([(0x8100, 0), (0x8100, 11)])),
                    .innerVlanDenied),
                .dropped(
                    "strip keeps none", .device("a1", tagged([(0x8100, 11)])), .innerVlanDenied),
            ], in: TestGateway(configuration(.drop)))
        expectAll(
            [.dropped("strip", .device("a1", tagged([(0x8100, 11)])), .innerVlanDenied)],
            in: TestGateway(configuration(.strip)))
    }

    @Test func aVSIThatKeepsTagsTakesThemFromItsPort() {
        expectAll(
            [
                .leaves("11", .device("a1", tagged([(0x8100, 11)])), to: .peer("p1")),
                .leaves("service", .device("a1", tagged([(0x88A8, 11)])), to: .peer("p1")),
                PacketCase(
                    "0", .device("a1", tagged([(0x8100, 0)])),
                    .leaves([.init(.peer("p1"), plain())])),
            ], in: TestGateway(configuration(.keep)))
    }

    /// Device t1 with VLAN 10 in v10 and VLAN 20 in v20, device n1 with VLAN 10 and untagged in
    /// v10.
    private var trunks: Configuration {
        var configuration = Site.bridged
        configuration.accessPorts = [
            Site.port("a1", "v10"), Site.port("t10", "v10", device: "t1", vlan: 10),
            Site.port("t20", "v20", device: "t1", vlan: 20),
            Site.port("n0", "v20", device: "n1"),
            Site.port("n10", "v10", device: "n1", vlan: 10),
        ]
        configuration.staticFDB = [
            .init(vsi: "v10", mac: Site.r1.mac, target: .peer("p1")),
            .init(vsi: "v20", mac: Site.r3.mac, target: .peer("p1")),
            .init(vsi: "v10", mac: Site.h1.mac, target: .port("t10")),
            .init(vsi: "v20", mac: Site.h3.mac, target: .port("t20")),
        ]
        return configuration
    }

    @Test func aMappedVLANIsTheWayToItsPort() {
        let gateway = TestGateway(trunks)
        let h3 = Site.h3.mac
        expectAll(
            [
                PacketCase(
                    "10", .device("t1", tagged([(0x8100, 10)])),
                    .leaves([.init(.peer("p1"), plain())])),
                PacketCase(
                    "20", .device("t1", tagged([(0x8100, 20)], from: h3, to: Site.r3.mac)),
                    .leaves([.init(.peer("p1"), plain(from: h3, to: Site.r3.mac))])),
                .dropped("unmapped", .device("t1", tagged([(0x8100, 11)])), .innerVlanDenied),
                .dropped("service", .device("t1", tagged([(0x88A8, 10)])), .innerVlanDenied),
                .dropped("untagged", .device("t1", plain()), .portVlanDenied),
                .dropped("0", .device("t1", tagged([(0x8100, 0)])), .portVlanDenied),
                .dropped(
                    "10 around 20", .device("t1", tagged([(0x8100, 10), (0x8100, 20)])),
                    .innerVlanDenied),
            ], in: gateway)
        let turn = gateway.receive(
            .device("t1", tagged([(0x8100, 20)], from: h3, to: Site.r3.mac)))
        #expect(turn.outputs.map(\.vni) == [10020])
    }

    @Test func aTagBesideTheFrameIsLikeOneInIt() {
        let gateway = TestGateway(trunks)
        func beside(_ control: UInt32) -> Arrival {
            .device("t1", plain(), tag: PacketBatch.tagPresent | control)
        }
        expectAll(
            [
                .leaves("10", beside(10), to: .peer("p1")),
                .leaves("10 with priority", beside(7 << 13 | 10), to: .peer("p1")),
                .dropped("11", beside(11), .innerVlanDenied),
                .dropped("service", beside(PacketBatch.tagIsService | 10), .innerVlanDenied),
                .dropped("0", beside(0), .portVlanDenied),
            ], in: gateway)
    }

    @Test func aPortPutsItsTagInFront() {
        let gateway = TestGateway(trunks)
        expectAll(
            [
                PacketCase(
                    "unicast",
                    .tunnel(from: Site.p1, vni: 10010, plain(from: Site.r1.mac, to: Site.h1.mac)),
                    .leaves([
                        .init(
                            .port("t10"),
                            tagged([(0x8100, 10)], from: Site.r1.mac, to: Site.h1.mac))
                    ])),
                PacketCase(
                    "flooded",
                    .tunnel(from: Site.p1, vni: 10010, plain(from: Site.r1.mac, to: .broadcast)),
                    .leaves([
                        .init(.port("a1")),
                        .init(
                            .port("t10"),
                            tagged([(0x8100, 10)], from: Site.r1.mac, to: .broadcast)),
                        .init(
                            .port("n10"),
                            tagged([(0x8100, 10)], from: Site.r1.mac, to: .broadcast)),
                    ])),
            ], in: gateway)
    }

    @Test func aDeviceHasUntaggedAndMappedFrames() {
        let gateway = TestGateway(trunks)
        let broadcast = plain(from: Site.h2.mac, to: .broadcast)
        expectAll(
            [
                PacketCase(
                    "untagged", .device("n1", broadcast),
                    .leaves([
                        .init(.peer("p1"), broadcast),
                        .init(
                            .port("t20"),
                            tagged([(0x8100, 20)], from: Site.h2.mac, to: .broadcast)),
                    ])),
                PacketCase(
                    "10",
                    .device("n1", tagged([(0x8100, 10)], from: Site.h2.mac, to: .broadcast)),
                    .leaves([
                        .init(.peer("p1"), broadcast), .init(.peer("p2"), broadcast),
                        .init(.port("a1"), broadcast),
                        .init(
                            .port("t10"),
                            tagged([(0x8100, 10)], from: Site.h2.mac, to: .broadcast)),
                    ])),
            ], in: gateway)
    }

    @Test func aPortWithVLANCarriesKeptTagsBehindItsOwn() {
        let gateway = TestGateway(trunks.with(vsi: "v10") { $0.innerVLAN = .keep })
        expectAll(
            [
                PacketCase(
                    "out", .device("t1", tagged([(0x8100, 10), (0x8100, 30)])),
                    .leaves([.init(.peer("p1"), tagged([(0x8100, 30)]))])),
                PacketCase(
                    "back", inner([(0x8100, 30)]),
                    .leaves([
                        .init(
                            .port("t10"),
                            tagged(
                                [(0x8100, 10), (0x8100, 30)], from: Site.r1.mac, to: Site.h1.mac))
                    ])),
            ], in: gateway)
    }

    /// Device n1 is v20 untagged and v10 in VLAN 10: what v20 keeps must not come out as VLAN 10.
    @Test func aKeptTagNeverLeavesAsAnotherPortsVLAN() {
        let gateway = TestGateway(trunks.with(vsi: "v20") { $0.innerVLAN = .keep })
        let frame = tagged([(0x8100, 10)], from: Site.r3.mac, to: Site.h4.mac)
        let turn = gateway.receive(.tunnel(from: Site.p1, vni: 10020, frame))
        #expect(turn.isBalanced)
        #expect(turn.outputs(to: .port("n0")).isEmpty)
        #expect(turn.outputs(to: .port("t20")).count == 1)
        #expect(turn.tally.drops == [.innerVlanDenied: 1])
        // A VLAN that the device does not map leaves.
        let free = tagged([(0x8100, 11)], from: Site.r3.mac, to: Site.h4.mac)
        #expect(
            gateway.receive(.tunnel(from: Site.p1, vni: 10020, free)).outputs(to: .port("n0"))
                .count == 1)
    }
}
