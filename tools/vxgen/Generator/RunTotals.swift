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

    /// What became of one stream. A damaged frame whose stamp cannot be read is in the totals,
    /// and lost to its stream.
    public struct Stream: Sendable, Equatable {
        public var name: String
        public var sent: UInt64 = 0
        public var received: UInt64 = 0
        public var reordered: UInt64 = 0
        public var duplicated: UInt64 = 0
        public var corrupted: UInt64 = 0
        public var latency: LatencyHistogram.Percentiles?

        public init(name: String) { self.name = name }

        /// Frames that never came out, or beyond recognition.
        public var lost: UInt64 { RunTotals.lost(sent, received, duplicated) }
    }

    public var sent = Traffic()
    /// Frames that rate and time, or the count, asked for; nil when they ask for none.
    public var asked: UInt64?
    /// Frames handed to the kernel; those it refused because a queue was full count each time.
    public var offered: UInt64 = 0
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
    /// Latencies are those of both ways.
    public var isRoundTrip = false
    public var streams: [Stream] = []

    public init() {}

    /// Frames that never came out. Every sent frame came out whole, came out damaged or is lost.
    public var lost: UInt64 {
        isReceiving ? Self.lost(sent.packets, received.packets, duplicated) : 0
    }

    /// Frames were sent to a receiver that saw none of them.
    public var isSilent: Bool {
        isReceiving && !isLive && sent.packets > 0 && received.packets == 0
    }

    /// A share of what was sent; 0 when nothing was.
    public var lossRatio: Double {
        sent.packets == 0 ? 0 : Double(lost) / Double(sent.packets)
    }

    private static func lost(_ sent: UInt64, _ received: UInt64, _ duplicated: UInt64) -> UInt64 {
        let once = received - min(duplicated, received)
        return sent - min(once, sent)
    }

    /// By how much of a hundred the rate fell short; nil when it did not by one or more,
    /// or before the first frame.
    public var shortfallPercent: Double? {
        guard let asked = askedPacketsPerSecond, asked > 0, seconds > 0 else { return nil }
        let percent = (1 - achievedPacketsPerSecond / asked) * 100
        return percent >= 1 ? percent : nil
    }
}
