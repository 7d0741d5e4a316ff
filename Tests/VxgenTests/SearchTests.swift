import Foundation
import Generator
import Testing

/// The search over networks whose limit the test knows.
@Suite struct SearchTests {
    private static let goals = [
        LossGoal(name: "pdr", lossRatio: 0.005), LossGoal(name: "ndr", lossRatio: 0),
    ]

    /// A network that carries so much and loses the rest.
    private func trial(_ load: Double, capacity: Double) -> Trial {
        let loss = max(0, 1 - capacity / load)
        return Trial(
            load: load, achieved: load, sent: UInt64(load),
            received: UInt64(load * (1 - loss)), lossRatio: loss)
    }

    private func search(
        maximum: Double = 10e6, minimum: Double = 1000, _ measure: (Double) -> Trial
    ) throws -> (results: [SearchResult], search: RateSearch) {
        var search = RateSearch(goals: Self.goals, minimum: minimum, maximum: maximum)
        let results = try search.run { load throws(GeneratorError) in measure(load) }
        return (results, search)
    }

    @Test(arguments: [1500, 47_000, 612_345, 9_999_000] as [Double])
    func bothGoalsAreFoundInOneSearch(capacity: Double) throws {
        let (results, search) = try search { trial($0, capacity: capacity) }
        #expect(results.map(\.goal.name) == ["pdr", "ndr"])
        let limits = [min(10e6, capacity / 0.995), capacity]
        for (result, limit) in zip(results, limits) {
            let lower = try #require(result.lower)
            #expect(lower.load <= limit && lower.load >= limit * 0.98)
            #expect(result.isConverged && result.limit == nil && lower.bad == 0)
            #expect(result.upper.map { $0.load > limit && $0.good == 0 } ?? (limit == 10e6))
        }
        #expect(search.trials.count < 60)
        #expect(search.throughput == results[1].lower?.load)
    }

    /// One trial of seven loses something at any load: what the network can do is still found, and
    /// three searches agree. Without the tolerance for bad trials it would not be.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func badMomentsDecideNothing(seed: UInt64) throws
    {
        var chance = Chance(seed: seed)
        let (results, search) = try search { load in
            var trial = trial(load, capacity: 500_000)
            if chance.next() % 7 == 0 { trial.lossRatio = max(trial.lossRatio, 0.03) }
            return trial
        }
        for result in results {
            let load = try #require(result.lower?.load)
            #expect(abs(load / 500_000 - 1) < 0.1, "seed \(seed): \(load)")
            #expect(result.confidence > 0.4 && result.confidence <= 1)
        }
        #expect(search.throughput ?? 0 <= 500_000)
    }

    /// A generator that can send no more than 80,000 frames a second blames nobody else.
    @Test func theLimitOfTheGeneratorIsSaid() throws {
        let (results, search) = try search { load in
            var trial = trial(load, capacity: 1e6)
            trial.achieved = min(load, 80_000)
            if trial.achieved < load * 0.99 { trial.fault = .generator }
            return trial
        }
        for result in results {
            let lower = try #require(result.lower)
            #expect(lower.load <= 80_000 * 1.01 && lower.load > 80_000 * 0.97)
            #expect(result.upper == nil && result.limit == .generator)
            #expect(search.throughput ?? 0 <= search.maximum)
        }
    }

