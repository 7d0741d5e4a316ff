/// What became of one echo request: a row of what `vxgate ping` shows.
public struct PingReport: Codable, Sendable, Equatable {
    public enum Result: String, Codable, Sendable {
        case reply
        /// Nothing came back in time.
        case timeout
        /// A router, or this gateway, could not deliver it (RFC 792, type 3).
        case unreachable
        /// A router found its time to live used up (RFC 792, type 11).
        case ttlExceeded = "ttl_exceeded"
        /// Longer than an MTU on the way; `mtu` says which when that is known (RFC 1191).
        case tooBig = "too_big"
    }

    public var sequence: Int
    public var result: Result
    /// The address that was pinged from.
    public var source: String
    /// Who answered; null when nobody did.
    public var from: String?
    /// Bytes of the ICMP message of a reply.
    public var bytes: Int?
    public var ttl: Int?
    public var milliseconds: Double?
    public var mtu: Int?
    /// What the code of an error means, or what is wrong with a reply.
    public var reason: String?

    public init(sequence: Int, result: Result, source: String) {
        self.sequence = sequence
        self.result = result
        self.source = source
    }
}

extension PingReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(sequence, forKey: .sequence)
        try row.encode(result, forKey: .result)
        try row.encode(source, forKey: .source)
        try row.encode(from, forKey: .from)
        try row.encode(bytes, forKey: .bytes)
        try row.encode(ttl, forKey: .ttl)
        try row.encode(milliseconds, forKey: .milliseconds)
        try row.encode(mtu, forKey: .mtu)
        try row.encode(reason, forKey: .reason)
    }
}
