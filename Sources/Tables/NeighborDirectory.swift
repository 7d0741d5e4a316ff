public import CLinux
public import Memory

/// In front of the ARP table: the records of resolved neighbors by address, without a hash.
///
/// Direct-mapped: the lower bits of an address, turned by its VSI, are the index of a cell, so that
/// the hosts of a subnet lie side by side, eight to a cache line. A cell names the one key it means
/// in full; for every other key the ARP table has to be asked, and so it has for neighbors without
/// a MAC address and for own addresses, which have no cell. Of two neighbors that want one cell,
/// the later has it.
///
/// Thread-safety: one writer, which edits the ARP table along with it; any number of concurrent
/// readers. A record found here may be used until the reader's next turn.
/// Layout: a word a cell, 2 MiB: bits 16 to 47 of the key above, the number of the record plus one
/// below.
public struct NeighborDirectory: BitwiseCopyable, Sendable {
    /// At least 2^16, so that index and upper half together are the whole key.
    @usableFromInline static var cellCount: Int { @_noLocks get { 262_144 } }

    @usableFromInline let cells: FixedColumn<262_144, UInt64>

    public init() { cells = FixedColumn(repeating: 0) }

    /// The number of the record of a neighbor with a MAC address, or -1: ask the ARP table.
    @inlinable @_noLocks @inline(__always)
    public func record(of key: UInt64) -> Int {
        let cell = unsafe vx_load_acquire_u64(cells.column.pointer(at: Self.index(key)))
        guard cell &>> 32 == Self.upper(key), cell & 0xFFFF_FFFF != 0 else { return -1 }
        return Int(truncatingIfNeeded: cell & 0xFFFF_FFFF) &- 1
    }

    /// Fetches what `record(of:)` reads.
    @_noLocks @inline(__always)
    public func prefetch(_ key: UInt64) {
        unsafe vx_prefetch(cells.column.pointer(at: Self.index(key)))
    }

    // MARK: Editing (the writer only)

    /// Takes note of what the ARP table has for `key` from now on; 0 when it has nothing.
    public func note(_ key: UInt64, _ value: UInt32) {
        let cell: UInt64
        if NeighborTable.isResolved(value), !NeighborTable.isOwn(value) {
            cell = Self.upper(key) << 32 | UInt64(NeighborTable.record(of: value) + 1)
        } else {
            guard record(of: key) >= 0 else { return }
            cell = 0
        }
        unsafe vx_store_release_u64(cells.column.pointer(at: Self.index(key)), cell)
    }

    public func deallocate() { cells.deallocate() }

    @inlinable @_noLocks @inline(__always)
    static func index(_ key: UInt64) -> Int {
        let turned = key &+ (key &>> 32 & 0xFFFF) &* 0x9E37_79B1
        return Int(truncatingIfNeeded: turned) & (cellCount &- 1)
    }

    /// VSI and the upper half of the address.
    @inlinable @_noLocks @inline(__always)
    static func upper(_ key: UInt64) -> UInt64 { key &>> 16 & 0xFFFF_FFFF }
}
