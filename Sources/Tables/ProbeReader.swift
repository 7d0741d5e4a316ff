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
    @usableFromInline let bucketMask: UInt32

    /// Where an entry is, for the loop that has just looked it up.
    public struct Entry: BitwiseCopyable {
        /// The index of its key among the words of `entries`, negative when there is none.
        @usableFromInline let word: Int

        @inlinable @_noLocks @inline(__always)
        init(word: Int) { self.word = word }

        @inlinable @_noLocks @inline(__always)
        init(slot: Int) { word = slot &* 2 }

        @inlinable static var none: Entry { @_noLocks @inline(__always) get { Entry(word: -1) } }

        @inlinable public var isFound: Bool { @_noLocks @inline(__always) get { word >= 0 } }
        /// Its number among all slots, or -1.
        @inlinable public var slot: Int { @_noLocks @inline(__always) get { word &>> 1 } }
    }

    /// Tags beyond this many bytes do not stay in the cache next to the core and are fetched first.
    private static let residentByteCount = 256 << 10

    /// The slot of `key`, or -1.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt64) -> Int {
        let entry = findFirst(key)
        return entry.isFound ? entry.slot : findElsewhere(key)
    }

    /// The entry where `key` most likely is; none says nothing. No call.
    @inlinable @_noLocks @inline(__always)
    public func findFirst(_ key: UInt64) -> Entry {
        let hash = Self.hash(key)
        let bucket = self.bucket(hash)
        let matches = self.matches(bucket, Self.tag(hash))
        guard matches != 0 else { return .none }
        let entry = Self.entry(bucket, matches)
        return self.key(of: entry) == key ? entry : .none
    }

    /// The same where `guess` has been asked, or somebody has said where the key was once. It may
    /// be any number.
    @inlinable @_noLocks @inline(__always)
    public func confirm(_ key: UInt64, guess: Int32) -> Entry {
        let entry = Entry(slot: Int(guess))
        guard UInt(bitPattern: entry.word) < UInt(bitPattern: entries.count),
            self.key(of: entry) == key
        else { return .none }
        return entry
    }

    /// The value of `key` when it is in the slot where it was once, or nil.
    @inlinable @_noLocks @inline(__always)
    public func value(atHint hint: Int32, for key: UInt64) -> UInt32? {
        // In this order: while the reader's turn lasts, a slot that has this key has its value.
        let entry = confirm(key, guess: hint)
        return entry.isFound ? value(of: entry) : nil
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

    /// The value of an entry that has just been found.
    @inlinable @_noLocks @inline(__always)
    public func value(of entry: Entry) -> UInt32 {
        unsafe vx_load_acquire_u32(valuePointer(entry))
    }

    /// Notes that the entry was seen at `time` (coarse ticks); writes only when that is news.
    @inlinable @_noLocks @inline(__always)
    public func touch(_ slot: Int, time: UInt32) {
        guard slot >= 0 else { return }
        unsafe touch(valuePointer(slot) + 1, time)
    }

    /// The same for an entry that has just been found.
    @inlinable @_noLocks @inline(__always)
    public func touch(_ entry: Entry, time: UInt32) {
        unsafe touch(valuePointer(entry) + 1, time)
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func touch(_ age: UnsafeMutablePointer<UInt32>, _ time: UInt32) {
        if unsafe vx_load_relaxed_u32(age) != time {
            unsafe vx_store_relaxed_u32(age, time)
        }
    }

    /// Fetches what `find` will read first for `key`.
    @_noLocks @inline(__always)
    private func prefetch(_ key: UInt64) {
        unsafe vx_prefetch(tagPointer(bucket(Self.hash(key))))
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
        let bucket = self.bucket(hash)
        let tag = Self.tag(hash)
        let matches = self.matches(bucket, tag)
        guard matches != 0 else {
            unsafe vx_prefetch(tagPointer(alternative(bucket, tag)))
            return -1
        }
        let entry = Self.entry(bucket, matches)
        unsafe vx_prefetch(entries.boundedPointer(at: entry.word))
        return entry.slot
    }

    @_noLocks @inline(never)
    private func guessElsewhere(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let bucket = alternative(self.bucket(hash), tag)
        let matches = self.matches(bucket, tag)
        guard matches != 0 else { return -1 }
        let entry = Self.entry(bucket, matches)
        unsafe vx_prefetch(entries.boundedPointer(at: entry.word))
        return entry.slot
    }

    /// The slot of `key`, or -1.
    /// - Parameter guess: what `guess` said.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt64, guess: Int32) -> Int {
        let entry = confirm(key, guess: guess)
        return entry.isFound ? entry.slot : findElsewhere(key)
    }

    /// The whole search, for keys that are not where most are.
    @usableFromInline @_noLocks @inline(never)
    func findElsewhere(_ key: UInt64) -> Int {
        let hash = Self.hash(key)
        let tag = Self.tag(hash)
        let first = bucket(hash)
        let slot = find(key, tag, first)
        return slot >= 0 ? slot : find(key, tag, alternative(first, tag))
    }

    @_noLocks @inline(__always)
    private func find(_ key: UInt64, _ tag: UInt64, _ bucket: UInt64) -> Int {
        var rest = matches(bucket, tag)
        while rest != 0 {
            let entry = Self.entry(bucket, rest)
            if self.key(of: entry) == key { return entry.slot }
            // Two bits for each tag.
            rest &= rest &- 1
            rest &= rest &- 1
        }
        return -1
    }

    /// - Parameter entry: of a bucket that the mask has bounded, or compared with the count.
    @inlinable @_noLocks @inline(__always)
    func key(of entry: Entry) -> UInt64 {
        unsafe vx_load_acquire_u64(entries.boundedPointer(at: entry.word))
    }

    @inlinable @_noLocks @inline(__always) @unsafe
    func valuePointer(_ entry: Entry) -> UnsafeMutablePointer<UInt32> {
        let word = unsafe UnsafeMutableRawPointer(entries.boundedPointer(at: entry.word &+ 1))
        return unsafe word.assumingMemoryBound(to: UInt32.self)
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
        unsafe vx_match_u16x8(tagPointer(bucket), UInt16(truncatingIfNeeded: tag))
    }

    /// That of the first match: 16 words a bucket, and two bits for each entry as it has two words.
    @inlinable @_noLocks @inline(__always)
    static func entry(_ bucket: UInt64, _ matches: UInt32) -> Entry {
        let first = Int(truncatingIfNeeded: bucket) &* 16
        return Entry(word: first | matches.trailingZeroBitCount)
    }

    /// Both halves of a product, one over the other: every input bit reaches the lower bits, which
    /// choose the bucket, and the upper, which make the tag.
    @inlinable @_noLocks @inline(__always)
    static func hash(_ key: UInt64) -> UInt64 {
        let product = key.multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }

    /// Zero, which free entries have too, is a tag like others: an entry's key tells.
    @inlinable @_noLocks @inline(__always)
    static func tag(_ hash: UInt64) -> UInt64 { hash &>> 48 }

    /// The first bucket of the two.
    @inlinable @_noLocks @inline(__always)
    func bucket(_ hash: UInt64) -> UInt64 {
        // From 32 bits, so that the compiler knows that nothing made of it is negative.
        UInt64(UInt32(truncatingIfNeeded: hash) & bucketMask)
    }

    @inlinable @_noLocks @inline(__always)
    func alternative(_ bucket: UInt64, _ tag: UInt64) -> UInt64 {
        self.bucket(bucket ^ tag &* 0x5BD1_E995)
    }
}
