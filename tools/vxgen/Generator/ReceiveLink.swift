internal import Memory
internal import Synchronization

/// How the receiving thread and the one that leads the run meet.
final class ReceiveLink: Sendable {
    let tally: Tally
    let histogram: LatencyHistogram
    private let tallyRegion: PageRegion
    private let histogramRegion: PageRegion
    let shouldStop = Atomic<Bool>(false)

    init() {
        tallyRegion = PageRegion(byteCount: Tally.byteCount)
        histogramRegion = PageRegion(byteCount: LatencyHistogram.bucketCount * 8)
        tally = Tally(region: tallyRegion)
        histogram = LatencyHistogram(
            counts: CounterPage(region: histogramRegion, count: LatencyHistogram.bucketCount))
    }
}
