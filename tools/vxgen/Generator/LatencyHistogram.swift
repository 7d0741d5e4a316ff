public import Memory

/// Latencies in nanoseconds of each stream, counted in buckets whose width grows with the value:
/// 1024 to each power of two, so that a percentile is at most 0.1 % above the truth. That is the
/// layout of HdrHistogram with three digits, in memory that one thread may read while another
/// records.
///
/// Thread-safety: one thread records, anybody reads. A trivial handle to counters of its owner.
public struct LatencyHistogram: Sendable {
    private let counts: CounterPage
    private let streams: Int

    private static var subBits: Int { @_noLocks get { 10 } }
    /// Longer latencies, 18 minutes and more, count as this.
    public static var maximum: UInt64 { @_noLocks get { Stamp.timeMask } }
    public static var bucketCount: Int { @_noLocks get { bucket(of: maximum) &+ 1 } }

    public static func byteCount(streams: Int) -> Int { streams * bucketCount * 8 }

    /// - Parameter region: `byteCount(streams:)` bytes that outlive the handle; pages that no
    ///   latency reaches cost nothing.
    public init(region: PageRegion, streams: Int) {
        counts = CounterPage(region: region, count: streams * Self.bucketCount)
        self.streams = streams
    }

    @_noLocks
    public func record(_ nanoseconds: UInt64, stream: Int) {
        let bucket = Self.bucket(of: min(nanoseconds, Self.maximum))
        counts.add(1, to: stream &* Self.bucketCount &+ bucket)
    }

    /// Adds the counts of some streams to `sums`, which has `bucketCount` elements.
    public func add(_ range: Range<Int>, to sums: inout [UInt64]) {
        for stream in range {
            for bucket in 0..<Self.bucketCount {
                sums[bucket] += counts.read(stream * Self.bucketCount + bucket)
            }
        }
    }

    /// Of some streams together; nil is all of them.
    public func percentiles(of range: Range<Int>? = nil, longest: UInt64?) -> Percentiles? {
        var sums = [UInt64](repeating: 0, count: Self.bucketCount)
        add(range ?? 0..<streams, to: &sums)
        return Self.percentiles(of: sums, longest: longest)
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
    /// - Parameters:
    ///   - values: a count for each bucket.
    ///   - longest: the longest latency, when it is known exactly.
    public static func percentiles(of values: [UInt64], longest: UInt64?) -> Percentiles? {
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
