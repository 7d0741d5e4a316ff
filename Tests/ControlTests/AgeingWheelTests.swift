import Tables
import TestKit
import Testing
import Wire

@testable import Control

@Suite struct AgeingWheelTests {
    /// Slots filed, filed anew and removed at random, against a dictionary of the ticks at which
    /// they are due. What is due after the end of the round comes earlier, and once.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithADictionary(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        // The clock of ticks wraps on the way.
        var time = UInt32.max &- 3000
        var wheel = AgeingWheel(slots: 64, time: time)
        var model: [Int: UInt32] = [:]
        for _ in 0..<5000 {
            let slot = random.int(in: 0...63)
            switch random.int(in: 0...3) {
            case 0:
                wheel.remove(slot)
                model[slot] = nil
            case 1:
                wheel.fileIfNew(slot)
                if model[slot] == nil { model[slot] = time &+ 1 }
            default:
                let ahead = random.int(in: -5...(random.bool() ? 20 : 3000))
                wheel.file(slot, due: time &+ UInt32(truncatingIfNeeded: ahead))
                model[slot] = time &+ UInt32(min(max(ahead, 1), AgeingWheel.round - 1))
            }
            guard random.int(in: 0...9) == 0 else { continue }
            time &+= UInt32(random.int(in: 0...(random.int(in: 0...20) == 0 ? 5000 : 8)))
            var taken: [Int] = []
            while let slot = wheel.take(time) { taken.append(slot) }
            let due = model.filter { Int32(bitPattern: $0.value &- time) <= 0 }.keys
            #expect(taken.sorted() == due.sorted())
            for slot in taken { model[slot] = nil }
        }
    }

    @Test func theClockMayStandStillOrGoBack() {
        var wheel = AgeingWheel(slots: 4, time: 100)
        wheel.file(1)
        let taken = [100, 99, 101, 101].map { wheel.take($0) }
        #expect(taken == [nil, nil, 1, nil])
    }

    /// Addresses that are learnt, seen, moved and cleared at random, with lifetimes that change,
    /// against a dictionary in which every entry is looked at in every tick.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func theTablesAgreeWithAModelThatLooksAtEverything(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var bench = AgentBench(Self.configuration(5, 7))
        bench.advance(milliseconds: 250)
        var limits = (fdb: 5, arp: 7)
        var seen: [Int: UInt32] = [:]
        var heard: [Int: UInt32] = [:]
        for _ in 0..<400 {
            let time = Agent.ticks(bench.now)
            for _ in 0..<random.int(in: 0...6) {
                let number = random.int(in: 1...60)
                let place = bench.port(random.bool() ? "a1" : "a2")
                switch random.int(in: 0...9) {
                case 0...3:
                    // An entry that is seen where it is tells the agent nothing: the worker does.
                    let isKnown = try bench.fdb { $0.mac = AgentBench.mac(number) }.first
                    bench.see(AgentBench.mac(number), at: place)
                    let port = place == bench.port("a1") ? "a1" : "a2"
                    if isKnown == nil || isKnown?.port != port { seen[number] = time }
                case 4...5: if touchForwarding(bench, number, time) { seen[number] = time }
                case 6...8:
                    bench.see(Self.address(number), AgentBench.mac(100 + number), at: place)
                    heard[number] = time
                default:
                    var selection = Selection()
                    selection.mac = AgentBench.mac(number)
                    _ = try bench.agent.clearFDB(selection, includingStatic: false)
                    seen[number] = nil
                }
            }
            if random.int(in: 0...30) == 0 {
                limits = (random.int(in: 1...9), random.int(in: 1...9))
                bench.apply(Self.configuration(limits.fdb, limits.arp))
            }
            bench.advance(milliseconds: 250 * random.int(in: 1...3))
            let now = Agent.ticks(bench.now)
            seen = seen.filter { Int(now - $0.value) <= limits.fdb * 4 }
            heard = heard.filter { Int(now - $0.value) <= limits.arp * 4 }
            try #expect(
                bench.fdb().map(\.mac) == seen.keys.sorted().map { AgentBench.mac($0).description })
            try #expect(
                bench.arp().map(\.address)
                    == heard.keys.sorted().map { Self.address($0).description })
        }
    }

    @Test func agesWhatATableHadWhenItGrew() throws {
        var bench = AgentBench(Self.configuration(5, 7))
        for number in 0..<100_000 { bench.see(AgentBench.mac(number), at: bench.port("a1")) }
        bench.advance(seconds: 4)
        for number in 0..<100 { #expect(touchForwarding(bench, number, Agent.ticks(bench.now))) }
        bench.advance(seconds: 3)
        #expect(bench.agent.writer.forwarding.count == 100)
        bench.advance(seconds: 4)
        #expect(bench.agent.writer.forwarding.count == 0)
    }

    private func touchForwarding(_ bench: AgentBench, _ number: Int, _ time: UInt32) -> Bool {
        let table = bench.agent.writer.forwarding
        let key = ForwardingTable.key(mac: AgentBench.mac(number), vsi: bench.vsi("v10"))
        let slot = table.find(key)
        table.touch(slot, time: time)
        return slot >= 0
    }

    private static func address(_ number: Int) -> IPv4Address {
        IPv4Address(bits: 0x0A00_0A00 + UInt32(number))
    }

    private static func configuration(_ fdb: Int, _ arp: Int) -> Configuration {
        TestSite.bridged.changed { configuration in
            for index in configuration.vsis.indices {
                configuration.vsis[index].ageingSeconds = fdb
            }
            configuration.timers.arpAgeingSeconds = Double(arp)
            configuration.limits.macMoves = 0
        }
    }
}
