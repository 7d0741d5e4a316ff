internal import CLinux

/// One published address that a writer replaces and a fixed set of readers follow, with the count
/// that tells when an address replaced earlier can no longer be in use (quiescent-state
/// reclamation).
///
/// | writer | reader `n` |
/// |---|---|
/// | `publish`, `oldestEpoch` | `observe(n)` once a turn, `rest(n)` before it blocks |
///
/// Thread-safety: one writer; each reader number belongs to one thread. What `observe` returned may
/// be used until that reader's next `observe` or `rest`.
/// Layout: address and epoch share a line, each reader's word has its own.
/// Capacity: the number of readers is fixed.
@safe
public struct Snapshot: @unchecked Sendable {
    private let words: Column<UInt64>
    private let readers: Int
    private static let resting = UInt64.max

    /// Every reader begins at rest.
    public init(readers: Int) {
        self.readers = readers
        words = Column(count: 8 * (readers + 1), repeating: Self.resting)
        words[0] = 0
        words[1] = 0
    }

    /// Writer only. Makes `address` what readers see from their next turn on.
    /// - Returns: the epoch from which on the address published before is unused.
    public func publish(_ address: UnsafeRawPointer) -> UInt64 {
        let epoch = words[1] &+ 1
        unsafe vx_store_release_u64(words.pointer(at: 0), UInt64(UInt(bitPattern: address)))
        unsafe vx_store_release_u64(words.pointer(at: 1), epoch)
        vx_fence()
        return epoch
    }

    /// Writer only. The oldest epoch any reader may still be in; what was retired at or before it
    /// is free.
    public var oldestEpoch: UInt64 {
        vx_fence()
        var oldest = words[1]
        for reader in 0..<readers {
            let observed = unsafe vx_load_sequential_u64(words.pointer(at: 8 * (reader + 1)))
            if observed != Self.resting { oldest = min(oldest, observed) }
        }
        return oldest
    }

    /// Reader only. Ends the use of what the last call returned and gives the address in force.
    @_noLocks
    public func observe(_ reader: Int) -> UnsafeRawPointer? {
        let epoch = unsafe vx_load_acquire_u64(words.pointer(at: 1))
        unsafe vx_store_sequential_u64(words.pointer(at: 8 &* (reader &+ 1)), epoch)
        vx_fence()
        let address = unsafe vx_load_acquire_u64(words.pointer(at: 0))
        return unsafe UnsafeRawPointer(bitPattern: UInt(truncatingIfNeeded: address))
    }

    /// Reader only. Holds nothing until its next `observe`, so that the writer need not wait for
    /// it.
    @_noLocks
    public func rest(_ reader: Int) {
        unsafe vx_store_release_u64(words.pointer(at: 8 &* (reader &+ 1)), Self.resting)
    }

    public func deallocate() { words.deallocate() }
}
