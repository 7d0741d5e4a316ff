internal import Memory
internal import Synchronization

/// How a receiving thread and the one that leads the run meet.
final class ReceiveLink: Sendable {
    let tally: Tally
    let histogram: LatencyHistogram
    private let tallyRegion: PageRegion
    private let histogramRegion: PageRegion
    let shouldStop = Atomic<Bool>(false)

    init(streams: Int) {
        tallyRegion = PageRegion(byteCount: Tally.byteCount(streams: streams))
        histogramRegion = PageRegion(byteCount: LatencyHistogram.byteCount(streams: streams))
        tally = Tally(region: tallyRegion, streams: streams)
        histogram = LatencyHistogram(region: histogramRegion, streams: streams)
    }
}
