/// Finds the highest loads that meet some goals, in one search whose trials serve all goals.
///
/// The method is MLRsearch (RFC 9971) with trials of one length. What most trials at a load say so
/// far gives provisional bounds; while these are far apart, one trial between them; when they are
/// close, more trials at them until the goal's verdict is final. A bad moment of the machine moves
/// a bound for a while only. RFC 2544 throughput (section 26.1) is read from the same trials.
///
/// Trials that failed for the generator's own reasons decide nothing about the network. They bound
/// the loads that are tried: between the highest that the generator kept and the lowest that it
/// did not the search goes on, until these too are close, and the result says what limited it.
public struct RateSearch: Sendable {
    private let goals: [LossGoal]
    private let minimum: Double
    public private(set) var maximum: Double
    public private(set) var trials: [Trial] = []
    /// Why no higher load was tried.
    public private(set) var limit: Trial.Fault?
    private let maximumTrials: Int
    private let isOpenAbove: Bool
    private static let growth = 1.25
    /// The lowest load that the generator failed to offer, most times it tried.
    private var ceiling = Double.infinity
    /// Not even the lowest load can be offered.
    private var isHopeless = false

    /// - Parameters:
    ///   - minimum: frames a second below which nothing is tried.
    ///   - maximum: the highest load to try.
    ///   - isOpenAbove: `maximum` is a guess: where it meets a goal, more is tried, up to the
    ///     limit of the generator.
    ///   - maximumTrials: after so many the search ends with what it knows.
    public init(
        goals: [LossGoal], minimum: Double, maximum: Double, isOpenAbove: Bool = false,
        maximumTrials: Int = 400
    ) {
        precondition(!goals.isEmpty && minimum > 0 && maximum >= minimum)
        // The least strict first: its bounds are a start for the others.
        self.goals = goals.sorted { $0.lossRatio > $1.lossRatio }
        self.minimum = minimum
        self.maximum = maximum
        self.isOpenAbove = isOpenAbove
        self.maximumTrials = maximumTrials
    }

    /// Runs trials until every goal is decided.
    /// - Parameters:
    ///   - measure: one trial at a load in frames a second; nil ends the search at once.
    /// - Returns: the results in the order in which the goals were given, strictest last.
    public mutating func run(
        measure: (Double) throws(GeneratorError) -> Trial?
    ) throws(GeneratorError) -> [SearchResult] {
        for goal in goals {
            while !isHopeless, trials.count < maximumTrials, let load = nextOrMore(goal) {
                guard let trial = try measure(load) else { return results() }
                note(trial)
            }
        }
        return results()
    }

    private mutating func note(_ trial: Trial) {
        trials.append(trial)
        guard let fault = trial.fault else { return }
        // Once or twice may be a bad moment; three times, and most times, is the generator's limit.
        let same = trials.filter { $0.load == trial.load }
        let failed = same.filter { $0.fault != nil }
        guard failed.count >= 3, failed.count * 2 > same.count else { return }
        limit = fault
        ceiling = min(ceiling, trial.load)
        isHopeless = trial.load <= minimum
        let reached =
            failed.map { $0.fault == .generator ? $0.achieved : $0.load * 0.9 }.max() ?? 0
        maximum = max(minimum, min(reached, ceiling) * 0.98, highestKept)
    }

    /// The highest load below the ceiling that the generator kept most times; 0 when there is none.
    private var highestKept: Double {
        let below = Dictionary(grouping: trials.filter { $0.load < ceiling }) { $0.load }
        return below.filter { _, same in
            same.count { $0.fault == nil } * 2 > same.count
        }.keys.max() ?? 0
    }

    // MARK: What is known

    /// The trials of one load that say something about the network.
    struct Point {
        let load: Double
        var good = 0
        var bad = 0
        var forwarded = 0.0
    }

