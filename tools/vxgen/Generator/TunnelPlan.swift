public import Wire

/// Where encapsulated frames go, and what their outer headers hold (RFC 7348 section 5). The VNIs
/// are those of the streams.
public struct TunnelPlan: Sendable, Equatable {
    public var address: IPv4Address
    public var port: UInt16 = 4789
    /// The outer source; nil is the address that the route to the VTEP prefers.
    public var source: IPv4Address?
    /// Outer UDP source ports of each worker, over which its flows are spread.
    public var sourcePorts = 16
    public var timeToLive: UInt8 = 64
    /// DSCP and ECN.
    public var typeOfService: UInt8 = 0
    public var dontFragment = false
    public var namespace: String?

    public init(address: IPv4Address) { self.address = address }

    /// Private (RFC 1918) and loopback addresses: what a generator may fill with packets without
    /// being told twice.
    public static func isHarmless(_ address: IPv4Address) -> Bool {
        let harmless = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"]
        return harmless.contains { IPv4Prefix($0)?.contains(address) ?? false }
    }
}

/// Where encapsulated frames come in.
public struct TunnelEnd: Sendable, Equatable {
    /// Of this host.
    public var address: IPv4Address
    public var port: UInt16
    public var namespace: String?

    public init(address: IPv4Address, port: UInt16 = 4789, namespace: String? = nil) {
        self.address = address
        self.port = port
        self.namespace = namespace
    }
}
