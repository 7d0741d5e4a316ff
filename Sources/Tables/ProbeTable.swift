public import CLinux
public import Memory

/// A hash table from 64-bit keys to 32-bit values that one thread edits while others look up.
///
/// Two candidate buckets of eight entries for each key; a 16-bit tag for each entry, the eight of a
/// bucket side by side, so that one look decides whether a bucket can hold the key.
///
/// A trivial handle, one pointer wide, over memory made by `init` and freed by `deallocate`: a
/// wider one would be copied to the stack at every call.
///
/// Thread-safety: one writer (`insert`, `setValue`, `remove`); any number of concurrent readers
/// (`find`, `value`, `touch`, and those of `ProbeReader`). A slot that a reader found stands for
/// the same key until the reader's next turn, whatever the writer does: a removed slot is free only
/// after `reclaim`, which the writer calls when every reader has begun a new turn.
/// Layout: tags 16 bytes a bucket; key, value and age side by side, 128 bytes a bucket, so that an
/// entry that is found, and touched, costs one line besides its tag.
/// Capacity: fixed; `insert` returns nil when both buckets are full and the owner makes a larger
/// table.
@safe
public struct ProbeTable: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline
    struct Layout: BitwiseCopyable {
        @usableFromInline let reader: ProbeReader
        /// One word: how many entries are in use. Readers may look at it.
        @usableFromInline let occupied: Column<UInt64>
    }

    @usableFromInline let layout: Cell<Layout>
    /// Its parts, for loops.
    @inlinable public var reader: ProbeReader {
        @_noLocks @inline(__always) get { layout.value.reader }
    }
    private var tags: Column<UInt64> { layout.value.reader.tags }
    private var entries: Column<UInt64> { layout.value.reader.entries }
    private var bucketCount: Int { entries.count / 16 }

    /// Entries in the first bucket of a key from which on the emptier of its two is taken. Up to
    /// there the first is enough to look at, and the other is hardly ever touched.
    private static let crowded = 6
    /// The key of a free entry. Not zero: nothing may find a free entry, whatever it asks for.
    public static var noKey: UInt64 { @_noLocks get { 0xFFFF_FFFF_FFFE_FFFF } }
    /// The key of a removed entry until it is reclaimed.
    private static var removedKey: UInt64 { .max }

    /// - Parameter buckets: a power of two; eight entries each.
    public init(buckets: Int) {
        precondition(buckets > 0 && buckets & (buckets - 1) == 0)
        layout = Cell(
            Layout(
                reader: ProbeReader(
                    tags: Column(count: buckets * 2, repeating: 0),
                    entries: Column(count: buckets * 16, repeating: Self.noKey),
                    bucketMask: UInt32(buckets - 1)),
                occupied: Column(count: 1, repeating: 0)))
    }

    @inlinable public var count: Int {
        @_noLocks get {
            let count = unsafe vx_load_relaxed_u64(layout.value.occupied.pointer(at: 0))
            return Int(truncatingIfNeeded: count)
        }
    }
    /// What is in use stays in the cache of a core: asked one by one, keys cost less than when all
    /// of a batch are fetched first.
    @inlinable public var isSmall: Bool { @_noLocks get { count <= 4096 } }
    @inlinable public var capacity: Int { @_noLocks get { layout.value.reader.entries.count / 2 } }
    public var byteCount: Int { tags.count * 8 + capacity * 16 }

    // MARK: Looking up

    /// The slot of `key`, or -1.
    @_noLocks
    public func find(_ key: UInt64) -> Int { reader.find(key) }

    /// The value of a slot that `find` gave for `key`, or nil when the entry has gone since.
    @inlinable @_noLocks @inline(__always)
    public func value(at slot: Int, for key: UInt64) -> UInt32? {
        // In this order: while the reader's turn lasts, a slot that has this key has its value.
        guard slot >= 0, unsafe vx_load_acquire_u64(keyPointer(slot)) == key else { return nil }
        return unsafe vx_load_acquire_u32(valuePointer(slot))
    }

    /// Notes that the entry was seen at `time` (coarse ticks); writes only when that is news.
    @inlinable @_noLocks @inline(__always)
    public func touch(_ slot: Int, time: UInt32) { reader.touch(slot, time: time) }

    public func lastTouched(_ slot: Int) -> UInt32 {
        unsafe vx_load_relaxed_u32(valuePointer(slot) + 1)
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func keyPointer(_ slot: Int) -> UnsafeMutablePointer<UInt64> {
        unsafe layout.value.reader.entries.pointer(at: slot &* 2)
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func valuePointer(_ slot: Int) -> UnsafeMutablePointer<UInt32> {
        unsafe layout.value.reader.valuePointer(slot)
    }

    // MARK: Editing (the writer only)

    /// Adds `key` or replaces its value. Nil when there is no room for a new key.
    /// - Precondition: `key` is neither `noKey` nor the highest number. No key of a table is: there
    ///   is no VSI and no interface 65535.
    public func insert(_ key: UInt64, value: UInt32, time: UInt32) -> Int? {
        precondition(key != Self.noKey && key != Self.removedKey)
        let present = find(key)
        if present >= 0 {
            setValue(value, at: present)
            return present
        }
        let hash = ProbeReader.hash(key)
        let tag = ProbeReader.tag(hash)
        let first = reader.bucket(hash)
        let second = reader.alternative(first, tag)
        let isFirst = load(of: first) < Self.crowded || load(of: first) <= load(of: second)
        let bucket = isFirst ? first : second
        guard let slot = freeSlot(in: bucket) else { return nil }
        unsafe vx_store_release_u32(valuePointer(slot), value)
        unsafe vx_store_relaxed_u32(valuePointer(slot) + 1, time)
        unsafe vx_store_release_u64(keyPointer(slot), key)
        // Last: a tag promises that the key is there.
        setTag(tag, at: slot)
        setCount(count + 1)
        return slot
    }

    public func setValue(_ value: UInt32, at slot: Int) {
        unsafe vx_store_release_u32(valuePointer(slot), value)
    }

    /// Takes the entry out. Its slot stays unused until `reclaim`.
    public func remove(at slot: Int) {
        precondition(isOccupied(slot))
        unsafe vx_store_release_u64(keyPointer(slot), Self.removedKey)
        setTag(0, at: slot)
        setCount(count - 1)
    }

    private func setCount(_ count: Int) {
        unsafe vx_store_relaxed_u64(layout.value.occupied.pointer(at: 0), UInt64(count))
    }

    /// Makes a removed slot free again. Every reader has begun a new turn since it was removed.
    public func reclaim(_ slot: Int) {
        precondition(key(at: slot) == Self.removedKey)
        unsafe vx_store_release_u64(keyPointer(slot), Self.noKey)
    }

    public func isOccupied(_ slot: Int) -> Bool {
        key(at: slot) != Self.noKey && key(at: slot) != Self.removedKey
    }

    /// Calls `body` with every entry; the body may remove the entry it is given.
    public func visit(_ body: (_ slot: Int, _ key: UInt64, _ value: UInt32) -> Void) {
        for slot in 0..<capacity where isOccupied(slot) {
            unsafe body(slot, key(at: slot), vx_load_relaxed_u32(valuePointer(slot)))
        }
    }

    @_noLocks
    public func key(at slot: Int) -> UInt64 { unsafe vx_load_acquire_u64(keyPointer(slot)) }

    /// A table of twice the size with the same entries; slots differ.
    public func grown() -> ProbeTable {
        var buckets = bucketCount * 2
        while true {
            let larger = ProbeTable(buckets: buckets)
            var complete = true
            visit { slot, key, value in
                guard larger.insert(key, value: value, time: lastTouched(slot)) != nil else {
                    complete = false
                    return
                }
            }
            if complete { return larger }
            larger.deallocate()
            buckets *= 2
        }
    }

    public func deallocate() {
        tags.deallocate()
        entries.deallocate()
        layout.value.occupied.deallocate()
        layout.deallocate()
    }

    private func load(of bucket: UInt64) -> Int {
        let base = Int(bucket) * 8
        return (base..<base + 8).reduce(0) { $0 + (key(at: $1) == Self.noKey ? 0 : 1) }
    }

    private func freeSlot(in bucket: UInt64) -> Int? {
        let base = Int(bucket) * 8
        return (base..<base + 8).first { key(at: $0) == Self.noKey }
    }

    private func setTag(_ tag: UInt64, at slot: Int) {
        let word = slot / 4
        let shift = UInt64(slot % 4) * 16
        let cleared = tags[word] & ~(0xFFFF << shift)
        unsafe vx_store_release_u64(tags.pointer(at: word), cleared | tag << shift)
    }
}
