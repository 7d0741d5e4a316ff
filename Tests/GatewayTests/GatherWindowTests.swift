import Testing

@testable import Gateway

@Suite struct GatherWindowTests {
    private static let limit: UInt64 = 50_000

    /// A window and the clock that it is shown: a period after the other, with packets at a gap.
    private struct Traffic {
        var window = GatherWindow(limit: GatherWindowTests.limit, now: 0)
        var now: UInt64 = 0

        /// - Parameter together: packets for which the worker does not wait in between.
        mutating func period(gap: UInt64, together: UInt64 = 2) {
            let packets = GatherWindow.period / gap
            for wait in 1..<max(packets / together, 1) {
                let isOver = window.note(packets: wait * together, now: now + wait)
                #expect(!isOver)
            }
            now += GatherWindow.period
            let isOver = window.note(packets: packets, now: now)
            #expect(isOver)
        }

        mutating func rest(_ nanoseconds: UInt64) { now += nanoseconds }
    }

    @Test func quickPacketsGatherAndSlowOnesDoNot() {
        var traffic = Traffic()
        traffic.period(gap: 12_600)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 12_500)
        #expect(traffic.window.nanoseconds == Self.limit)
        // So long as sixteen take, and never longer than the limit.
        traffic.period(gap: 1000)
        #expect(traffic.window.nanoseconds == 16_000)
    }

    @Test func burstsDoNotGather() {
        var traffic = Traffic()
        traffic.period(gap: 1000, together: 8)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 1000, together: 7)
        #expect(traffic.window.nanoseconds == 16_000)
    }

    @Test func whatComesOneByOneDoesNotGather() {
        var traffic = Traffic()
        traffic.period(gap: 1000, together: 1)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 1000)
        #expect(traffic.window.nanoseconds == 16_000)
        // Once they gather they are many at a time, or nobody sends.
        traffic.period(gap: 1000, together: 1)
        #expect(traffic.window.nanoseconds == 16_000)
    }

    @Test func itLooksAgainHowPacketsCome() {
        var traffic = Traffic()
        traffic.period(gap: 1000)
        for _ in 1..<GatherWindow.periodsOfGathering {
            traffic.period(gap: 1000, together: 16)
            #expect(traffic.window.nanoseconds == 16_000)
        }
        traffic.period(gap: 1000, together: 16)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 1000, together: 16)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 1000)
        #expect(traffic.window.nanoseconds == 16_000)
    }

    @Test func nothingIsDecidedWithinAPeriod() {
        var window = GatherWindow(limit: Self.limit, now: 0)
        let isOver = window.note(packets: 1000, now: GatherWindow.period - 1)
        #expect(!isOver && window.nanoseconds == 0)
    }

    @Test func hostsThatWaitForAnswersAreLeftAloneForAWhile() {
        var traffic = Traffic()
        traffic.period(gap: 10_000)
        #expect(traffic.window.nanoseconds == Self.limit)
        traffic.period(gap: 50_000)
        #expect(traffic.window.nanoseconds == 0)
        let end = traffic.now + GatherWindow.pause
        while traffic.now + GatherWindow.period < end {
            traffic.period(gap: 10_000)
            #expect(traffic.window.nanoseconds == 0)
        }
        traffic.period(gap: 10_000)
        #expect(traffic.window.nanoseconds == Self.limit)
    }

    @Test func trafficThatEndsMayGatherAgainAtOnce() {
        var traffic = Traffic()
        traffic.period(gap: 2000)
        #expect(traffic.window.nanoseconds == 32_000)
        traffic.rest(1_000_000_000)
        traffic.period(gap: GatherWindow.period)
        #expect(traffic.window.nanoseconds == 0)
        traffic.period(gap: 2000)
        #expect(traffic.window.nanoseconds == 32_000)
    }

    @Test func slightlySlowerPacketsGoOnGathering() {
        var traffic = Traffic()
        for gap in [4000, 5000, 6250, 8000, 10_000, 12_500] as [UInt64] {
            traffic.period(gap: gap)
            #expect(traffic.window.nanoseconds == Self.limit)
        }
    }

    @Test func noLimitNeverGathersAndANewOneBeginsAnew() {
        var traffic = Traffic()
        traffic.period(gap: 1000)
        traffic.now += GatherWindow.period
        traffic.window.setLimit(0, now: traffic.now)
        let isOver = traffic.window.note(packets: 1000, now: traffic.now)
        #expect(!isOver && traffic.window.nanoseconds == 0 && traffic.window.limit == 0)
        for _ in 0..<3 {
            traffic.period(gap: 100)
            #expect(traffic.window.nanoseconds == 0)
        }
    }
}
