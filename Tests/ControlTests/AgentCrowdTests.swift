import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// More unknown next hops than are asked for at once: whoever scans a subnet must not keep the
/// others from being found.
@Suite struct AgentCrowdTests {
    typealias Site = TestSite

    private let configuration = Site.routed.changed {
        $0.vsiInterfaces[1].addresses = [IPv4Prefix("10.20.0.1/16")!]
        $0.timers.arpAgeingSeconds = 20
    }

    private func address(_ number: Int) -> IPv4Address {
        IPv4Address(bits: 0x0A14_0100 + UInt32(number))
    }

    private func hold(_ bench: AgentBench, _ number: Int, mark: UInt8 = 0) {
        let packet = HeldPacket(
            bytes: [UInt8](repeating: mark, count: 60), token: [], vsi: bench.vsi("v10"),
            place: bench.port("a1"), worker: 0)
        bench.agent.hold(
            packet, interface: bench.agent.layout.interfaces["g20"]!, nextHop: address(number),
            now: bench.now)
    }

    /// The addresses asked for by broadcast, and the marks of packets that go on.
    private func orders(_ bench: AgentBench) -> (asked: [IPv4Address], resumed: [UInt8]) {
        var asked: [IPv4Address] = []
        var resumed: [UInt8] = []
        for order in bench.agent.takeOrders() {
            switch order {
            case .flood(let bytes, _, _, _, _):
                asked.append(IPv4Address(bits: bytes[38..<42].reduce(0) { $0 << 8 | UInt32($1) }))
            case .resume(let packet): resumed.append(packet.bytes[0])
            case .send, .route: break
            }
        }
        return (asked, resumed)
    }

    @Test func aNewNextHopIsAskedForHoweverManyAreAbsent() throws {
        var bench = AgentBench(configuration)
        for number in 0..<4999 {
            hold(bench, number)
            if number % 5 == 0 { bench.advance(milliseconds: 1) }
        }
        #expect(bench.agent.unresolved.count == Agent.maximumResolutions)
        #expect(orders(bench).asked.count == 4999)
        hold(bench, 6000, mark: 9)
        #expect(orders(bench).asked == [address(6000)])
        bench.see(address(6000), AgentBench.mac(1), at: bench.port("a3"), vsi: "v20")
        #expect(orders(bench).resumed == [9])
        // Those that made room have lost their packets, and no row says that they are asked for.
        #expect(bench.agent.events.heldOverflow == 904)
        #expect(try bench.arp().count { $0.state == .incomplete } == 4095)
        bench.advance(seconds: 30)
        #expect(bench.agent.unresolved.count == 0 && bench.agent.resolutions.isEmpty)
        #expect(bench.agent.rests.isEmpty && bench.agent.restEnds.count == 0)
        #expect(bench.agent.heldBytes == 0)
    }

    /// Making room does not make a second question a second of it.
    @Test func whatMadeRoomIsNotAskedForTooSoon() {
        var bench = AgentBench(configuration)
        var last: [IPv4Address: UInt64] = [:]
        for round in 0..<20 {
            for number in 0..<4200 { hold(bench, (number + round * 7) % 4200) }
            for pause in [0, 100] {
                if pause > 0 { bench.advance(milliseconds: pause) }
                for asked in orders(bench).asked {
                    if let before = last[asked] { #expect(bench.now - before >= 1_000_000_000) }
                    last[asked] = bench.now
                }
            }
        }
        #expect(last.count == 4200)
    }

    @Test func knownHostsAreRefreshedWhileStrangersCrowd() throws {
        var bench = AgentBench(configuration)
        bench.see(address(7000), AgentBench.mac(1), at: bench.port("a3"), vsi: "v20")
        var refreshes = 0
        for second in 0..<18 {
            for number in 0..<(second < 14 ? 0 : 5000) { hold(bench, second % 9 * 5000 + number) }
            bench.advance(seconds: 1)
            for case .send in bench.agent.takeOrders() { refreshes += 1 }
        }
        #expect(refreshes > 0)
    }

    /// R27: the newest wait, and go on in their order.
    @Test(arguments: [1, 3, 16, 64])
    func theNewestOfANextHopWaitInOrder(limit: Int) {
        let bench = AgentBench(configuration.changed { $0.limits.unresolvedQueue = limit })
        for mark in 0..<100 { hold(bench, 1, mark: UInt8(mark)) }
        #expect(bench.agent.events.heldOverflow == UInt64(100 - limit))
        bench.see(address(1), AgentBench.mac(1), at: bench.port("a3"), vsi: "v20")
        #expect(orders(bench).resumed == Array(UInt8(100 - limit)..<100))
        #expect(bench.agent.heldBytes == 0)
    }

    /// AC-072: refused and counted.
    @Test func whoComesToAFullTableIsRefusedAndCounted() throws {
        let bench = AgentBench(configuration)
        #expect(bench.agent.maximumNeighbors == 131_072)
        let own = try bench.arp().count
        bench.agent.maximumNeighbors = own + 200
        for number in 0..<201 {
            bench.see(
                address(number), AgentBench.mac(number), at: bench.port("a3"), vsi: "v20")
        }
        #expect(try bench.arp().count { $0.kind == .dynamic } == 200)
        #expect(bench.agent.events.arpLimit == 1)
        // Those that are in it may still change, and an announcement never was a new entry.
        bench.see(address(7), AgentBench.mac(900), at: bench.port("a3"), vsi: "v20")
        #expect(
            try bench.arp { $0.address = address(7) }.map(\.mac) == [
                AgentBench.mac(900).description
            ])
        bench.see(
            address(500), AgentBench.mac(5), at: bench.port("a3"), vsi: "v20",
            isAnnouncement: true)
        #expect(bench.agent.events.arpLimit == 1)
    }

    @Test func theQueueKeepsTheOrderOfThoseThatStay() {
        var random = SeededRandom(seed: 5)
        var queue = UnresolvedQueue()
        var model: [UInt64] = []
        for _ in 0..<20_000 {
            let key = UInt64(random.int(in: 0...200))
            switch random.int(in: 0...2) {
            case 0 where !model.contains(key):
                queue.add(key)
                model.append(key)
            case 1:
                queue.remove(key)
                model.removeAll { $0 == key }
            default: #expect(queue.oldest() == model.first)
            }
            #expect(queue.count == model.count)
        }
    }
}
