/// What a replay has come to.
public struct ReplayTotals: Sendable, Equatable {
    /// In the capture, and left out of it.
    public var frames = 0
    public var truncated = 0
    public var foreign = 0
    public var sent: UInt64 = 0
    /// With FCS.
    public var bytes: UInt64 = 0
    /// Frames the kernel did not take for another reason than a full queue, and the last reason.
    public var refused: UInt64 = 0
    public var refusal: Int32 = 0
    public var loops: UInt64 = 0
    public var seconds = 0.0
    public var stalledSeconds = 0.0
    /// How long after its time a frame was handed over.
    public var lateness: LatencyHistogram.Percentiles?
    public var isLive = false

    public init() {}

    public var packetsPerSecond: Double { seconds > 0 ? Double(sent) / seconds : 0 }
}
