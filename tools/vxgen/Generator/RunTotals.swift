/// What a run has come to, at its end or on the way.
public struct RunTotals: Sendable, Equatable {
    /// Frames, their bytes with FCS, and the rate: over the whole run (of received ones until the
    /// last came), or in a live line over the time since the one before.
    public struct Traffic: Sendable, Equatable {
        public var packets: UInt64 = 0
        public var bytes: UInt64 = 0
        public var packetsPerSecond = 0.0

        public init() {}
    }

    public var sent = Traffic()
    /// All frames of the run that came out, damaged ones and duplicates among them.
    public var received = Traffic()
    public var reordered: UInt64 = 0
    public var duplicated: UInt64 = 0
    public var corrupted: UInt64 = 0
    /// Frames that came out and that the receiving socket lost: the generator's own fault.
    public var overruns: UInt64 = 0
    /// Nil is as fast as possible.
    public var askedPacketsPerSecond: Double?
    /// Sent over the whole run so far.
    public var achievedPacketsPerSecond = 0.0
    /// Time in which the device took no more, of all workers together.
    public var stalledSeconds = 0.0
    /// From the first frame to the end of the last one's interval.
    public var seconds = 0.0
    public var latency: LatencyHistogram.Percentiles?
    /// There is a receiving side: without one nothing can be said of loss.
    public var isReceiving = false
    public var isLive = false

    public init() {}

    /// Frames that never came out. Every sent frame came out whole, came out damaged or is lost.
    public var lost: UInt64 {
        guard isReceiving else { return 0 }
        let once = received.packets - min(duplicated, received.packets)
        return sent.packets - min(once, sent.packets)
    }

    /// By how much of a hundred the rate fell short; nil when it did not by one or more.
    public var shortfallPercent: Double? {
        guard let asked = askedPacketsPerSecond, asked > 0 else { return nil }
        let percent = (1 - achievedPacketsPerSecond / asked) * 100
        return percent >= 1 ? percent : nil
    }
}
