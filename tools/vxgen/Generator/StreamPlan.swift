/// One kind of traffic of a run: its flows, its sizes and its share of the frames.
public struct StreamPlan: Sendable, Equatable {
    /// How the report names it.
    public var name: String
    public var flows = 1
    public var sizes: FrameSizes
    public var space: FlowSpace
    /// Frames of this stream beside those of the others, in proportion.
    public var weight = 1
    /// DSCP and ECN of the frames.
    public var typeOfService: UInt8 = 0
    public var timeToLive: UInt8 = 64

    public static let weights = 1...1000
    public static let maximumStreams = 256

    public init(name: String = "all", sizes: FrameSizes, space: FlowSpace) {
        self.name = name
        self.sizes = sizes
        self.space = space
    }

    /// Bytes of a frame's own headers with the stamp; a VLAN tag takes four of them.
    public var headByteCount: Int {
        FrameWriter.headByteCount + (space.vlans == nil ? 0 : FrameWriter.tagByteCount)
    }

    /// The shortest frame with FCS that has room for a stamp.
    public var shortestFrame: Int { headByteCount + FrameWriter.checkByteCount }
}
