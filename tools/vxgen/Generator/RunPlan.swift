/// Everything a run is asked to do.
public struct RunPlan: Sendable {
    /// A network device, where necessary of another network namespace.
    public struct Port: Sendable, Equatable {
        public var device: String
        public var namespace: String?

        public init(device: String, namespace: String? = nil) {
            self.device = device
            self.namespace = namespace
        }
    }

    public enum Output: Sendable, Equatable {
        /// An existing network device.
        case device(Port)
        /// A tap that the run makes.
        case tap(Port)
        /// A VTEP that takes the frames inside VXLAN.
        case tunnel(TunnelPlan)
        /// An open socket of this process, with boundaries between frames: a wire in memory.
        /// Frames carry an `OffloadHeader`.
        case wire(Int32)
    }

    public enum Input: Sendable, Equatable {
        case device(Port)
        /// A tap that the run makes; the same as that of the output is one tap for both.
        case tap(Port)
        /// The end of a tunnel: VXLAN to this host.
        case tunnel(TunnelEnd)
        case wire(Int32)
    }

    public enum Limit: Sendable, Equatable {
        case duration(RunDuration)
        case count(UInt64)
    }

    public var output: Output
    public var input: Input?
    public var streams: [StreamPlan]
    public var rate: Rate
    public var limit: Limit
    /// Frames are sent for so long before the first that counts; nanoseconds.
    public var warmUp: UInt64 = 0
    public var workers = 1
    public var receiveWorkers = 1
    /// Frames that leave together.
    public var burst = 1
    public var learns = false
    public var isPinned = false
    /// What comes in was sent back by the other end: latencies are those of both ways.
    public var isRoundTrip = false

    public static let maximumWorkers = 64
    public static let maximumReceiveWorkers = 64
    public static let maximumBurst = 64
    public static let maximumSourcePorts = 1024

    public init(output: Output, streams: [StreamPlan], rate: Rate, limit: Limit) {
        precondition((1...StreamPlan.maximumStreams).contains(streams.count))
        self.output = output
        self.streams = streams
        self.rate = rate
        self.limit = limit
    }

    /// With FCS, over all streams by their weights.
    public var meanByteCount: Double {
        let weights = streams.reduce(0) { $0 + $1.weight }
        return streams.reduce(0) { $0 + $1.sizes.meanByteCount * Double($1.weight) }
            / Double(weights)
    }

    /// Frames a second that are asked for; nil is as many as possible.
    public var packetsPerSecond: Double? { rate.packetsPerSecond(meanByteCount: meanByteCount) }

    public var flows: Int { streams.reduce(0) { $0 + $1.flows } }
    public var longestFrame: Int { streams.map(\.sizes.longest).max() ?? 0 }

    /// Frames leave and come back through the same device.
    public var isLoop: Bool {
        switch (output, input) {
        case (.device(let out), .device(let into)), (.tap(let out), .tap(let into)):
            out == into
        default: false
        }
    }
}
