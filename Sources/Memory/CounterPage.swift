public import CLinux

/// The counters of one thread: 64-bit words that their owner alone adds to and anybody may read.
///
/// Thread-safety: one writer; readers see each word whole, sums over words only when the writer
/// rests.
/// Layout: the meaning of an index is its user's (`CounterLayout`). Capacity: fixed; pages nobody
/// touched cost nothing.
@safe
public struct CounterPage: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<UInt64>
    public let count: Int

    /// - Parameter region: holds at least `count` words and outlives every copy of this handle.
    public init(region: PageRegion, count: Int) {
        precondition(region.byteCount >= count * 8)
        unsafe base = region.base.bindMemory(to: UInt64.self, capacity: count)
        self.count = count
    }

    /// Owner only.
    @inlinable @_noLocks @inline(__always)
    public func add(_ amount: UInt64, to index: Int) {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        let word = unsafe base + index
        unsafe vx_store_relaxed_u64(word, vx_load_relaxed_u64(word) &+ amount)
    }

    /// Adds to a word and to the next. Owner only.
    @inlinable @_noLocks @inline(__always)
    public func add(_ first: UInt64, _ second: UInt64, to index: Int) {
        precondition(index >= 0 && index < count &- 1)
        let word = unsafe base + index
        unsafe vx_store_relaxed_u64(word, vx_load_relaxed_u64(word) &+ first)
        unsafe vx_store_relaxed_u64(word + 1, vx_load_relaxed_u64(word + 1) &+ second)
    }

    @_noLocks
    public func read(_ index: Int) -> UInt64 {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe vx_load_relaxed_u64(base + index)
    }
}
