import Generator
import Testing

/// Does the generator tell the truth? Whole runs over wires inside this process that know what they
/// did to every frame.
@Suite(.serialized) struct HonestyTests {
    private func run(
        _ wire: MemoryWire, rate: Rate, count: UInt64? = nil, time: String = "1s",
        change: (inout RunPlan) -> Void = { _ in }
    ) throws -> RunTotals {
        var plan = RunPlan(
            output: .wire(wire.input), streams: [.standard()], rate: rate,
            limit: count.map { .count($0) } ?? .duration(RunDuration(time)!))
        plan.input = .wire(wire.output)
        change(&plan)
        let totals = try GeneratorRun(plan).execute(isInterrupted: { false }, live: { _ in })
        print(RunReport(totals).json)
        return totals
    }

    @Test func aPerfectWireHasNoFaults() throws {
        let wire = try MemoryWire(.perfect)
        let totals = try run(wire, rate: .packetsPerSecond(10_000), count: 10_000)
        let done = wire.stop()
        #expect(done.arrived == 10_000)
        #expect(totals.sent.packets == 10_000 && totals.received.packets == 10_000)
        #expect(totals.asked == 10_000 && totals.offered >= 10_000)
        #expect(totals.lost == 0 && totals.reordered == 0 && totals.duplicated == 0)
        #expect(totals.corrupted == 0 && totals.overruns == 0)
    }

    @Test func lossIsExact() throws {
        let wire = try MemoryWire(.drop)
        let totals = try run(wire, rate: .packetsPerSecond(20_000), count: 40_000)
        let done = wire.stop()
        #expect(done.dropped > 200, "one of a hundred by chance")
        #expect(totals.lost == done.dropped && totals.received.packets == 40_000 - done.dropped)
        #expect(totals.reordered == 0 && totals.duplicated == 0 && totals.corrupted == 0)
    }

    @Test func duplicationIsExact() throws {
        let wire = try MemoryWire(.duplicate)
        let totals = try run(wire, rate: .packetsPerSecond(20_000), count: 40_000)
        let done = wire.stop()
        #expect(done.duplicated > 200)
        #expect(totals.duplicated == done.duplicated)
        #expect(totals.received.packets == 40_000 + done.duplicated)
        #expect(totals.lost == 0 && totals.reordered == 0 && totals.corrupted == 0)
    }

    @Test func reorderingIsExact() throws {
        let wire = try MemoryWire(.reorder)
        let totals = try run(wire, rate: .packetsPerSecond(20_000), count: 40_000)
        let done = wire.stop()
        #expect(done.overtaken > 200)
        #expect(totals.reordered == done.overtaken && totals.lost == done.held)
        #expect(totals.duplicated == 0 && totals.corrupted == 0)
    }

    /// Only one of three streams loses frames, and only its account says so.
    @Test func lossIsThatOfItsStream() throws {
        let wire = try MemoryWire(.dropTenth(ofPort: 5002))
        let totals = try run(wire, rate: .packetsPerSecond(20_000), count: 18_000) { plan in
            plan.streams = [5001, 5002, 5003].map { (port: UInt16) in
                var stream = StreamPlan.standard(size: "64,100", flows: 7)
                stream.name = "to \(port)"
                stream.weight = port == 5003 ? 4 : 1
                stream.space.destinationPorts = port...port
                return stream
            }
            plan.workers = 2
        }
        let done = wire.stop()
        #expect(done.dropped == 300 && totals.lost == 300)
        #expect(totals.streams.map(\.name) == ["to 5001", "to 5002", "to 5003"])
        #expect(totals.streams.map(\.sent) == [3000, 3000, 12_000])
        #expect(totals.streams.map(\.lost) == [0, 300, 0])
        #expect(totals.streams.map(\.received) == [3000, 2700, 12_000])
    }

    /// A sink that takes half of what is asked for: the run says so, and by how much.
    @Test func aSlowSinkIsSaid() throws {
        let wire = try MemoryWire(.slow(2000), bufferBytes: 1)
        let totals = try run(wire, rate: .packetsPerSecond(4000), time: "3s")
        let done = wire.stop()
        #expect(totals.sent.packets == done.arrived && totals.lost == 0)
        #expect(totals.asked ?? 0 >= 11_999)
        // Three seconds and the grace of the last frames; what the buffers hold comes on top.
        #expect(totals.sent.packets >= 5600 && totals.sent.packets <= 6400)
        let missed = 100 * (1 - Double(totals.sent.packets) / 3 / 4000)
        #expect(abs((totals.shortfallPercent ?? 0) - missed) < 1)
        #expect(totals.offered > totals.sent.packets, "refused frames were offered again")
        #expect(totals.stalledSeconds > 1)
        #expect(RunReport(totals).warnings.contains { $0.hasPrefix("rate: achieved ") })
    }

    @Test(arguments: [2_000_000, 20_000_000] as [UInt64]) func aDelayIsMeasured(delay: UInt64)
        throws
    {
        var latency: LatencyHistogram.Percentiles?
        // A machine that is busy with something else gets a second and a third chance.
        for _ in 0..<3 where latency.map({ $0.p50 > delay + 500_000 }) ?? true {
            let wire = try MemoryWire(.delay(delay))
            latency = try run(wire, rate: .packetsPerSecond(2000), count: 2000).latency
            _ = wire.stop()
        }
        let found = try #require(latency)
        #expect(found.p50 >= delay, "nothing is faster than the wire")
        #expect(found.p50 <= delay + 500_000)
        #expect(found.p50 <= found.p90 && found.p9999 <= found.max)
    }

    /// Within one percent over ten seconds.
    @Test(arguments: [(20_000.0, 1, "10s"), (3000.0, 16, "2s")])
    func aPacedRateIsKept(rate: Double, burst: Int, time: String) throws {
        var best = RunTotals()
        for _ in 0..<3 where abs(best.achievedPacketsPerSecond / rate - 1) > 0.01 {
            let wire = try MemoryWire(.perfect)
            best = try run(wire, rate: .packetsPerSecond(rate), time: time) { $0.burst = burst }
            _ = wire.stop()
        }
        #expect(abs(best.achievedPacketsPerSecond / rate - 1) <= 0.01)
        #expect(best.lost == 0 && best.shortfallPercent == nil)
    }

    /// The wire sees the frames of the warm-up, the account does not.
    @Test func theWarmUpDoesNotCount() throws {
        let wire = try MemoryWire(.perfect)
        let totals = try run(wire, rate: .packetsPerSecond(2000), count: 1000) {
            $0.warmUp = 500_000_000
        }
        let done = wire.stop()
        #expect(totals.sent.packets == 1000 && totals.received.packets == 1000)
        #expect(totals.lost == 0 && totals.duplicated == 0 && totals.reordered == 0)
        #expect(done.arrived >= 1900 && done.arrived <= 2001)
    }
}
