/// What a search has found for one goal.
public struct SearchResult: Sendable, Equatable {
    /// A load and the trials at it.
    public struct Bound: Sendable, Equatable {
        /// Frames a second.
        public var load: Double
        /// Trials that met the goal, and that did not.
        public var good: Int
        public var bad: Int
        /// 0...1, see `LossGoal.confidence`.
        public var confidence: Double
    }

    public let goal: LossGoal
    /// The highest load that meets the goal; nil when none does.
    public let lower: Bound?
    /// The lowest above it that does not; nil when the highest load tried meets it.
    public let upper: Bound?
    /// False when the search was ended before it was sure.
    public let isConverged: Bool
    /// At the highest load that meets the goal: those of the trial whose median latency is in the
    /// middle (RFC 2544 section 26.2).
    public let latency: LatencyHistogram.Percentiles?
    /// Why nothing higher was tried, where the highest load meets the goal.
    public let limit: Trial.Fault?

    /// That both bounds are right.
    public var confidence: Double { (lower?.confidence ?? 1) * (upper?.confidence ?? 1) }
}
