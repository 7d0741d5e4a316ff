public import Memory

/// The counters of one thread of a run, for each stream and for what belongs to none. A trivial
/// handle.
///
/// Thread-safety: its thread adds, anybody reads.
public struct Tally: Sendable {
    private let page: CounterPage
    public let streams: Int

    public enum Entry: Int, CaseIterable, Sendable {
        /// Frames handed to the kernel, refused ones each time they were.
        case offered
        case sentPackets, sentBytes
        /// Nanoseconds in which the device took nothing more; of no stream.
        case stalled
        /// Frames the kernel refused for another reason than a full queue; of no stream.
        case refused
        /// All frames of the run, damaged ones and duplicates among them; bytes with FCS.
        case receivedPackets, receivedBytes
        case reordered, duplicated, corrupted
        /// The longest latency, in nanoseconds.
        case longest
        /// When the last frame came, in nanoseconds of CLOCK_MONOTONIC; of no stream.
        case lastReceived
    }

    /// The place of what belongs to no stream, as a damaged frame whose stamp cannot be read.
    public static var none: Int { @_noLocks get { -1 } }

    public static func byteCount(streams: Int) -> Int {
        (streams + 1) * Entry.allCases.count * 8
    }

    /// - Parameter region: `byteCount(streams:)` bytes that outlive the handle.
    public init(region: PageRegion, streams: Int) {
        precondition(Entry.allCases.count == Self.entries)
        self.streams = streams
        page = CounterPage(region: region, count: (streams + 1) * Self.entries)
    }

    @_noLocks
    public func add(_ amount: UInt64, _ entry: Entry, stream: Int) {
        page.add(amount, to: (stream &+ 1) &* Self.entries &+ entry.rawValue)
    }

    @_noLocks
    public func read(_ entry: Entry, stream: Int) -> UInt64 {
        page.read((stream &+ 1) &* Self.entries &+ entry.rawValue)
    }

    /// Makes a counter that only grows at least `value`.
    @_noLocks
    public func raise(_ entry: Entry, to value: UInt64, stream: Int) {
        let old = read(entry, stream: stream)
        if value > old { add(value &- old, entry, stream: stream) }
    }

    /// Over all streams and what belongs to none.
    public func sum(_ entry: Entry) -> UInt64 {
        (Self.none..<streams).reduce(0) { $0 + read(entry, stream: $1) }
    }

    private static var entries: Int { @_noLocks get { 12 } }
}
