import Generator
import Testing

/// Schedules under a clock of the test's own.
@Suite struct PacerTests {
    private static let start: UInt64 = 1_000_000_000

    private func pacer(
        _ rate: Double?, duration: UInt64? = nil, limit: UInt64? = nil, burst: Int = 1
    ) -> Pacer {
        Pacer(
            start: Self.start, packetsPerSecond: rate, duration: duration, limit: limit,
            burst: burst)
    }

    /// Runs a sender that is never held up: the moments at which frames leave.
    private func departures(_ pacer: inout Pacer, most: Int = 64) -> [UInt64] {
        var now = Self.start
        var moments: [UInt64] = []
        while !pacer.isOver(at: now) {
            let due = pacer.due(at: now, most: most)
            if due == 0 {
                let wait = pacer.wait(at: now)
                #expect(wait > 0 && wait < 1_000_000_000)
                now += max(1, wait)
                continue
            }
            pacer.take(due)
            moments += Array(repeating: now, count: due)
        }
        return moments
    }

    @Test(arguments: [3, 1000, 12_345, 1_000_000] as [Double])
    func framesLeaveAtTheirTimes(rate: Double) {
        var pacer = pacer(rate, duration: 2_000_000_000)
        let moments = departures(&pacer)
        #expect(moments.count == Int(rate * 2))
        for (number, moment) in moments.enumerated() {
            let due = Double(Self.start) + Double(number) * 1e9 / rate
            #expect(abs(Double(moment) - due) <= 2, "frame \(number)")
        }
        #expect(abs(Int(pacer.scheduledEnd) - Int(Self.start) - 2_000_000_000) <= 1)
    }

    @Test func aCountIsReachedExactly() {
        var pacer = pacer(7000, limit: 12_345)
        #expect(departures(&pacer).count == 12_345)
        var fast = self.pacer(nil, limit: 12_345)
        #expect(departures(&fast).count == 12_345)
    }

    @Test func framesOfABurstLeaveTogether() {
        var pacer = pacer(10_000, limit: 100, burst: 32)
        let moments = departures(&pacer)
        #expect(moments.count == 100)
        #expect(Set(moments).count == 4, "three bursts and the rest")
        #expect(moments[0] == moments[31] && moments[31] < moments[32])
    }

    @Test func whoWasHeldUpCatchesUpWithoutARush() {
        var pacer = pacer(100_000, duration: 2_000_000_000)
        var now = Self.start + 100_000_000
        var sent = 0
        var most = 0
        // One millisecond at a time: 100 frames by the schedule.
        while now < Self.start + 1_900_000_000 {
            var turn = 0
            while true {
                let due = pacer.due(at: now, most: 64)
                guard due > 0 else { break }
                pacer.take(due)
                turn += due
            }
            sent += turn
            most = max(most, turn)
            now += 1_000_000
        }
        #expect(most <= 400, "at most four times the rate")
        #expect(abs(sent - 190_000) <= 100, "and on schedule again at the end")
    }

    @Test func whatWasNotTakenIsDueAgain() {
        var pacer = pacer(nil, limit: 10)
        #expect(pacer.due(at: Self.start, most: 64) == 10)
        pacer.take(10)
        #expect(pacer.isOver(at: Self.start))
        pacer.giveBack(4)
        #expect(!pacer.isOver(at: Self.start))
        #expect(pacer.due(at: Self.start, most: 64) == 4)
    }

    @Test func nothingLeavesBeforeTheStartOrAfterTheEnd() {
        var pacer = pacer(1000, duration: 1_000_000_000)
        #expect(pacer.due(at: Self.start - 1, most: 64) == 0)
        #expect(pacer.wait(at: Self.start - 500) == 500)
        #expect(pacer.due(at: Self.start + 1_000_000_000 + Pacer.grace, most: 64) == 0)
        var unlimited = self.pacer(nil, duration: 1_000_000_000)
        #expect(unlimited.due(at: Self.start + 999_999_999, most: 64) == 64)
        #expect(unlimited.due(at: Self.start + 1_000_000_000, most: 64) == 0)
    }
}
