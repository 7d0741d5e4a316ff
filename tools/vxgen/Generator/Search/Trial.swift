/// One trial of a search: so many frames a second for some time, and what became of them.
public struct Trial: Sendable, Equatable {
    /// Frames a second that were asked for, and that left.
    public var load: Double
    public var achieved: Double
    public var sent: UInt64
    public var received: UInt64
    public var lossRatio: Double
    public var latency: LatencyHistogram.Percentiles?
    public var fault: Fault?

    /// Why a trial says nothing about the network: it was the generator's own limit.
    public enum Fault: String, Sendable {
        /// More than one percent less than asked for left.
        case generator
        /// The receiving socket lost frames.
        case receiver
    }

    public init(load: Double, achieved: Double, sent: UInt64, received: UInt64, lossRatio: Double) {
        self.load = load
        self.achieved = achieved
        self.sent = sent
        self.received = received
        self.lossRatio = lossRatio
    }

    /// - Parameter load: frames a second that were asked for; nil was as many as possible.
    public init(_ totals: RunTotals, load: Double?) {
        self.init(
            load: load ?? totals.achievedPacketsPerSecond,
            achieved: totals.achievedPacketsPerSecond, sent: totals.sent.packets,
            received: totals.received.packets, lossRatio: totals.lossRatio)
        latency = totals.latency
        if totals.shortfallPercent != nil { fault = .generator }
        if totals.overruns > 0 { fault = .receiver }
    }
}