    /// For a goal, what is known about each load, lowest first.
    private func points(_ goal: LossGoal) -> [Point] {
        var points: [Double: Point] = [:]
        for trial in trials where trial.fault == nil && trial.load <= maximum {
            var point = points[trial.load] ?? Point(load: trial.load)
            if trial.lossRatio <= goal.lossRatio { point.good += 1 } else { point.bad += 1 }
            point.forwarded = max(point.forwarded, trial.load * (1 - trial.lossRatio))
            points[trial.load] = point
        }
        return points.values.sorted { $0.load < $1.load }
    }

    /// The lowest load that looks bad so far, and the highest below it that looks good.
    private func bounds(_ points: [Point]) -> (lower: Point?, upper: Point?) {
        let upper = points.first { $0.bad >= $0.good }
        let lower = points.last { point in
            point.good > point.bad && upper.map { point.load < $0.load } ?? true
        }
        return (lower, upper)
    }

    /// As `next`; when the highest load meets the goal, one above it.
    private mutating func nextOrMore(_ goal: LossGoal) -> Double? {
        if let load = next(goal) { return load }
        guard bounds(points(goal)).upper == nil else { return nil }
        guard limit == nil else {
            guard (ceiling - maximum) / ceiling > goal.width else { return nil }
            maximum = (ceiling * maximum).squareRoot()
            return maximum
        }
        guard isOpenAbove, maximum * Self.growth <= Rate.maximumPacketsPerSecond else {
            return nil
        }
        maximum *= Self.growth
        return maximum
    }

    /// The load of the next trial; nil when the goal is decided.
    private func next(_ goal: LossGoal) -> Double? {
        let points = points(goal)
        let (lower, upper) = bounds(points)
        guard let upper else {
            guard let top = points.last, top.load == maximum else { return maximum }
            return isOpen(top, goal) ? top.load : nil
        }
        guard let lower else {
            guard upper.load > minimum else { return isOpen(upper, goal) ? upper.load : nil }
            return max(minimum, min(upper.load / 2, upper.forwarded))
        }
        if (upper.load - lower.load) / upper.load > goal.width {
            let middle = (upper.load * lower.load).squareRoot()
            // What came through at the upper bound is a good guess, where it lies between.
            let guess = upper.forwarded
            let isInside = guess > lower.load * (1 + goal.width / 2) && guess < middle
            return isInside && upper.bad == 1 ? guess : middle
        }
        if isOpen(upper, goal) { return upper.load }
        return isOpen(lower, goal) ? lower.load : nil
    }

    private func isOpen(_ point: Point, _ goal: LossGoal) -> Bool {
        goal.verdict(good: point.good, bad: point.bad) == .undecided
    }

    // MARK: Results

    private func results() -> [SearchResult] {
        goals.map { goal in
            let points = points(goal)
            let (lower, upper) = bounds(points)
            return SearchResult(
                goal: goal, lower: lower.map { bound($0, goal, isLower: true) },
                upper: upper.map { bound($0, goal, isLower: false) },
                isConverged: next(goal) == nil, latency: lower.flatMap { latency(at: $0.load) },
                limit: upper == nil ? limit : nil)
        }
    }

    private func latency(at load: Double) -> LatencyHistogram.Percentiles? {
        let latencies = trials.filter { $0.load == load && $0.fault == nil }.compactMap(\.latency)
        let sorted = latencies.sorted { $0.p50 < $1.p50 }
        return sorted.isEmpty ? nil : sorted[(sorted.count - 1) / 2]
    }

    private func bound(_ point: Point, _ goal: LossGoal, isLower: Bool) -> SearchResult.Bound {
        SearchResult.Bound(
            load: point.load, good: point.good, bad: point.bad,
            confidence: goal.confidence(good: point.good, bad: point.bad, isLower: isLower))
    }

    /// The highest load at which no trial lost a frame, below all at which one did (RFC 2544
    /// section 26.1), and that the generator can reach at most times; nil when there is none.
    public var throughput: Double? {
        let sound = trials.filter { $0.fault == nil && $0.load <= maximum }
        let lossy = sound.filter { $0.lossRatio > 0 }.map(\.load).min() ?? .infinity
        return sound.filter { $0.lossRatio == 0 && $0.load < lossy }.map(\.load).max()
    }
}
