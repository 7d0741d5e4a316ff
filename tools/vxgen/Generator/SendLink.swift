internal import Memory
internal import Synchronization

/// How a sending thread and the one that leads the run meet.
final class SendLink: Sendable {
    let tally: Tally
    private let region: PageRegion
    /// The moment to begin; 0 is not yet.
    let startTime = Atomic<UInt64>(0)
    let shouldStop = Atomic<Bool>(false)
    /// When the last frame had left; 0 while the worker still sends.
    let endTime = Atomic<UInt64>(0)
    /// Frames that the schedule asked for until the end; 0 without a rate and a count.
    let asked = Atomic<UInt64>(0)
    private let failureOfRun = Mutex<GeneratorError?>(nil)

    init(streams: Int) {
        region = PageRegion(byteCount: Tally.byteCount(streams: streams))
        tally = Tally(region: region, streams: streams)
    }

    /// Why the worker gave up.
    var failure: GeneratorError? {
        get { failureOfRun.withLock { $0 } }
        set { failureOfRun.withLock { $0 = newValue } }
    }
}
