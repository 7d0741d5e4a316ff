public import Wire

/// The FDB: which port or peer of a VSI a MAC address is behind (RFC 7348 section 4.1).
///
/// Key: MAC in the upper 48 bits, VSI index in the lower 16. Value: destination in the lower 32
/// bits, kind above, a flag for what is frozen. Both fit a word, so a lookup sees them whole.
///
/// Thread-safety, layout, capacity: those of `ProbeTable`.
public struct ForwardingTable: Sendable {
    public enum Kind: UInt64, Sendable {
        /// Learnt from traffic; ages.
        case dynamic = 1
        /// From the configuration or the operator; never moves.
        case `static` = 2
        /// A MAC address of the gateway itself in this VSI.
        case own = 3
    }

    public let table: ProbeTable

    public init(table: ProbeTable) { self.table = table }

    @_noLocks
    public static func key(mac: UInt64, vsi: UInt16) -> UInt64 { mac &<< 16 | UInt64(vsi) }

    public static func key(mac: MACAddress, vsi: Int) -> UInt64 {
        key(mac: mac.bits, vsi: UInt16(vsi))
    }

    public static func mac(of key: UInt64) -> MACAddress { MACAddress(bits: key >> 16) }
    public static func vsi(of key: UInt64) -> Int { Int(key & 0xFFFF) }

    @_noLocks
    public static func value(_ destination: Destination, kind: UInt64) -> UInt64 {
        kind &<< 32 | UInt64(destination.bits)
    }

    @_noLocks
    public static func destination(of value: UInt64) -> Destination {
        Destination(bits: UInt32(truncatingIfNeeded: value))
    }

    @_noLocks
    public static func isStatic(_ value: UInt64) -> Bool { value &>> 32 == 2 }
    @_noLocks
    public static func isOwn(_ value: UInt64) -> Bool { value &>> 32 == 3 }

    public static func kind(of value: UInt64) -> Kind {
        Kind(rawValue: value >> 32 & 0xFF) ?? .dynamic
    }

    /// A dynamic entry that has moved too often: frames of its MAC from elsewhere are dropped.
    @_noLocks
    public static func isFrozen(_ value: UInt64) -> Bool { value & frozenFlag != 0 }
    public static func frozen(_ value: UInt64) -> UInt64 { value | frozenFlag }
    public static func thawed(_ value: UInt64) -> UInt64 { value & ~frozenFlag }

    private static var frozenFlag: UInt64 { @_noLocks get { 1 &<< 40 } }
}
