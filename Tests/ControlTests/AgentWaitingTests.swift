import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// What waits with the agent, or is on its way there, when a configuration takes away what it
/// speaks of. Whoever gets the index next must not get the packet.
@Suite struct AgentWaitingTests {
    typealias Site = TestSite

    private let silent = IPv4Address("10.0.20.200")!
    private let packet = [UInt8](repeating: 7, count: 64)

    /// Without v10, and with a VSI of the other VRF in its stead.
    private var replaced: Configuration {
        Site.routed.changed { configuration in
            configuration.vsis.removeAll { $0.name == "v10" }
            configuration.accessPorts.removeAll { $0.vsi == "v10" }
            configuration.vsiInterfaces.removeAll { $0.vsi == "v10" }
            configuration.vsis.append(Site.vsi("w", 10040, ["p1"]))
            configuration.accessPorts.append(Site.port("b1", "w"))
            configuration.vsiInterfaces.append(
                Site.interface("gw", "w", "blue", IPv4Address("10.0.40.1")!))
        }
    }

    /// A packet that came in by v10 and waits for a host of v20.
    private func hold(_ bench: AgentBench, interface: Int? = nil) {
        let held = HeldPacket(
            bytes: packet, token: [], vsi: bench.vsi("v10"), place: bench.port("a1"), worker: 0)
        bench.agent.hold(
            held, interface: interface ?? bench.agent.layout.interfaces["g20"]!, nextHop: silent,
            now: bench.now)
    }

    private func resumed(_ bench: AgentBench) -> Int {
        bench.agent.takeOrders().count { order in
            if case .resume = order { true } else { false }
        }
    }

    private func questions(_ bench: AgentBench) -> Int {
        bench.agent.takeOrders().count { order in
            if case .flood = order { true } else { false }
        }
    }

    private func answer(_ bench: AgentBench) {
        bench.see(silent, AgentBench.mac(9), at: bench.port("a3"), vsi: "v20")
    }

    @Test func aPacketThatWaitsGoesOnAfterAReload() {
        let bench = AgentBench(Site.routed)
        hold(bench)
        bench.apply(Site.routed.changed { $0.vsis[2].macLimit = 5 })
        answer(bench)
        #expect(resumed(bench) == 1)
        #expect(bench.agent.events.heldOverflow == 0)
    }

    @Test func aPacketOfAVSIThatIsGoneWaitsNoLonger() {
        let bench = AgentBench(Site.routed)
        hold(bench)
        bench.apply(replaced)
        #expect(bench.agent.events.heldOverflow == 1)
        #expect(bench.agent.heldBytes == 0)
        answer(bench)
        #expect(resumed(bench) == 0)
    }

    @Test func aPacketThatWasToGoOnDoesNot() {
        let bench = AgentBench(Site.routed)
        hold(bench)
        answer(bench)
        bench.apply(replaced)
        #expect(resumed(bench) == 0)
        #expect(bench.agent.events.heldOverflow == 1)
    }

    @Test func theNextOwnerOfAnIndexGetsNoReport() throws {
        let bench = AgentBench(Site.routed)
        let vsi = bench.vsi("v10")
        let interface = bench.agent.layout.interfaces["g10"]!
        bench.apply(replaced)
        _ = bench.agent.takeOrders()
        #expect(bench.vsi("w") != vsi)
        // A worker in the middle of a turn reports by the tables it began with.
        bench.agent.macSeen(
            AgentBench.mac(3), vsi: vsi, place: bench.peer(Site.p1), address: .any, now: bench.now)
        bench.agent.addressSeen(
            Site.r1.address, mac: Site.r1.mac, vsi: vsi, place: bench.peer(Site.p1),
            isAnnouncement: false, now: bench.now)
        let late = HeldPacket(bytes: packet, token: [], vsi: vsi, place: .port(0), worker: 0)
        bench.agent.hold(late, interface: interface, nextHop: Site.r1.address, now: bench.now)
        #expect(try bench.fdb().allSatisfy { $0.kind == .own })
        #expect(try bench.arp().allSatisfy { $0.kind == .own })
        #expect(bench.agent.takeOrders().isEmpty)
        #expect(bench.agent.events.heldOverflow == 1)
    }

    @Test func aRenamedInterfaceGoesOnAsking() throws {
        var bench = AgentBench(Site.routed)
        hold(bench)
        #expect(questions(bench) == 1)
        bench.apply(
            Site.routed.changed { configuration in
                configuration.vsiInterfaces[1].name = "h20"
            })
        bench.advance(seconds: 2)
        #expect(questions(bench) > 0)
        bench.advance(seconds: 10)
        #expect(bench.agent.events.heldFailed == 1)
    }

