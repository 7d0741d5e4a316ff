internal import CLinux
public import Memory
public import Wire

/// The ARP table: which MAC address answers for an IPv4 address in a VSI, and behind which port or
/// peer (RFC 826).
///
/// Key: VSI index in the upper 16 of 48 bits, address in the lower 32. Value: state flags in the
/// upper eight of 32 bits, the index of a `NeighborRecord` in the lower 24. A record is written
/// before it is published, and its MAC and egress never change afterwards, so that they always
/// belong together.
///
/// Thread-safety, layout, capacity: those of `ProbeTable`; a record is used again only after the
/// same wait as a removed slot.
public struct NeighborTable: Sendable {
    /// An address of the gateway itself; answered to everybody, probes included.
    public static var ownFlag: UInt32 { @_noLocks get { 1 &<< 24 } }
    /// From the configuration or the operator.
    public static var staticFlag: UInt32 { @_noLocks get { 2 &<< 24 } }
    /// Asked for and not yet answered; packets for it wait with the agent.
    public static var incompleteFlag: UInt32 { @_noLocks get { 4 &<< 24 } }
    /// Did not answer; packets for it are dropped until the entry is removed.
    public static var failedFlag: UInt32 { @_noLocks get { 8 &<< 24 } }
    private static var presentFlag: UInt32 { @_noLocks get { 16 &<< 24 } }

    public let table: ProbeTable
    public let records: Column<NeighborRecord>
    @usableFromInline let directory: NeighborDirectory

    /// - Parameter directory: has taken note of every entry of `table`.
    public init(
        table: ProbeTable, records: Column<NeighborRecord>, directory: NeighborDirectory
    ) {
        assert(MemoryLayout<NeighborRecord>.size == NeighborRecord.hintOffset + 4)
        precondition(records.count <= 1 << 24)
        self.table = table
        self.records = records
        self.directory = directory
    }

    /// Never `ProbeTable.noKey`: bit 48 is always set.
    @_noLocks
    public static func key(vsi: UInt16, address: UInt32) -> UInt64 {
        1 &<< 48 | UInt64(vsi) &<< 32 | UInt64(address)
    }

    public static func address(of key: UInt64) -> IPv4Address {
        IPv4Address(bits: UInt32(truncatingIfNeeded: key))
    }

    public static func vsi(of key: UInt64) -> Int { Int(key >> 32 & 0xFFFF) }

    @_noLocks
    public static func value(record: Int, flags: UInt32) -> UInt32 {
        presentFlag | flags | UInt32(truncatingIfNeeded: record) & 0xFF_FFFF
    }

    @_noLocks
    public static func record(of value: UInt32) -> Int { Int(value & 0xFF_FFFF) }
    @_noLocks
    public static func isOwn(_ value: UInt32) -> Bool { value & ownFlag != 0 }
    @_noLocks
    public static func isStatic(_ value: UInt32) -> Bool { value & staticFlag != 0 }
    @_noLocks
    public static func isFailed(_ value: UInt32) -> Bool { value & failedFlag != 0 }
    @_noLocks
    public static func isIncomplete(_ value: UInt32) -> Bool { value & incompleteFlag != 0 }
    /// A MAC address is known.
    @_noLocks
    public static func isResolved(_ value: UInt32) -> Bool {
        value != 0 && value & (incompleteFlag | failedFlag) == 0
    }

    /// What the table has for an address, or 0.
    @_noLocks
    public func find(vsi: UInt16, address: UInt32) -> UInt32 {
        find(Self.key(vsi: vsi, address: address))
    }

    /// The number of the record of a neighbor that is not the gateway itself and whose MAC address
    /// is known, or -1. That may be said of any neighbor; `find` knows better.
    @inlinable @_noLocks @inline(__always)
    public func record(of key: UInt64) -> Int { directory.record(of: key) }

    /// What the table has for a key, or 0.
    @_noLocks
    public func find(_ key: UInt64) -> UInt32 { table.value(at: table.find(key), for: key) ?? 0 }

    /// Fetches what `record(of:)` reads.
    @_noLocks @inline(__always)
    public func prefetch(_ key: UInt64) { directory.prefetch(key) }

    /// Fetches what `mac`, `egress` and `slotHint` read.
    @_noLocks @inline(__always)
    public func prefetch(record: Int) { unsafe vx_prefetch(records.pointer(at: record)) }

    /// The MAC address of a resolved value, else 0.
    @_noLocks
    public func mac(of value: UInt32) -> UInt64 {
        guard Self.isResolved(value) else { return 0 }
        return mac(ofRecord: Self.record(of: value))
    }

    /// Where the packet that made the entry came from; none for static and own entries.
    @_noLocks
    public func egress(of value: UInt32) -> Destination {
        guard Self.isResolved(value) else { return .none }
        return egress(ofRecord: Self.record(of: value))
    }

    @_noLocks @inline(__always)
    public func mac(ofRecord record: Int) -> UInt64 {
        unsafe records.pointer(at: record).pointee.mac
    }

    @_noLocks @inline(__always)
    public func egress(ofRecord record: Int) -> Destination {
        unsafe records.pointer(at: record).pointee.egress
    }

    /// The slot of the FDB that had the neighbor's MAC address when somebody last looked, or -1: a
    /// guess, which the slot's key confirms or not.
    @_noLocks @inline(__always)
    public func slotHint(ofRecord record: Int) -> Int32 {
        Int32(bitPattern: unsafe vx_load_relaxed_u32(hintPointer(record)))
    }

    /// Any worker may.
    @_noLocks @inline(__always)
    public func setSlotHint(_ slot: Int, ofRecord record: Int) {
        let hint = UInt32(bitPattern: Int32(truncatingIfNeeded: slot))
        unsafe vx_store_relaxed_u32(hintPointer(record), hint)
    }

    @_noLocks @inline(__always) @unsafe
    private func hintPointer(_ record: Int) -> UnsafeMutablePointer<UInt32> {
        let raw = unsafe UnsafeMutableRawPointer(records.pointer(at: record))
        return unsafe (raw + NeighborRecord.hintOffset).assumingMemoryBound(to: UInt32.self)
    }
}

/// The part of a neighbor that does not fit its table's value.
///
/// Layout: 16 bytes, four to a cache line.
public struct NeighborRecord: BitwiseCopyable, Sendable {
    public let mac: UInt64
    public let egress: Destination
    /// See `NeighborTable.slotHint`; the one field that changes once the record is published.
    private let slotHint: Int32

    /// Bytes from the start to `slotHint`.
    static var hintOffset: Int { @_noLocks get { 12 } }

    @_noLocks
    public init(mac: UInt64, egress: Destination) {
        self.mac = mac
        self.egress = egress
        slotHint = -1
    }
}
