public import CLinux

/// A ring of records of different lengths between two threads: a fixed header and the bytes of a
/// frame. What is rare enough to be copied crosses threads this way.
///
/// | producer | consumer |
/// |---|---|
/// | `push` | `next`, then `advance` |
/// | writes `tail` | writes `head` |
///
/// A trivial handle; the creator calls `deallocate` after both threads have stopped.
///
/// Thread-safety: exactly one producer and one consumer at a time. A record is visible as a whole.
/// Layout: a word with the length of the bytes, the header, the bytes, padded to eight; a record
/// never wraps: a length of all ones sends the reader back to the start.
/// Capacity: a power of two, fixed, its memory touched as used; `push` into a full ring returns
/// false and the caller counts it.
@safe
public struct FrameRing<Header: BitwiseCopyable>: @unchecked Sendable {
    // Words 0: tail, 8: producer's copy of head, 16: head. All count bytes and never wrap.
    @usableFromInline let words: Column<UInt64>
    @usableFromInline let bytes: Column<UInt8>
    @usableFromInline let capacity: Int
    // Held by hand, so that the ring stays a trivial value.
    private let region: Unmanaged<PageRegion>

    /// - Parameter capacity: bytes, a power of two.
    public init(capacity: Int) {
        precondition(capacity >= 4096 && capacity & (capacity - 1) == 0)
        words = Column(count: 24, repeating: 0)
        let pages = PageRegion(byteCount: capacity)
        bytes = unsafe Column(
            base: pages.base.bindMemory(to: UInt8.self, capacity: capacity), count: capacity)
        unsafe region = Unmanaged.passRetained(pages)
        self.capacity = capacity
    }

    @inlinable
    static var headerByteCount: Int { (8 + MemoryLayout<Header>.stride + 7) & ~7 }

    /// Producer only. False when there is no room; nothing was written then.
    /// Never inlined, so that the audit can tell its copy from one that nobody asked for.
    @inlinable @inline(never)
    public func push(_ header: Header, _ frame: UnsafePointer<UInt8>, count: Int) -> Bool {
        let length = (Self.headerByteCount &+ count &+ 7) & ~7
        guard count >= 0, length <= capacity / 2 else { return false }
        var tail = words[0]
        var start = Int(truncatingIfNeeded: tail) & (capacity &- 1)
        let skipped = start &+ length > capacity ? capacity &- start : 0
        guard hasRoom(skipped &+ length, tail) else { return false }
        let base = unsafe UnsafeMutableRawPointer(bytes.pointer(at: 0))
        if skipped > 0 {
            unsafe base.storeBytes(of: UInt64.max, toByteOffset: start, as: UInt64.self)
            tail = tail &+ UInt64(truncatingIfNeeded: skipped)
            start = 0
        }
        unsafe base.storeBytes(
            of: UInt64(truncatingIfNeeded: count), toByteOffset: start, as: UInt64.self)
        unsafe base.storeBytes(of: header, toByteOffset: start &+ 8, as: Header.self)
        unsafe (base + start + Self.headerByteCount).copyMemory(from: frame, byteCount: count)
        unsafe vx_store_release_u64(
            words.pointer(at: 0), tail &+ UInt64(truncatingIfNeeded: length))
        return true
    }

    @inlinable
    func hasRoom(_ length: Int, _ tail: UInt64) -> Bool {
        if tail &+ UInt64(truncatingIfNeeded: length) &- words[8] <= UInt64(capacity) {
            return true
        }
        words[8] = unsafe vx_load_acquire_u64(words.pointer(at: 16))
        return tail &+ UInt64(truncatingIfNeeded: length) &- words[8] <= UInt64(capacity)
    }

    /// Consumer only. The oldest record, or nil. Its bytes stay where they are until `advance`.
    @inlinable @unsafe
    public func next() -> (header: Header, bytes: UnsafeMutablePointer<UInt8>, count: Int)? {
        while true {
            let head = words[16]
            guard head != (unsafe vx_load_acquire_u64(words.pointer(at: 0))) else { return nil }
            let start = Int(truncatingIfNeeded: head) & (capacity &- 1)
            let base = unsafe UnsafeMutableRawPointer(bytes.pointer(at: 0))
            let count = unsafe base.load(fromByteOffset: start, as: UInt64.self)
            guard count != UInt64.max else {
                let skipped = UInt64(truncatingIfNeeded: capacity &- start)
                unsafe vx_store_release_u64(words.pointer(at: 16), head &+ skipped)
                continue
            }
            let header = unsafe base.load(fromByteOffset: start &+ 8, as: Header.self)
            let frame = unsafe (base + start + Self.headerByteCount).assumingMemoryBound(
                to: UInt8.self)
            return unsafe (header, frame, Int(truncatingIfNeeded: count))
        }
    }

    /// Consumer only. Gives back the record that `next` returned.
    @inlinable
    public func advance() {
        let head = words[16]
        let start = Int(truncatingIfNeeded: head) & (capacity &- 1)
        let base = unsafe UnsafeMutableRawPointer(bytes.pointer(at: 0))
        let count = unsafe base.load(fromByteOffset: start, as: UInt64.self)
        let length = (Self.headerByteCount &+ Int(truncatingIfNeeded: count) &+ 7) & ~7
        unsafe vx_store_release_u64(
            words.pointer(at: 16), head &+ UInt64(truncatingIfNeeded: length))
    }

    /// Consumer only.
    @inlinable
    public var isEmpty: Bool {
        unsafe vx_load_acquire_u64(words.pointer(at: 0)) == words[16]
    }

    /// Producer only. Grows with every record.
    @inlinable
    public var pushedBytes: UInt64 { words[0] }

    /// Consumer only. What the producer's `pushedBytes` was after the last record given back.
    @inlinable
    public var takenBytes: UInt64 { words[16] }

    public func deallocate() {
        words.deallocate()
        unsafe region.release()
    }
}
