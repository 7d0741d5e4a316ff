import Generator
import Memory
import Testing

/// Percentiles against sorted values.
@Suite struct HistogramTests {
    private let region = PageRegion(byteCount: LatencyHistogram.byteCount(streams: 2))

    private var histogram: LatencyHistogram { LatencyHistogram(region: region, streams: 2) }

    @Test func nothingHasNoPercentiles() {
        #expect(histogram.percentiles(longest: nil) == nil)
    }

    @Test func oneValueIsAllPercentiles() {
        histogram.record(5_000_000, stream: 1)
        #expect(histogram.percentiles(of: 0..<1, longest: nil) == nil, "another stream")
        let result = histogram.percentiles(longest: 5_000_000)
        #expect(result?.p50 == 5_000_000 && result?.p9999 == 5_000_000)
        #expect(result?.max == 5_000_000)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func percentilesAreAtMostOneBucketAbove(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        var values: [UInt64] = []
        for _ in 0..<20_000 {
            let value = chance.next() >> (14 + chance.next() % 38)
            values.append(value)
            histogram.record(value, stream: values.count % 2)
        }
        values.sort()
        let result = try #require(histogram.percentiles(longest: values.last))
        let shares: [(Double, UInt64)] = [
            (0.5, result.p50), (0.9, result.p90), (0.99, result.p99), (0.999, result.p999),
            (0.9999, result.p9999), (1, result.max),
        ]
        for (share, found) in shares {
            let rank = Int((Double(values.count) * share).rounded(.up)) - 1
            let exact = values[rank]
            #expect(found >= exact && Double(found) <= Double(exact) * 1.001 + 1, "seed \(seed)")
        }
    }

    @Test func whatIsTooLongCountsAsTheLongest() throws {
        histogram.record(.max, stream: 1)
        let result = try #require(histogram.percentiles(longest: nil))
        #expect(result.max == LatencyHistogram.maximum)
    }
}
