import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Routed packets that do not fit where they go (RFC 1191, RFC 791 section 3.2).
@Suite struct LargePacketTests {
    typealias Site = TestSite

    private func configuration(mtu: Int?) -> Configuration {
        Site.routed.with { configuration in
            configuration.staticFDB = Site.staticFDB
            configuration.staticARP = [Site.h3, Site.r3].map {
                .init(interface: "g20", address: $0.address, mac: $0.mac)
            }
            configuration.vsiInterfaces[1].mtu = mtu
        }
    }

    private func packet(_ byteCount: Int, to target: Site.Host, isDF: Bool) -> Arrival {
        .device(
            "a1",
            Site.udp(
                from: Site.h1, to: target, destinationMAC: Site.gatewayMAC,
                payloadCount: byteCount - 28, fragment: isDF ? 0x4000 : 0))
    }

    /// The MTU an ICMP error tells of, or nil when there is none.
    private func told(_ gateway: TestGateway) -> Int? {
        let errors = gateway.serveOrders().outputs.filter { $0.place == .port("a1") }
        guard let frame = errors.first?.frame, frame.count > 42, frame[34] == 3, frame[35] == 4
        else { return nil }
        // With one identification for all of them, none may be fragmented (RFC 6864 section 4.1).
        #expect(frame[18...21] == [0, 0, 0x40, 0])
        return Int(frame[40]) << 8 | Int(frame[41])
    }

    private func expect(_ limit: Int, to target: Site.Host, _ gateway: TestGateway) {
        for isDF in [false, true] {
            let fitting = gateway.receive(packet(limit, to: target, isDF: isDF))
            #expect(fitting.verdicts == [.forward], "\(limit)")
        }
        let refused = gateway.receive(packet(limit + 1, to: target, isDF: true))
        #expect(refused.tally.drops == [.mtuExceededDf: 1] && refused.isBalanced)
        #expect(told(gateway) == limit)
        let cut = gateway.receive(packet(limit + 1, to: target, isDF: false))
        #expect(cut.verdicts == [.forward] && cut.tally.drops.isEmpty)
        #expect(told(gateway) == nil)
    }

    @Test func theMTUOfTheInterface() {
        for target in [Site.h3, Site.r3] {
            expect(1450, to: target, TestGateway(configuration(mtu: nil)))
            expect(1300, to: target, TestGateway(configuration(mtu: 1300)))
        }
    }

    /// A file that promises more than the underlay holds is true for local hosts alone.
    @Test func theUnderlayHasTheLastWordTowardsPeers() {
        for mtu in [1451, 1500, 9000] {
            expect(1450, to: Site.r3, TestGateway(configuration(mtu: mtu)))
        }
        expect(1500, to: Site.h3, TestGateway(configuration(mtu: 1500)))
        // A neighbor without a place is looked for behind peers as well.
        let lost = TestGateway(
            configuration(mtu: 1500).with { $0.staticFDB.removeAll { $0.vsi == "v20" } })
        let turn = lost.receive(packet(1451, to: Site.r3, isDF: true))
        #expect(turn.tally.drops == [.mtuExceededDf: 1])
    }

    @Test func theKnownPathToAPeerIsSmallerStill() {
        let gateway = TestGateway(configuration(mtu: 1500))
        gateway.agent.setPathMTU(1400, peer: gateway.agent.peerIndexes[Site.p1]!)
        expect(1350, to: Site.r3, gateway)
        expect(1500, to: Site.h3, gateway)
    }
}