    /// What the generator can send is found as closely as what the network can carry, though one
    /// trial of seven falls short of it.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func theLimitIsFoundClosely(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        var search = RateSearch(
            goals: Self.goals, minimum: 1000, maximum: 200_000, isOpenAbove: true)
        let results = try search.run { load throws(GeneratorError) in
            var trial = trial(load, capacity: 1e6)
            trial.achieved = min(load, chance.next() % 7 == 0 ? 200_000 : 280_000)
            if trial.achieved < load * 0.99 { trial.fault = .generator }
            return trial
        }
        for result in results {
            let load = try #require(result.lower?.load)
            #expect(load <= 280_000 * 1.01 && load >= 280_000 * 0.95, "seed \(seed): \(load)")
            #expect(result.limit == .generator && result.isConverged)
        }
        #expect(search.trials.count < 60)
    }

    /// A first guess that was far too low, as on a machine that was busy for a moment, decides
    /// nothing: neither about the network nor about the generator.
    @Test(arguments: [500_000, 1_000_000] as [Double])
    func aLowGuessIsOutgrown(capacity: Double) throws {
        var search = RateSearch(
            goals: Self.goals, minimum: 1000, maximum: 100_000, isOpenAbove: true)
        let results = try search.run { load throws(GeneratorError) in
            var trial = trial(load, capacity: capacity)
            trial.achieved = min(load, 800_000)
            if trial.achieved < load * 0.99 { trial.fault = .generator }
            return trial
        }
        let load = try #require(results[1].lower?.load)
        let truth = min(capacity, 800_000)
        #expect(load <= truth * 1.01 && load >= truth * 0.97)
        #expect(results[1].limit == (capacity > 800_000 ? .generator : nil))
        #expect(results.allSatisfy { $0.isConverged })
    }

    @Test func aDeadNetworkMeetsNoGoal() throws {
        let (results, search) = try search { load in trial(load, capacity: 0) }
        #expect(results.allSatisfy { $0.lower == nil && $0.isConverged })
        #expect(results.allSatisfy { $0.upper?.load == 1000 })
        #expect(search.trials.count < 10 && search.throughput == nil)
    }

    @Test func aGeneratorThatCannotSendAtAllEnds() throws {
        let (results, search) = try search { load in
            var trial = trial(load, capacity: 1e6)
            trial.achieved = 1
            trial.fault = .generator
            return trial
        }
        #expect(results.allSatisfy { $0.lower == nil && !$0.isConverged })
        #expect(search.trials.count <= 6)
    }

    @Test func anEndedSearchSaysSo() throws {
        var search = RateSearch(goals: Self.goals, minimum: 1, maximum: 1e6)
        var left = 5
        let results = try search.run { load throws(GeneratorError) -> Trial? in
            left -= 1
            return left < 0 ? nil : trial(load, capacity: 3e5)
        }
        #expect(search.trials.count == 5 && results.contains { !$0.isConverged })
    }

    /// Against the integral itself, summed in small steps.
    @Test(arguments: [(3, 0), (3, 2), (0, 3), (5, 1), (50, 49)])
    func confidenceIsTheShareOfThePosterior(good: Int, bad: Int) {
        let goal = LossGoal(name: "ndr", lossRatio: 0)
        var below = 0.0
        var all = 0.0
        for step in 0..<100_000 {
            let share = (Double(step) + 0.5) / 100_000
            let weight = pow(share, Double(bad)) * pow(1 - share, Double(good))
            all += weight
            if share < goal.exceedRatio { below += weight }
        }
        let confidence = goal.confidence(good: good, bad: bad, isLower: true)
        #expect(abs(confidence - below / all) < 1e-6)
        #expect(
            abs(goal.confidence(good: good, bad: bad, isLower: false) - (1 - confidence)) < 1e-12)
    }

    @Test func verdictsWaitForEnoughTrials() {
        let goal = LossGoal(name: "ndr", lossRatio: 0)
        #expect(goal.verdict(good: 3, bad: 0) == .lower)
        #expect(goal.verdict(good: 2, bad: 0) == .undecided)
        #expect(goal.verdict(good: 2, bad: 2) == .undecided)
        #expect(goal.verdict(good: 2, bad: 3) == .upper)
        #expect(goal.verdict(good: 0, bad: 3) == .upper)
    }

    private func record() throws -> SearchRecord {
        let (results, search) = try search { load in
            var trial = trial(load, capacity: 250_000)
            let latency = UInt64(5000 + load / 100)
            trial.latency = LatencyHistogram.Percentiles(
                p50: latency, p90: latency, p99: 2 * latency, p999: 3 * latency,
                p9999: 4 * latency, max: 5 * latency)
            return trial
        }
        return SearchRecord(
            size: "64,128", meanByteCount: 96, trials: search.trials, results: results,
            throughput: search.throughput)
    }

    @Test func reportsSayTheSame() throws {
        let record = try record()
        let report = SearchReport([record])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        let sizes = try #require(object["search"] as? [[String: Any]])
        let goals = try #require(sizes.first?["goals"] as? [[String: Any]])
        #expect(goals.map { $0["goal"] as? String } == ["pdr", "ndr"])
        let ndr = try #require(goals.last?["pps"] as? Double)
        #expect(abs(ndr - (record.results[1].lower?.load ?? 0)) < 0.1)
        #expect((sizes.first?["trials"] as? [Any])?.count == record.trials.count)
        let latency = try #require(goals.last?["latency_us"] as? [String: Double])
        #expect(abs((latency["p50"] ?? 0) - (5000 + (ndr / 100).rounded(.down)) / 1000) < 0.002)
        let lines = report.csv.split(separator: "\r\n")
        #expect(lines.count == record.trials.count + 1)
        #expect(
            lines.allSatisfy {
                $0.replacing("64,128", with: "").split(
                    separator: ",", omittingEmptySubsequences: false
                ).count == 13
            })
        #expect(report.text.contains("64,128 bytes  ndr (loss <= 0.0000 %): 24"))
    }

    /// Well formed, self-contained, and with a mark for every trial.
    @Test func theChartIsAPictureOfItsOwn() throws {
        let record = try record()
        let svg = SearchChart([record, record]).svg
        #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\""))
        #expect(svg.components(separatedBy: "<circle").count - 1 == 2 * record.trials.count)
        // Marks are round numbers, up to beyond the highest trial.
        #expect([">2M<", ">4M<", ">10M<"].allSatisfy(svg.contains) && !svg.contains(">12M<"))
        #expect(!svg.contains("href") && !svg.contains("script") && !svg.contains("\"nan"))
        var open: [Substring] = []
        for part in svg.split(separator: "<") {
            if part.hasPrefix("/") {
                #expect(open.popLast() == part.dropFirst().prefix { $0.isLetter })
            } else if !(part.split(separator: ">").first ?? "").hasSuffix("/") {
                open.append(part.prefix { $0.isLetter })
            }
        }
        #expect(open.isEmpty)
    }
}
