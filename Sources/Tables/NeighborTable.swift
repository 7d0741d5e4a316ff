public import Wire

/// The ARP table: which MAC address answers for an IPv4 address in a VSI (RFC 826).
///
/// Key: VSI index in the upper 16 of 48 bits, address in the lower 32. Value: MAC in the upper 48
/// bits, flags below.
///
/// Thread-safety, layout, capacity: those of `ProbeTable`.
public struct NeighborTable: Sendable {
    /// An address of the gateway itself; answered to everybody, probes included.
    public static let ownFlag: UInt64 = 1
    /// From the configuration or the operator.
    public static let staticFlag: UInt64 = 2

    public let table: ProbeTable

    public init(table: ProbeTable) { self.table = table }

    /// Never `ProbeTable.noKey`: the address 0.0.0.0 is nobody's, and bit 48 is always set.
    @_noLocks
    public static func key(vsi: UInt16, address: UInt32) -> UInt64 {
        1 &<< 48 | UInt64(vsi) &<< 32 | UInt64(address)
    }

    public static func address(of key: UInt64) -> IPv4Address {
        IPv4Address(bits: UInt32(truncatingIfNeeded: key))
    }

    public static func vsi(of key: UInt64) -> Int { Int(key >> 32 & 0xFFFF) }

    @_noLocks
    public static func value(mac: UInt64, flags: UInt64) -> UInt64 { mac &<< 16 | flags }

    @_noLocks
    public static func mac(of value: UInt64) -> UInt64 { value &>> 16 }
    @_noLocks
    public static func isOwn(_ value: UInt64) -> Bool { value & ownFlag != 0 }
    @_noLocks
    public static func isStatic(_ value: UInt64) -> Bool { value & staticFlag != 0 }

    /// What `find` gives for an address, or 0.
    @_noLocks
    public func find(vsi: UInt16, address: UInt32) -> UInt64 {
        let key = Self.key(vsi: vsi, address: address)
        return table.value(at: table.find(key), for: key) ?? 0
    }
}
