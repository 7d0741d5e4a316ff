import Testing

@testable import Gateway

@Suite struct SpinWindowTests {
    @Test func shortGapsOpenItAndLongOnesCloseIt() {
        var window = SpinWindow(limit: 20_000)
        #expect(window.nanoseconds == 20_000)
        window.note(gap: 20_001)
        #expect(window.nanoseconds == 10_000)
        window.note(gap: 20_000)
        #expect(window.nanoseconds == 20_000)
        window.note(gap: 1)
        #expect(window.nanoseconds == 20_000)
        // 10,000, 5,000, 2,500, and what is left is not worth it.
        for _ in 0..<4 { window.note(gap: 1_000_000) }
        #expect(window.nanoseconds == 0)
        window.note(gap: 1_000_000)
        #expect(window.nanoseconds == 0)
        var steps = 0
        while window.nanoseconds < 20_000 {
            window.note(gap: 15_000)
            steps += 1
        }
        #expect(steps == 5 && window.nanoseconds == 20_000)
    }

    @Test func noLimitNeverOpens() {
        var window = SpinWindow(limit: 0)
        for gap in [0, 1, 1000, 1_000_000] as [UInt64] {
            window.note(gap: gap)
            #expect(window.nanoseconds == 0)
        }
    }

    @Test func aNewLimitBeginsAnew() {
        var window = SpinWindow(limit: 20_000)
        window.note(gap: 1_000_000)
        let before = window
        window.setLimit(20_000)
        #expect(window == before)
        window.setLimit(1_000_000)
        #expect(window == SpinWindow(limit: 1_000_000))
    }
}
