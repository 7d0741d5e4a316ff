import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// Hosts are asked whether they are still there before their ARP entry ages (RFC 1122 section
/// 2.3.2.1, RFC 9161 section 3.5).
@Suite struct AgentRefreshTests {
    typealias Site = TestSite

    struct Timers: Sendable, CustomTestStringConvertible {
        let ageing: Double
        let retry: Double
        let attempts: Int

        var testDescription: String { "ageing \(ageing), retry \(retry), attempts \(attempts)" }
    }

    private static let timers = [
        Timers(ageing: 20, retry: 1, attempts: 3), Timers(ageing: 4, retry: 1, attempts: 1),
        Timers(ageing: 3, retry: 0.1, attempts: 2), Timers(ageing: 2, retry: 0.1, attempts: 1),
        Timers(ageing: 5, retry: 2, attempts: 3),
    ]

    private func bench(_ timers: Timers, milliseconds: Int) -> AgentBench {
        let configuration = Site.routed.changed {
            $0.timers.arpAgeingSeconds = timers.ageing
            $0.timers.arpRetrySeconds = timers.retry
            $0.timers.arpAttempts = timers.attempts
        }
        return AgentBench(
            configuration, now: TestGateway.start + UInt64(milliseconds) * 1_000_000)
    }

    /// The questions about h2 since the last call, all by unicast to where it is.
    private func questions(_ bench: AgentBench) -> Int {
        bench.agent.takeOrders().count { order in
            guard case .send(let bytes, _, let place) = order else { return false }
            return place == bench.port("a2") && Array(bytes[0..<6]) == [2, 0xAA, 0, 0, 0, 2]
        }
    }

    private func slot(_ bench: AgentBench) -> Int {
        bench.agent.writer.neighbors.find(
            bench.agent.neighborKey("g10", Site.h2.address) ?? 0)
    }

    /// However short the time for answers is, and in whatever part of a tick they come.
    @Test(arguments: timers, [0, 10, 120, 240])
    func oneAnswerKeepsAnEntryAndOneQuestionIsEnough(_ timers: Timers, phase: Int) {
        var bench = bench(timers, milliseconds: phase)
        bench.see(Site.h2.address, Site.h2.mac, at: bench.port("a2"))
        var asked: [UInt64] = []
        var answer: UInt64?
        for _ in 0..<6000 {
            bench.advance(milliseconds: 10)
            if let due = answer, due <= bench.now {
                // The worker finds the entry to say what the answer says.
                bench.agent.writer.neighbors.touch(slot(bench), time: Agent.ticks(bench.now))
                answer = nil
            }
            let count = questions(bench)
            #expect(count <= 1)
            if count > 0 {
                asked.append(bench.now)
                answer = bench.now + 10_000_000
            }
            guard slot(bench) >= 0 else { break }
        }
        #expect(slot(bench) >= 0, "the entry is still there after a minute")
        #expect(asked.count >= 3)
        // Each answer makes the entry young, so that the next question is half a lifetime away.
        let least = UInt64(timers.ageing / 2 * 1e9) - 250_000_000
        #expect(zip(asked, asked.dropFirst()).allSatisfy { $1 - $0 >= least })
    }

    @Test(arguments: timers)
    func aSilentHostIsAskedAsOftenAsConfiguredAndThenForgotten(_ timers: Timers) {
        var bench = bench(timers, milliseconds: 0)
        bench.see(Site.h2.address, Site.h2.mac, at: bench.port("a2"))
        var asked = 0
        for _ in 0..<3000 where slot(bench) >= 0 {
            bench.advance(milliseconds: 10)
            asked += questions(bench)
        }
        #expect(slot(bench) < 0)
        #expect(asked == timers.attempts)
    }
}
