public import Memory

/// The counters of one thread of a run. A trivial handle.
///
/// Thread-safety: its thread adds, anybody reads.
public struct Tally: Sendable {
    private let page: CounterPage

    public enum Entry: Int, CaseIterable, Sendable {
        case sentPackets, sentBytes
        /// Nanoseconds in which the device took nothing more.
        case stalled
        /// Frames the kernel refused for another reason than a full queue.
        case refused
        /// All frames of the run, damaged ones and duplicates among them; bytes with FCS.
        case receivedPackets, receivedBytes
        case reordered, duplicated, corrupted
        /// The longest latency, in nanoseconds.
        case longest
        /// When the last frame came, in nanoseconds of CLOCK_MONOTONIC.
        case lastReceived
    }

    public static var byteCount: Int { Entry.allCases.count * 8 }

    /// - Parameter region: `byteCount` bytes that outlive the handle.
    public init(region: PageRegion) {
        page = CounterPage(region: region, count: Entry.allCases.count)
    }

    @_noLocks
    public func add(_ amount: UInt64, _ entry: Entry) { page.add(amount, to: entry.rawValue) }

    public subscript(_ entry: Entry) -> UInt64 { @_noLocks get { page.read(entry.rawValue) } }

    /// Makes a counter that only grows at least `value`.
    @_noLocks
    public func raise(_ entry: Entry, to value: UInt64) {
        let old = self[entry]
        if value > old { add(value &- old, entry) }
    }
}
