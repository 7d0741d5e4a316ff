/// A `Column` whose length the compiler knows: one check of an index serves every column of that
/// length, and none loads the length.
///
/// A trivial handle, one pointer wide: copying it copies the pointer. Whoever calls `init` calls
/// `deallocate` when nothing uses the column any more. Every subscript is checked.
///
/// Thread-safety: none of its own; a column belongs to one thread unless its owner says otherwise.
/// Layout: 64-byte aligned, elements adjacent.
@safe
public struct FixedColumn<let capacity: Int, Element: BitwiseCopyable>: BitwiseCopyable,
    @unchecked Sendable
{
    @usableFromInline let base: UnsafeMutablePointer<Element>

    /// Memory for `capacity` elements, every one `value`.
    public init(repeating value: Element) {
        unsafe base = Column(count: capacity, repeating: value).pointer(at: 0)
    }

    /// A part of memory that somebody else owns and frees.
    /// - Parameter memory: aligned for an element, with room for `capacity` of them.
    @_transparent @unsafe
    public init(at memory: UnsafeMutableRawPointer) {
        unsafe base = memory.assumingMemoryBound(to: Element.self)
    }

    @inlinable
    public subscript(_ index: Int) -> Element {
        @_transparent get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
            return unsafe base[index]
        }
        @_transparent nonmutating set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: capacity))
            unsafe base[index] = newValue
        }
    }

    /// The same memory, for those who take columns of any length.
    @inlinable
    public var column: Column<Element> {
        @_transparent get { unsafe Column(base: base, count: capacity) }
    }

    /// Frees the memory. No handle may be used afterwards.
    public func deallocate() { unsafe base.deallocate() }
}

extension FixedColumn where Element == UInt32 {
    /// The sum of the first `count` elements, several at a time.
    @inlinable @inline(__always)
    public func sum(_ count: Int) -> UInt64 {
        precondition(count >= 0 && count <= capacity)
        var sum: UInt64 = 0
        for index in 0..<count { sum &+= unsafe UInt64(base[index]) }
        return sum
    }
}
