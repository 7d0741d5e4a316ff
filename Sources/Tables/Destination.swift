/// Where a frame goes, or where it came from: an access port, a remote VTEP, or the gateway itself.
///
/// Thirty-two bits, so that it fits into a table's value and a lane's column: the kind in the top
/// four, the index of the port or peer in the low 24.
public struct Destination: Hashable, Sendable, BitwiseCopyable {
    public var bits: UInt32

    @_noLocks
    public init(bits: UInt32) { self.bits = bits }

    public enum Kind: UInt8, Sendable {
        case none, port, peer, own
    }

    public static var none: Destination { @_noLocks get { Destination(bits: 0) } }
    /// A VTEP that no configuration names, where `accept-unknown-peers` lets it in.
    public static var unknownPeer: Destination {
        @_noLocks get { Destination(bits: 2 << 28 | 0xFF_FFFF) }
    }

    @_noLocks
    public static func port(_ index: Int) -> Destination {
        Destination(bits: 1 << 28 | UInt32(truncatingIfNeeded: index) & 0xFF_FFFF)
    }

    @_noLocks
    public static func peer(_ index: Int) -> Destination {
        Destination(bits: 2 << 28 | UInt32(truncatingIfNeeded: index) & 0xFF_FFFF)
    }

    /// The gateway's own MAC on the VSI-interface with this index.
    @_noLocks
    public static func own(_ interface: Int) -> Destination {
        Destination(bits: 3 << 28 | UInt32(truncatingIfNeeded: interface) & 0xFF_FFFF)
    }

    public var isPort: Bool { @_noLocks get { bits &>> 28 == 1 } }
    public var isPeer: Bool { @_noLocks get { bits &>> 28 == 2 } }
    /// The index of a remote VTEP; beyond all of them for anything else.
    public var peerIndex: Int { @_noLocks get { Int(bits &- 2 &<< 28) } }
    /// Both are ports, or both remote VTEPs.
    @_noLocks
    public func isOfKind(of other: Destination) -> Bool { bits ^ other.bits < 1 &<< 28 }
    public var isOwn: Bool { @_noLocks get { bits &>> 28 == 3 } }
    public var index: Int { @_noLocks get { Int(bits & 0xFF_FFFF) } }

    public var kind: Kind { Kind(rawValue: UInt8(bits >> 28)) ?? .none }
}
