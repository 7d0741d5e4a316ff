public import Wire

/// What `vxgate ping` asks for.
public struct PingRequest: Sendable, Equatable {
    public var address: IPv4Address
    /// Where the address is looked up; nil is the VRF of `interface`, or `default`.
    public var vrf: String?
    /// The VSI-interface to send from; nil is the one that the route to the address leaves by.
    public var interface: String?
    public var count = 4
    /// Between one request and the next.
    public var intervalMilliseconds = 1000
    /// How long each request waits for its reply.
    public var timeoutMilliseconds = 2000
    /// Bytes of data after the eight of the ICMP header.
    public var size = 56
    /// Sequence number of the first request.
    public var sequence = 1

    public static let counts = 1...100
    public static let intervalsMilliseconds = 10...10_000
    public static let timeoutsMilliseconds = 10...10_000
    /// Up to a jumbo frame of 9000 bytes of IPv4.
    public static let sizes = 0...8972
    public static let sequences = 0...65_535
    /// One request of the control API is answered within the time that its clients wait.
    public static let maximumMilliseconds = 40_000

    public init(address: IPv4Address) { self.address = address }

    /// - Throws: `malformed` when a value is beyond its limits.
    public func check() throws(ControlError) {
        try Self.check("count", count, Self.counts)
        try Self.check("interval_ms", intervalMilliseconds, Self.intervalsMilliseconds)
        try Self.check("timeout_ms", timeoutMilliseconds, Self.timeoutsMilliseconds)
        try Self.check("size", size, Self.sizes)
        try Self.check("sequence", sequence, Self.sequences)
        let total = (count - 1) * intervalMilliseconds + timeoutMilliseconds
        guard total <= Self.maximumMilliseconds else {
            throw .malformed(
                "the pings would take \(total) ms: ask for at most \(Self.maximumMilliseconds) ms")
        }
        guard address.isUnicastSource, !address.isLinkLocal else {
            throw .malformed("\(address) is no host's address: give a unicast address")
        }
    }

    private static func check(
        _ name: String, _ value: Int, _ range: ClosedRange<Int>
    ) throws(ControlError) {
        guard range.contains(value) else {
            throw .malformed(
                "`\(name)` is \(value): give \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
