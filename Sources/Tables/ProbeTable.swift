public import CLinux
public import Memory

/// A hash table from 64-bit keys to 64-bit values that one thread edits while others look up.
///
/// Two candidate buckets of eight entries for each key; a 16-bit tag for each entry, the eight of a
/// bucket side by side, so that one look decides whether a bucket can hold the key.
///
/// A trivial handle, one pointer wide, over memory made by `init` and freed by `deallocate`: a
/// wider one would be copied to the stack at every call.
///
/// Thread-safety: one writer (`insert`, `setValue`, `remove`); any number of concurrent readers
/// (`find`, `value`, `touch`). A slot that a reader found stands for the same key until the
/// reader's next turn, whatever the writer does: a removed slot is free only after `reclaim`, which
/// the writer calls when every reader has begun a new turn.
/// Layout: tags 16 bytes a bucket; key and value side by side, 128 bytes a bucket, so that an entry
/// that is found costs one line besides its tag; ages 32 bytes.
/// Capacity: fixed; `insert` returns nil when both buckets are full and the owner makes a larger
/// table.
@safe
public struct ProbeTable: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline
    struct Layout: BitwiseCopyable {
        let tags: Column<UInt64>
        /// Of slot n the key at 2n and the value behind it.
        @usableFromInline let entries: Column<UInt64>
        @usableFromInline let ages: Column<UInt32>
        let bucketMask: UInt64
        var occupied = 0
    }

    @usableFromInline let layout: Cell<Layout>
    private var tags: Column<UInt64> { @_noLocks get { layout.value.tags } }
    private var entries: Column<UInt64> { @_noLocks get { layout.value.entries } }
    private var ages: Column<UInt32> { @_noLocks get { layout.value.ages } }
    private var bucketMask: UInt64 { @_noLocks get { layout.value.bucketMask } }

    static let entriesPerBucket = 8
    /// Entries in the first bucket of a key from which on the emptier of its two is taken. Up to
    /// there the first is enough to look at, and the other is hardly ever touched.
    private static let crowded = 6
    /// No entry has this key.
    public static let noKey: UInt64 = 0
    /// The key of a removed entry until it is reclaimed; no entry that can be found has it.
    private static let removedKey = UInt64.max

    /// - Parameter buckets: a power of two; eight entries each.
    public init(buckets: Int) {
        precondition(buckets > 0 && buckets & (buckets - 1) == 0)
        layout = Cell(
            Layout(
                tags: Column(count: buckets * 2, repeating: 0),
                entries: Column(count: buckets * 16, repeating: Self.noKey),
                ages: Column(count: buckets * 8, repeating: 0),
                bucketMask: UInt64(buckets - 1)))
    }

    public var count: Int { layout.value.occupied }
    @inlinable public var capacity: Int { @_noLocks get { layout.value.ages.count } }
    public var byteCount: Int { tags.count * 8 + capacity * 20 }

    // MARK: Looking up

    /// The slot of `key`, or -1.
    @_noLocks
    public func find(_ key: UInt64) -> Int {
        // Free slots hold this key, and a free slot above a match may be reported as one.
        guard key != Self.noKey else { return -1 }
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let first = hash & bucketMask
        let slot = find(key, tag: tag, bucket: first)
        return slot >= 0 ? slot : find(key, tag: tag, bucket: alternative(first, tag))
    }

    /// Finds `count` keys at once, in three passes that each fetch what the next one reads: tags,
    /// entries, keys. A key equal to the one before it costs nearly nothing.
    /// - Parameter slots: receives the slot of each key, or -1.
    @_noLocks
    public func find(keys wanted: Column<UInt64>, count: Int, slots: Column<Int32>) {
        var lastKey = Self.noKey
        for index in 0..<count {
            let key = wanted[index]
            if key != lastKey {
                lastKey = key
                prefetch(key)
            }
        }
        guess(keys: wanted, count: count, slots: slots)
        lastKey = Self.noKey
        var lastSlot: Int32 = -1
        for index in 0..<count {
            let key = wanted[index]
            if key != lastKey {
                lastKey = key
                lastSlot = slots[index]
                if lastSlot < 0 || key != self.key(at: Int(lastSlot)) {
                    lastSlot = Int32(truncatingIfNeeded: find(key))
                }
            }
            slots[index] = lastSlot
        }
    }

    /// The middle pass.
    /// - Parameter slots: receives the slot where each key most likely is, or -1.
    @_noLocks
    private func guess(keys wanted: Column<UInt64>, count: Int, slots: Column<Int32>) {
        var lastKey = Self.noKey
        var lastSlot: Int32 = -1
        for index in 0..<count {
            let key = wanted[index]
            if key != lastKey {
                lastKey = key
                lastSlot = Int32(truncatingIfNeeded: candidate(key))
            }
            slots[index] = lastSlot
        }
    }

    /// The first slot of the first bucket whose tag fits, or -1. Its entry is being fetched; if
    /// there is none, the tags of the alternative bucket are.
    @_noLocks @inline(__always)
    private func candidate(_ key: UInt64) -> Int {
        guard key != Self.noKey else { return -1 }
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let bucket = hash & bucketMask
        let tagWord = Int(truncatingIfNeeded: bucket &* 2)
        let low = Self.matches(unsafe vx_load_relaxed_u64(tags.pointer(at: tagWord)), tag)
        let high = Self.matches(unsafe vx_load_relaxed_u64(tags.pointer(at: tagWord &+ 1)), tag)
        guard low | high != 0 else {
            let second = alternative(bucket, tag)
            unsafe vx_prefetch(tags.pointer(at: Int(truncatingIfNeeded: second &* 2)))
            return -1
        }
        let entry =
            low != 0
            ? low.trailingZeroBitCount &>> 4 : 4 &+ high.trailingZeroBitCount &>> 4
        let slot = Int(truncatingIfNeeded: bucket &* 8) &+ entry
        unsafe vx_prefetch(keyPointer(slot))
        return slot
    }

    /// Fetches what `find` will read first for `key`.
    @_noLocks @inline(__always)
    public func prefetch(_ key: UInt64) {
        let bucket = Self.hash(key) & bucketMask
        unsafe vx_prefetch(tags.pointer(at: Int(truncatingIfNeeded: bucket &* 2)))
    }

    /// Fetches the entry in a slot that may be anything.
    @inlinable @_noLocks @inline(__always)
    public func prefetch(slot: Int) {
        guard slot >= 0, slot < capacity else { return }
        unsafe vx_prefetch(keyPointer(slot))
    }

    /// The value of `key` when it is in the slot where it was once, or nil.
    @inlinable @_noLocks @inline(__always)
    public func value(atHint slot: Int, for key: UInt64) -> UInt64? {
        slot < capacity ? value(at: slot, for: key) : nil
    }

    /// The value of a slot that `find` gave for `key`, or nil when the entry has gone since.
    @inlinable @_noLocks @inline(__always)
    public func value(at slot: Int, for key: UInt64) -> UInt64? {
        guard slot >= 0 else { return nil }
        let value = unsafe vx_load_acquire_u64(valuePointer(slot))
        let current = unsafe vx_load_acquire_u64(keyPointer(slot))
        return current == key ? value : nil
    }

    /// Notes that the entry was seen at `time` (coarse ticks); writes only when that is news.
    @inlinable @_noLocks @inline(__always)
    public func touch(_ slot: Int, time: UInt32) {
        guard slot >= 0 else { return }
        let age = unsafe layout.value.ages.pointer(at: slot)
        if unsafe vx_load_relaxed_u32(age) != time {
            unsafe vx_store_relaxed_u32(age, time)
        }
    }

    public func lastTouched(_ slot: Int) -> UInt32 {
        unsafe vx_load_relaxed_u32(ages.pointer(at: slot))
    }

    @_noLocks
    private func find(_ key: UInt64, tag: UInt64, bucket: UInt64) -> Int {
        let tagWord = Int(truncatingIfNeeded: bucket &* 2)
        let base = Int(truncatingIfNeeded: bucket &* 8)
        let low = Self.matches(unsafe vx_load_relaxed_u64(tags.pointer(at: tagWord)), tag)
        if let slot = confirm(key, low, base) { return slot }
        let high = Self.matches(unsafe vx_load_relaxed_u64(tags.pointer(at: tagWord &+ 1)), tag)
        if let slot = confirm(key, high, base &+ 4) { return slot }
        return -1
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func keyPointer(_ slot: Int) -> UnsafeMutablePointer<UInt64> {
        unsafe layout.value.entries.pointer(at: slot &* 2)
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func valuePointer(_ slot: Int) -> UnsafeMutablePointer<UInt64> {
        unsafe layout.value.entries.pointer(at: slot &* 2 &+ 1)
    }

    @_noLocks @inline(__always)
    private func confirm(_ key: UInt64, _ matches: UInt64, _ base: Int) -> Int? {
        var rest = matches
        while rest != 0 {
            let slot = base &+ rest.trailingZeroBitCount &>> 4
            if unsafe vx_load_acquire_u64(keyPointer(slot)) == key { return slot }
            rest &= rest &- 1
        }
        return nil
    }

    /// The top bit of each 16-bit field of `word` that equals `tag`; a field above a match may be
    /// reported falsely, which the comparison of keys sorts out.
    @_noLocks @inline(__always)
    private static func matches(_ word: UInt64, _ tag: UInt64) -> UInt64 {
        let difference = word ^ (tag &* 0x0001_0001_0001_0001)
        return (difference &- 0x0001_0001_0001_0001) & ~difference & 0x8000_8000_8000_8000
    }

    @_noLocks @inline(__always)
    private static func hash(_ key: UInt64) -> UInt64 {
        // The finalizer of SplitMix64: every input bit reaches every output bit.
        var mixed = (key ^ key &>> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed &>> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed &>> 31
    }

    /// Never zero, which marks a free entry.
    @_noLocks @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt64 { hash &>> 48 | 1 }

    @_noLocks @inline(__always)
    private func alternative(_ bucket: UInt64, _ tag: UInt64) -> UInt64 {
        (bucket ^ tag &* 0x5BD1_E995) & bucketMask
    }

    // MARK: Editing (the writer only)

    /// Adds `key` or replaces its value. Nil when there is no room for a new key.
    /// - Precondition: `key` is not `noKey`.
    public func insert(_ key: UInt64, value: UInt64, time: UInt32) -> Int? {
        precondition(key != Self.noKey && key != Self.removedKey)
        let present = find(key)
        if present >= 0 {
            setValue(value, at: present)
            return present
        }
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let first = hash & bucketMask
        let second = alternative(first, tag)
        let isFirst = load(of: first) < Self.crowded || load(of: first) <= load(of: second)
        let bucket = isFirst ? first : second
        guard let slot = freeSlot(in: bucket) else { return nil }
        unsafe vx_store_release_u64(valuePointer(slot), value)
        unsafe vx_store_relaxed_u32(ages.pointer(at: slot), time)
        setTag(tag, at: slot)
        unsafe vx_store_release_u64(keyPointer(slot), key)
        layout.value.occupied += 1
        return slot
    }

    public func setValue(_ value: UInt64, at slot: Int) {
        unsafe vx_store_release_u64(valuePointer(slot), value)
    }

    /// Takes the entry out. Its slot stays unused until `reclaim`.
    public func remove(at slot: Int) {
        precondition(isOccupied(slot))
        unsafe vx_store_release_u64(keyPointer(slot), Self.removedKey)
        setTag(0, at: slot)
        layout.value.occupied -= 1
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
    public func visit(_ body: (_ slot: Int, _ key: UInt64, _ value: UInt64) -> Void) {
        for slot in 0..<capacity where isOccupied(slot) {
            body(slot, key(at: slot), entries[slot * 2 + 1])
        }
    }

    @_noLocks
    public func key(at slot: Int) -> UInt64 { unsafe vx_load_acquire_u64(keyPointer(slot)) }

    /// A table of twice the size with the same entries; slots differ.
    public func grown() -> ProbeTable {
        var buckets = (Int(bucketMask) + 1) * 2
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
        ages.deallocate()
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
