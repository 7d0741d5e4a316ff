public import CLinux

/// A ring between two threads: one pushes, one pops, nobody waits.
///
/// | producer | consumer |
/// |---|---|
/// | `push` | `pop`, `isEmpty` |
/// | writes `tail` | writes `head` |
///
/// A trivial handle; the creator calls `deallocate` after both threads have stopped.
///
/// Thread-safety: exactly one producer and one consumer at a time. An element is visible to the
/// consumer as a whole (release of `tail`, acquire by `pop`).
/// Layout: head, tail and the cached copies of each other lie on lines of their own.
/// Capacity: a power of two, fixed; `push` into a full ring returns false and the caller counts it.
@safe
public struct SPSCRing<Element: BitwiseCopyable>: @unchecked Sendable {
    // Words 0: tail, 8: producer's copy of head, 16: head, 24: consumer's copy of tail.
    @usableFromInline let words: Column<UInt64>
    @usableFromInline let elements: Column<Element>
    @usableFromInline let mask: UInt64

    /// - Parameter capacity: a power of two.
    public init(capacity: Int, filler: Element) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0)
        words = Column(count: 32, repeating: 0)
        elements = Column(count: capacity, repeating: filler)
        mask = UInt64(capacity - 1)
    }

    /// Producer only. False when the ring is full; nothing was written then.
    @inlinable
    public func push(_ element: Element) -> Bool {
        let tail = words[0]
        if tail &- words[8] > mask {
            words[8] = unsafe vx_load_acquire_u64(words.pointer(at: 16))
            if tail &- words[8] > mask { return false }
        }
        elements[Int(truncatingIfNeeded: tail & mask)] = element
        unsafe vx_store_release_u64(words.pointer(at: 0), tail &+ 1)
        return true
    }

    /// Consumer only. Nil when the ring is empty.
    @inlinable
    public func pop() -> Element? {
        let head = words[16]
        if head == words[24] {
            words[24] = unsafe vx_load_acquire_u64(words.pointer(at: 0))
            if head == words[24] { return nil }
        }
        let element = elements[Int(truncatingIfNeeded: head & mask)]
        unsafe vx_store_release_u64(words.pointer(at: 16), head &+ 1)
        return element
    }

    /// Producer only. How many were pushed so far.
    @inlinable
    public var pushedCount: UInt64 { words[0] }

    /// Consumer only.
    @inlinable
    public var isEmpty: Bool {
        unsafe vx_load_acquire_u64(words.pointer(at: 0)) == words[16]
    }

    public func deallocate() {
        words.deallocate()
        elements.deallocate()
    }
}
