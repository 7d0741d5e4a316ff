public import CLinux
public import Memory

/// The parts of a `ProbeTable` side by side, for loops over many lookups: held in registers, where
/// the table's own pointer would be followed again for each key.
///
/// For local use: it is wide, and a copy at every call that is not inlined would cost more than it
/// saves.
///
/// Thread-safety, layout: those of `ProbeTable`; for readers.
@safe
public struct ProbeReader: BitwiseCopyable, @unchecked Sendable {
    @usableFromInline let tags: Column<UInt64>
    /// Of slot n the key at 2n and behind it, in 32 bits each, the value and the age.
    @usableFromInline let entries: Column<UInt64>
    /// Buckets less one: what bounds an index made of a hash.
    @usableFromInline let bucketMask: UInt64

    /// Tags beyond this many bytes do not stay in the cache next to the core and are fetched first.
    private static let residentByteCount = 256 << 10

    /// The slot of `key`, or -1.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt64) -> Int {
        let slot = findFirst(key)
        return slot >= 0 ? slot : findElsewhere(key)
    }

    /// The slot where `key` most likely is, or -1, which says nothing. No call.
    @inlinable @_noLocks @inline(__always)
    public func findFirst(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let bucket = hash & bucketMask
        let matches = self.matches(bucket, Self.tag(hash))
        guard matches != 0 else { return -1 }
        let slot = Self.slot(bucket, matches)
        return self.key(at: slot) == key ? slot : -1
    }

    /// The same where `guess` has been asked, or somebody has said where the key was once. It may
    /// be any number.
    @inlinable @_noLocks @inline(__always)
    public func confirm(_ key: UInt64, guess: Int32) -> Int {
        let slot = Int(guess)
        guard UInt(bitPattern: slot &* 2) < UInt(bitPattern: entries.count),
            self.key(at: slot) == key
        else { return -1 }
        return slot
    }

    /// The value of `key` when it is in the slot where it was once, or nil.
    @inlinable @_noLocks @inline(__always)
    public func value(atHint hint: Int32, for key: UInt64) -> UInt32? {
        // In this order: while the reader's turn lasts, a slot that has this key has its value.
        let slot = confirm(key, guess: hint)
        return slot >= 0 ? value(at: slot) : nil
    }

    /// Fetches the entry of a slot, if there is such a slot.
    @inlinable @_noLocks @inline(__always)
    public func prefetch(slot: Int32) {
        // An address that is too high by far is no fault either, but a fetch for nothing.
        let word = Int(slot) &* 2
        guard UInt(bitPattern: word) < UInt(bitPattern: entries.count) else { return }
        unsafe vx_prefetch(entries.boundedPointer(at: word))
    }

    /// The value of a slot that `find` has just given.
    @inlinable @_noLocks @inline(__always)
    public func value(at slot: Int) -> UInt32 {
        unsafe vx_load_acquire_u32(valuePointer(slot))
    }

    /// Notes that the entry was seen at `time` (coarse ticks); writes only when that is news.
    @inlinable @_noLocks @inline(__always)
    public func touch(_ slot: Int, time: UInt32) {
        guard slot >= 0 else { return }
        let age = unsafe valuePointer(slot) + 1
        if unsafe vx_load_relaxed_u32(age) != time {
            unsafe vx_store_relaxed_u32(age, time)
        }
    }

    /// Fetches what `find` will read first for `key`.
    @inlinable @_noLocks @inline(__always)
    public func prefetch(_ key: UInt64) {
        unsafe vx_prefetch(tagPointer(Self.hash(key) & bucketMask))
    }

    /// Where `count` keys most likely are, in passes that each fetch what the next one reads: tags,
    /// entries, and both once more for keys that are not in their first bucket. A key equal to the
    /// one before it costs nearly nothing.
    /// - Parameter slots: receives for each key a slot whose tag fits and whose entry is being
    ///   fetched, or -1; `find(_:guess:)` takes it.
    @_noLocks
    public func guess(_ keys: Column<UInt64>, count: Int, slots: Column<Int32>) {
        let isLarge = tags.count > Self.residentByteCount / 8
        var lastKey = ProbeTable.noKey
        if isLarge {
            for index in 0..<count {
                let key = keys[index]
                if key == lastKey { continue }
                lastKey = key
                prefetch(key)
            }
            lastKey = ProbeTable.noKey
        }
        var slot = -1
        for index in 0..<count {
            let key = keys[index]
            if key != lastKey {
                lastKey = key
                slot = guess(key)
            }
            slots[index] = Int32(truncatingIfNeeded: slot)
        }
        guard isLarge else { return }
        for index in 0..<count where slots[index] < 0 {
            slots[index] = Int32(truncatingIfNeeded: guessElsewhere(keys[index]))
        }
    }

    @_noLocks @inline(__always)
    private func guess(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let bucket = hash & bucketMask
        let tag = Self.tag(hash)
        let matches = self.matches(bucket, tag)
        guard matches != 0 else {
            unsafe vx_prefetch(tagPointer(alternative(bucket, tag)))
            return -1
        }
        let slot = Self.slot(bucket, matches)
        unsafe vx_prefetch(entries.boundedPointer(at: slot &* 2))
        return slot
    }

    @_noLocks @inline(never)
    private func guessElsewhere(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let bucket = alternative(hash & bucketMask, tag)
        let matches = self.matches(bucket, tag)
        guard matches != 0 else { return -1 }
        let slot = Self.slot(bucket, matches)
        unsafe vx_prefetch(entries.boundedPointer(at: slot &* 2))
        return slot
    }

    /// The slot of `key`, or -1.
    /// - Parameter guess: what `guess` said.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt64, guess: Int32) -> Int {
        let slot = confirm(key, guess: guess)
        return slot >= 0 ? slot : findElsewhere(key)
    }

    /// The whole search, for keys that are not where most are.
    @usableFromInline @_noLocks @inline(never)
    func findElsewhere(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let first = hash & bucketMask
        let slot = find(key, tag, first)
        return slot >= 0 ? slot : find(key, tag, alternative(first, tag))
    }

    @_noLocks @inline(__always)
    private func find(_ key: UInt64, _ tag: UInt64, _ bucket: UInt64) -> Int {
        var rest = matches(bucket, tag)
        while rest != 0 {
            let slot = Self.slot(bucket, rest)
            if self.key(at: slot) == key { return slot }
            // Two bits for each tag.
            rest &= rest &- 1
            rest &= rest &- 1
        }
        return -1
    }

    /// - Parameter slot: of a bucket that the mask has bounded.
    @inlinable @_noLocks @inline(__always)
    func key(at slot: Int) -> UInt64 {
        unsafe vx_load_acquire_u64(entries.boundedPointer(at: slot &* 2))
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func valuePointer(_ slot: Int) -> UnsafeMutablePointer<UInt32> {
        let word = unsafe UnsafeMutableRawPointer(entries.pointer(at: slot &* 2 &+ 1))
        return unsafe word.assumingMemoryBound(to: UInt32.self)
    }

    /// - Parameter bucket: bounded by the mask.
    @inlinable @_noLocks @inline(__always) @unsafe
    func tagPointer(_ bucket: UInt64) -> UnsafeMutablePointer<UInt64> {
        unsafe tags.boundedPointer(at: Int(truncatingIfNeeded: bucket &* 2))
    }

    /// Two bits for each entry of a bucket with this tag.
    @inlinable @_noLocks @inline(__always)
    func matches(_ bucket: UInt64, _ tag: UInt64) -> UInt32 {
        let pointer = unsafe tagPointer(bucket)
        return unsafe vx_match_u16x8(
            vx_load_acquire_u64(pointer), vx_load_acquire_u64(pointer + 1),
            UInt16(truncatingIfNeeded: tag))
    }

    /// That of the first match.
    @inlinable @_noLocks @inline(__always)
    static func slot(_ bucket: UInt64, _ matches: UInt32) -> Int {
        Int(truncatingIfNeeded: bucket &* 8) &+ matches.trailingZeroBitCount &>> 1
    }

    /// Both halves of a product, one over the other: every input bit reaches the lower bits, which
    /// choose the bucket, and the upper, which make the tag.
    @inlinable @_noLocks @inline(__always)
    static func hash(_ key: UInt64) -> UInt64 {
        let product = (key ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }

    /// Never zero, which marks a free entry.
    @inlinable @_noLocks @inline(__always)
    static func tag(_ hash: UInt64) -> UInt64 { hash &>> 48 | 1 }

    @inlinable @_noLocks @inline(__always)
    func alternative(_ bucket: UInt64, _ tag: UInt64) -> UInt64 {
        (bucket ^ tag &* 0x5BD1_E995) & bucketMask
    }
}
