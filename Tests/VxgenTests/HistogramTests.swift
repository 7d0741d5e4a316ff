import Generator
import Memory
import Testing

/// Percentiles against sorted values.
@Suite struct HistogramTests {
    private let region = PageRegion(byteCount: LatencyHistogram.bucketCount * 8)

    private var histogram: LatencyHistogram {
        LatencyHistogram(
            counts: CounterPage(region: region, count: LatencyHistogram.bucketCount))
    }

    @Test func nothingHasNoPercentiles() {
        #expect(histogram.percentiles(longest: nil) == nil)
    }

    @Test func oneValueIsAllPercentiles() {
        histogram.record(5_000_000)
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
            histogram.record(value)
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
            #expect(found >= exact && Double(found) <= Double(exact) * 1.008 + 1, "seed \(seed)")
        }
    }

    @Test func whatIsTooLongCountsAsTheLongest() throws {
        histogram.record(.max)
        let result = try #require(histogram.percentiles(longest: nil))
        #expect(result.max == LatencyHistogram.maximum)
    }
}
