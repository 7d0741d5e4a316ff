public import Memory

/// A map from 32-bit keys to 32-bit values that is built once and then only read: VNI to VSI, VTEP
/// address to peer. Linear probing at a load of at most one half.
///
/// Thread-safety: immutable after `init`. Layout: key and value in one word. Capacity: that of
/// `init`.
@safe
public struct FixedMap: Sendable {
    @usableFromInline let words: Column<UInt64>
    @usableFromInline let mask: Int
    @usableFromInline static var free: UInt64 { @_noLocks get { .max } }

    /// - Precondition: no value is `UInt32.max` together with the key `UInt32.max`.
    public init(_ pairs: [(key: UInt32, value: UInt32)]) {
        var size = 8
        while size < pairs.count * 2 { size *= 2 }
        words = Column(count: size, repeating: Self.free)
        mask = size - 1
        for pair in pairs {
            var index = Self.hash(pair.key) & mask
            while words[index] != Self.free { index = (index + 1) & mask }
            words[index] = UInt64(pair.key) << 32 | UInt64(pair.value)
        }
    }

    /// The value of `key`, or -1.
    @inlinable @_noLocks @inline(__always)
    public func find(_ key: UInt32) -> Int {
        let index = Self.hash(key) & mask
        let word = words[index]
        guard word &>> 32 == UInt64(key), word != Self.free else { return find(key, from: index) }
        return Int(word & 0xFFFF_FFFF)
    }

    @usableFromInline @_noLocks @inline(never)
    func find(_ key: UInt32, from start: Int) -> Int {
        var index = start
        while true {
            let word = words[index]
            if word == Self.free { return -1 }
            if word &>> 32 == UInt64(key) { return Int(word & 0xFFFF_FFFF) }
            index = (index &+ 1) & mask
        }
    }

    public func deallocate() { words.deallocate() }

    @inlinable @_noLocks @inline(__always)
    static func hash(_ key: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) &>> 32)
    }
}
