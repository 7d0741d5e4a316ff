public import Memory

/// A map from 32-bit keys to values below 2^31 that is built once and then only read: VNI to VSI,
/// VTEP address to peer. Linear probing at a load of at most one half, a sixteenth for few keys,
/// with the multiplier of several that puts most keys where they are looked for first.
///
/// Thread-safety: immutable after `init`. Layout: key and value in one word. Capacity: that of
/// `init`.
@safe
public struct FixedMap: Sendable {
    @usableFromInline let words: Column<UInt64>
    @usableFromInline let mask: Int
    @usableFromInline let multiplier: UInt64
    @usableFromInline static var free: UInt64 { @_noLocks get { .max } }

    /// Multipliers that are tried, and how many keys are few.
    private static let attempts: UInt64 = 32
    private static let fewKeys = 64

    /// - Precondition: every value is below 2^31.
    public init(_ pairs: [(key: UInt32, value: UInt32)]) {
        let room = pairs.count * (pairs.count <= Self.fewKeys ? 16 : 2)
        var size = 8
        while size < room { size *= 2 }
        let mask = size - 1
        let keys = Set(pairs.map(\.key))
        func displaced(_ multiplier: UInt64) -> Int {
            keys.count - Set(keys.map { Self.hash($0, multiplier) & mask }).count
        }
        let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
        var best = (multiplier: golden, displaced: displaced(golden))
        var attempt: UInt64 = 1
        while best.displaced > 0, attempt < Self.attempts, pairs.count <= Self.fewKeys {
            // Odd, as a product with an even number would lose bits of the key.
            let multiplier = (golden &* (2 * attempt + 1)) | 1
            let count = displaced(multiplier)
            if count < best.displaced { best = (multiplier, count) }
            attempt += 1
        }
        words = Column(count: size, repeating: Self.free)
        self.mask = mask
        multiplier = best.multiplier
        for pair in pairs {
            precondition(pair.value <= Int32.max)
            var index = Self.hash(pair.key, multiplier) & mask
            while words[index] != Self.free { index = (index + 1) & mask }
            words[index] = UInt64(pair.key) << 32 | UInt64(pair.value)
        }
    }

    /// The value of `key`, or -1.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt32) -> Int {
        let value = findFirst(key)
        return value >= 0 ? value : findElsewhere(key)
    }

    /// The same for most keys that are there; -1 says nothing. No call.
    @inlinable @_noLocks @inline(__always)
    public func findFirst(_ key: UInt32) -> Int {
        let index = Self.hash(key, multiplier) & mask
        let word = unsafe words.boundedPointer(at: index).pointee
        // A free word has the highest key, and for its value -1.
        guard word &>> 32 == UInt64(key) else { return -1 }
        return Self.value(of: word)
    }

    @usableFromInline @_noLocks @inline(never)
    func findElsewhere(_ key: UInt32) -> Int {
        var index = Self.hash(key, multiplier) & mask
        while true {
            let word = words[index]
            if word == Self.free { return -1 }
            if word &>> 32 == UInt64(key) { return Self.value(of: word) }
            index = (index &+ 1) & mask
        }
    }

    public func deallocate() { words.deallocate() }

    @inlinable @_noLocks @inline(__always)
    static func value(of word: UInt64) -> Int { Int(Int32(truncatingIfNeeded: word)) }

    @inlinable @_noLocks @inline(__always)
    static func hash(_ key: UInt32, _ multiplier: UInt64) -> Int {
        Int(truncatingIfNeeded: (UInt64(key) &* multiplier) &>> 32)
    }
}
