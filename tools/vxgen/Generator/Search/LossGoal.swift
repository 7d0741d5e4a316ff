/// What a search looks for: the highest load at which no more than a share of the frames is lost,
/// in most trials (RFC 9971, MLRsearch).
public struct LossGoal: Sendable, Equatable {
    public var name: String
    /// Of the frames sent; 0 is NDR, the non-drop rate.
    public var lossRatio: Double
    /// Of the trials at one load, at most this share may lose more: a machine that serves others
    /// too has bad moments at every load.
    public var exceedRatio = 0.5
    /// The search ends when the bounds are so close, as a share of the upper one.
    public var width = 0.02
    /// Trials that decide about a load; fewer when the rest cannot change it.
    public var trials = 5

    public init(name: String, lossRatio: Double) {
        self.name = name
        self.lossRatio = lossRatio
    }

    public enum Verdict: Sendable, Equatable {
        /// The load meets the goal, fails it, or needs more trials.
        case lower, upper, undecided
    }

    /// - Parameters: good, bad: trials at one load that lost no more than the goal, and others.
    public func verdict(good: Int, bad: Int) -> Verdict {
        let whole = max(trials, good + bad)
        if Double(bad) / Double(whole) > exceedRatio { return .upper }
        if Double(whole - good) / Double(whole) <= exceedRatio { return .lower }
        return .undecided
    }

    /// How likely it is, seen the trials alone, that a load really is on its side of the goal: the
    /// share of bad trials is taken to be anything from 0 to 1 before the first (Bayes, with a
    /// uniform prior).
    public func confidence(good: Int, bad: Int, isLower: Bool) -> Double {
        let below = Self.betaDistribution(exceedRatio, bad + 1, good + 1)
        return isLower ? below : 1 - below
    }

    /// The regularized incomplete beta function for whole numbers, as a sum of binomial terms.
    private static func betaDistribution(_ x: Double, _ a: Int, _ b: Int) -> Double {
        let count = a + b - 1
        var term = 1.0
        for _ in 0..<count { term *= 1 - x }
        guard x < 1 else { return 1 }
        var sum = 0.0
        for successes in 0...count {
            if successes >= a { sum += term }
            term *= Double(count - successes) / Double(successes + 1) * x / (1 - x)
        }
        return min(1, sum)
    }
}
