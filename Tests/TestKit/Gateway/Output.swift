/// A packet as it leaves, written as a worker writes it.
public struct Output: Sendable, Equatable {
    /// A port or a peer by its name.
    public enum Place: Hashable, Sendable {
        case port(String)
        case peer(String)
    }

    public var place: Place
    /// The frame with the port's tag, or the datagram's payload: VXLAN header and inner frame.
    public var bytes: [UInt8]
    /// Which of the packets taken in it is a copy of.
    public var arrival: Int
    /// The outer header, for a peer.
    public var outer: Outer?

    public init(place: Place, bytes: [UInt8], arrival: Int, outer: Outer? = nil) {
        self.place = place
        self.bytes = bytes
        self.arrival = arrival
        self.outer = outer
    }

    public struct Outer: Sendable, Equatable {
        public var sourcePort: UInt32
        public var typeOfService: UInt8
        public var timeToLive: UInt8
        public var doNotFragment: Bool
    }

    /// The VNI on the wire.
    public var vni: UInt32 {
        UInt32(bytes[4]) << 16 | UInt32(bytes[5]) << 8 | UInt32(bytes[6])
    }

    /// The frame without what the gateway put in front for a tunnel.
    public var frame: [UInt8] {
        switch place {
        case .port: bytes
        case .peer: Array(bytes.dropFirst(8))
        }
    }
}
