public import Wire

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

    /// A VTEP that takes the frames inside VXLAN.
    public struct Tunnel: Sendable, Equatable {
        public var address: IPv4Address
        public var port: UInt16
        public var vni: VNI
        /// The outer source; nil is the address that the route to the VTEP prefers.
        public var source: IPv4Address?
        /// Outer UDP source ports of each worker, over which its flows are spread.
        public var sourcePorts: Int
        public var namespace: String?

        public init(
            address: IPv4Address, port: UInt16, vni: VNI, source: IPv4Address?, sourcePorts: Int,
            namespace: String?
        ) {
            self.address = address
            self.port = port
            self.vni = vni
            self.source = source
            self.sourcePorts = sourcePorts
            self.namespace = namespace
        }
    }

    public enum Output: Sendable, Equatable {
        case device(Port)
        case tunnel(Tunnel)
    }

    public enum Limit: Sendable, Equatable {
        case duration(RunDuration)
        case count(UInt64)
    }

    public var output: Output
    public var receive: Port?
    public var flows = 1
    public var sizes: FrameSizes
    public var rate: Rate
    public var limit: Limit
    /// Locally administered addresses that no device has: a stack on the way does not answer.
    public var sourceMAC = MACAddress(bits: 0x0256_5800_0001)
    public var destinationMAC = MACAddress(bits: 0x0256_5800_0002)
    public var space: Flow.Space
    public var workers = 1
    /// Frames that leave together.
    public var burst = 1
    public var learns = false
    public var isPinned = false

    public static let maximumWorkers = 64
    public static let maximumBurst = 64
    public static let maximumSourcePorts = 1024

    public init(
        output: Output, sizes: FrameSizes, rate: Rate, limit: Limit, space: Flow.Space
    ) {
        self.output = output
        self.sizes = sizes
        self.rate = rate
        self.limit = limit
        self.space = space
    }

    /// Frames a second that are asked for; nil is as many as possible.
    public var packetsPerSecond: Double? {
        rate.packetsPerSecond(meanByteCount: sizes.meanByteCount)
    }
}
