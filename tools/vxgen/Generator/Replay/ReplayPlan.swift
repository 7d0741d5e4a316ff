public import Wire

/// What a replay is asked to do.
public struct ReplayPlan: Sendable {
    public enum Timing: Sendable, Equatable {
        /// As captured, so many times as fast.
        case captured(speed: Double)
        /// Evenly, whatever the capture says.
        case rate(Rate)
    }

    public var output: RunPlan.Output
    /// Of the tunnel, when the output is one.
    public var vni = VNI(bits: 0)
    public var timing = Timing.captured(speed: 1)
    /// How often the capture is played; nil is without end.
    public var loops: UInt64? = 1
    /// Nanoseconds after which it ends in any case.
    public var duration: UInt64?
    public var rewriter = FrameRewriter()

    public init(output: RunPlan.Output) { self.output = output }
}