    @Test func nobodyAsksWithoutAnInterface() throws {
        var bench = AgentBench(Site.routed)
        hold(bench)
        bench.apply(Site.routed.changed { $0.vsiInterfaces.remove(at: 1) })
        #expect(bench.agent.events.heldOverflow == 1)
        #expect(try bench.arp().allSatisfy { $0.state != .incomplete })
        _ = bench.agent.takeOrders()
        bench.advance(seconds: 5)
        #expect(questions(bench) == 0)
    }

    // MARK: Subnets

    private func learned(_ bench: AgentBench) throws -> [String] {
        try bench.arp().filter { $0.kind == .dynamic }.map { "\($0.interface) \($0.address)" }
    }

    @Test func neighborsOutsideTheNewSubnetsAreForgotten() throws {
        let bench = AgentBench(Site.routed)
        bench.see(Site.h1.address, Site.h1.mac, at: bench.port("a1"))
        bench.see(Site.h3.address, Site.h3.mac, at: bench.port("a3"), vsi: "v20")
        bench.see(Site.h4.address, Site.h4.mac, at: bench.port("a4"), vsi: "v30")
        try bench.agent.addARP(
            interface: "g10", address: Site.h2.address, mac: Site.h2.mac, now: bench.now)
        bench.apply(
            Site.routed.changed {
                $0.vsiInterfaces[0].addresses = [IPv4Prefix("10.0.99.1/24")!]
            })
        #expect(try learned(bench) == ["g20 10.0.20.103", "g30 10.0.10.101"])
        #expect(try bench.arp().count { $0.kind == .static } == 1, "the operator's stay")
    }

    @Test func aNarrowerSubnetLosesItsEdges() throws {
        let bench = AgentBench(Site.routed)
        for number in [1, 62, 63, 64, 254].map({ IPv4Address(bits: 0x0A00_1400 + $0) }) {
            bench.see(number, AgentBench.mac(9), at: bench.port("a3"), vsi: "v20")
        }
        bench.apply(
            Site.routed.changed {
                $0.vsiInterfaces[1].addresses = [IPv4Prefix("10.0.20.2/26")!]
            })
        #expect(try learned(bench) == ["g20 10.0.20.62"])
    }

    @Test func packetsForAnAddressThatHasLeftTheSubnetsWaitNoLonger() throws {
        let bench = AgentBench(Site.routed)
        hold(bench)
        bench.apply(
            Site.routed.changed {
                $0.vsiInterfaces[1].addresses = [IPv4Prefix("10.0.99.1/24")!]
            })
        #expect(bench.agent.events.heldOverflow == 1)
        #expect(bench.agent.resolutions.isEmpty && bench.agent.unresolved.count == 0)
        #expect(try bench.arp().allSatisfy { $0.state != .incomplete })
    }

    @Test func theNextHopOfAnOnlinkRouteStaysWhileTheRouteDoes() throws {
        let hop = IPv4Address("192.168.77.1")!
        let onlink = Site.routed.changed {
            $0.staticRoutes = [
                .init(
                    prefix: IPv4Prefix("192.0.2.0/24")!, via: [hop], interface: "g10", vrf: "red",
                    onlink: true)
            ]
        }
        let bench = AgentBench(onlink)
        bench.see(hop, AgentBench.mac(7), at: bench.port("a1"))
        bench.apply(onlink.changed { $0.vsis[2].macLimit = 5 })
        #expect(try learned(bench) == ["g10 192.168.77.1"])
        bench.apply(Site.routed)
        #expect(try learned(bench) == [])
    }

    // MARK: Indexes

    @Test func aFreedIndexRests() {
        let rest = IndexRegistry<String>.restNanoseconds
        var registry = IndexRegistry<String>(capacity: 10)
        registry.retain(["a", "b", "c"], now: 0)
        registry.retain(["a", "c"], now: 0)
        #expect(registry.assign("d", now: rest - 1) == 3)
        #expect(registry.assign("e", now: rest) == 1)
        #expect(registry.assign("a", now: rest) == 0)
        #expect(registry.bound == 4)
    }

    @Test func whenAllAreTakenTheOneFreeForLongestIsGiven() {
        var registry = IndexRegistry<String>(capacity: 3)
        registry.retain(["a", "b", "c"], now: 0)
        registry.retain(["a", "b"], now: 1)
        registry.retain(["a"], now: 2)
        registry.retain(["a", "d", "e"], now: 3)
        #expect(registry["d"] == 2)
        #expect(registry["e"] == 1)
        #expect(registry.bound == 3)
    }
}
