public import Wire

/// The FDB: which port or peer of a VSI a MAC address is behind (RFC 7348 section 4.1).
///
/// Key: MAC in the upper 48 bits, VSI index in the lower 16. Value: a destination;
/// in bits 24 to 26, which destinations leave free, the kind and a flag for what is frozen. Each is
/// one load, so a lookup sees it whole.
///
/// Thread-safety, layout, capacity: those of `ProbeTable`.
public struct ForwardingTable: Sendable {
    public enum Kind: UInt32, Sendable {
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

    /// - Parameter destination: `own` for the kind `own`, and for no other.
    @_noLocks
    public static func value(_ destination: Destination, kind: UInt32) -> UInt32 {
        kind &<< 24 | destination.bits & 0xF0FF_FFFF
    }

    @_noLocks
    public static func destination(of value: UInt32) -> Destination {
        Destination(bits: value & 0xF0FF_FFFF)
    }

    @_noLocks
    public static func isStatic(_ value: UInt32) -> Bool { value & kindMask == 2 &<< 24 }
    @_noLocks
    public static func isOwn(_ value: UInt32) -> Bool {
        // No other kind has such a destination, and no destination is above it.
        value >= Destination.own(0).bits
    }

    public static func kind(of value: UInt32) -> Kind {
        Kind(rawValue: value >> 24 & 3) ?? .dynamic
    }

    /// A dynamic entry that has moved too often: frames of its MAC from elsewhere are dropped.
    @_noLocks
    public static func isFrozen(_ value: UInt32) -> Bool { value & frozenFlag != 0 }
    public static func frozen(_ value: UInt32) -> UInt32 { value | frozenFlag }
    public static func thawed(_ value: UInt32) -> UInt32 { value & ~frozenFlag }

    private static var frozenFlag: UInt32 { @_noLocks get { 4 &<< 24 } }
    /// Kind and flag.
    private static var kindMask: UInt32 { @_noLocks get { 0xF &<< 24 } }
}
