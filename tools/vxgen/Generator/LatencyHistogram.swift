public import Memory

/// Latencies in nanoseconds, counted in buckets whose width grows with the value: 128 to each
/// power of two, so that a percentile is at most 0.8 % above the truth.
///
/// Thread-safety: one thread records, anybody reads. A trivial handle to counters of its owner.
public struct LatencyHistogram: Sendable {
    private let counts: CounterPage

    private static var subBits: Int { @_noLocks get { 7 } }
    /// Longer latencies, 18 minutes and more, count as this.
    public static var maximum: UInt64 { @_noLocks get { Stamp.timeMask } }
    public static var bucketCount: Int { @_noLocks get { bucket(of: maximum) &+ 1 } }

    /// - Parameter counts: at least `bucketCount` counters that nobody else adds to.
    public init(counts: CounterPage) {
        precondition(counts.count >= Self.bucketCount)
        self.counts = counts
    }

    @_noLocks
    public func record(_ nanoseconds: UInt64) {
        counts.add(1, to: Self.bucket(of: min(nanoseconds, Self.maximum)))
    }

    /// What the report shows.
    public struct Percentiles: Sendable, Equatable {
        public var p50: UInt64
        public var p90: UInt64
        public var p99: UInt64
        public var p999: UInt64
        public var p9999: UInt64
        public var max: UInt64

        public init(
            p50: UInt64, p90: UInt64, p99: UInt64, p999: UInt64, p9999: UInt64, max: UInt64
        ) {
            self.p50 = p50
            self.p90 = p90
            self.p99 = p99
            self.p999 = p999
            self.p9999 = p9999
            self.max = max
        }
    }

    /// The smallest values that so many of a hundred do not exceed; nil when nothing was recorded.
    /// - Parameter longest: the longest latency, when it is known exactly.
    public func percentiles(longest: UInt64?) -> Percentiles? {
        let values = (0..<Self.bucketCount).map { counts.read($0) }
        let total = values.reduce(0, +)
        guard total > 0, let last = values.lastIndex(where: { $0 > 0 }) else { return nil }
        let most = longest ?? Self.highest(in: last)
        func value(_ share: Double) -> UInt64 {
            let rank = UInt64((Double(total) * share).rounded(.up))
            var seen: UInt64 = 0
            for (bucket, count) in values.enumerated() {
                seen += count
                if seen >= rank { return min(Self.highest(in: bucket), most) }
            }
            return most
        }
        return Percentiles(
            p50: value(0.5), p90: value(0.9), p99: value(0.99), p999: value(0.999),
            p9999: value(0.9999), max: most)
    }

    @_noLocks
    static func bucket(of value: UInt64) -> Int {
        let limit = (1 as UInt64) &<< UInt64(subBits)
        guard value >= limit else { return Int(value) }
        let shift = 63 &- value.leadingZeroBitCount &- subBits
        let low = Int(truncatingIfNeeded: value &>> UInt64(shift)) & ((1 &<< subBits) &- 1)
        return (shift &+ 1) &<< subBits &+ low
    }

    /// The largest value of a bucket.
    static func highest(in bucket: Int) -> UInt64 {
        let group = bucket >> subBits
        let low = UInt64(bucket & ((1 << subBits) - 1))
        guard group > 0 else { return low }
        let first = (low | 1 << UInt64(subBits)) << UInt64(group - 1)
        return first + (1 << UInt64(group - 1)) - 1
    }
}
