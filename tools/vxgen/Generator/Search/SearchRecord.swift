/// The search with one frame size, from its trials to its results.
public struct SearchRecord: Sendable {
    /// As it was typed.
    public let size: String
    /// With FCS.
    public let meanByteCount: Double
    public let trials: [Trial]
    public let results: [SearchResult]
    /// RFC 2544, frames a second.
    public let throughput: Double?

    public init(
        size: String, meanByteCount: Double, trials: [Trial], results: [SearchResult],
        throughput: Double?
    ) {
        self.size = size
        self.meanByteCount = meanByteCount
        self.trials = trials
        self.results = results
        self.throughput = throughput
    }
}
