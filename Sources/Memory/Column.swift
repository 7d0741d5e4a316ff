internal import Glibc

/// One value for each lane, slot or entry: a fixed number of elements in one stretch of memory.
///
/// A trivial handle: copying it copies the pointer. Whoever calls `init` calls `deallocate` when
/// nothing uses the column any more. Every subscript is checked against the count.
///
/// Thread-safety: none of its own; a column belongs to one thread unless its owner says otherwise.
/// Layout: 64-byte aligned, elements adjacent. From 2 MiB on, huge pages where the kernel gives
/// them: random rows of a large table would otherwise each miss the TLB as well as the cache.
@safe
public struct Column<Element: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let count: Int

    /// Memory for `count` elements, every one `value`.
    public init(count: Int, repeating value: Element) {
        precondition(count >= 0)
        let byteCount = max(count, 1) * MemoryLayout<Element>.stride
        let hugePage = 2 << 20
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: byteCount, alignment: byteCount < hugePage ? 64 : hugePage)
        // A kernel without them refuses, and the column is as good as before.
        if byteCount >= hugePage {
            _ = unsafe madvise(raw, byteCount & ~(hugePage - 1), MADV_HUGEPAGE)
        }
        unsafe base = raw.bindMemory(to: Element.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: value, count: max(count, 1))
        self.count = count
    }

    /// Memory that somebody else owns.
    @_transparent
    @usableFromInline
    init(base: UnsafeMutablePointer<Element>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    public init(_ elements: [Element], default value: Element) {
        self.init(count: elements.count, repeating: value)
        unsafe elements.withUnsafeBufferPointer {
            guard let source = $0.baseAddress else { return }
            unsafe base.update(from: source, count: elements.count)
        }
    }

    @inlinable
    public subscript(_ index: Int) -> Element {
        @_transparent get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return unsafe base[index]
        }
        @_transparent nonmutating set {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            unsafe base[index] = newValue
        }
    }

    /// The address of an element, for prefetching and atomics.
    @_transparent @unsafe
    public func pointer(at index: Int) -> UnsafeMutablePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return unsafe base + index
    }

    /// The address of an element whose index the caller has bounded by other means, as by a mask
    /// below the count.
    @_transparent @unsafe
    public func boundedPointer(at index: Int) -> UnsafeMutablePointer<Element> {
        unsafe base + index
    }

    /// Frees the memory. No handle may be used afterwards.
    public func deallocate() { unsafe base.deallocate() }
}
