/// The one's-complement checksum of IPv4, ICMP, UDP and TCP: whole (RFC 1071) and incremental
/// (RFC 1624).
///
/// A *sum* is a `UInt64` of 16-bit words that is not folded yet, so that several ranges and a
/// pseudo-header are added by handing one sum to the next as `initial`. Every range but the last
/// has an even length. `checksum(_:)` ends the chain with the value that goes on the wire.
public enum InternetChecksum {
    /// Adds the words of `length` bytes at `offset` to `initial`; an odd last byte is padded with
    /// zero.
    ///
    /// The words are added as they lie in memory and the byte order is put right once at the end,
    /// which the sum allows (RFC 1071 section 2B). Eight 32-bit lanes are added at a time, their
    /// halves apart, so that no lane can carry out within 2 MiB.
    ///
    /// - Parameter length: at most 1 MiB; packets end at 64 KiB.
    @_noLocks
    public static func sum(
        _ frame: FrameView, offset: Int, length: Int, initial: UInt64
    ) -> UInt64 {
        frame.checkRange(offset, length)
        assert(length <= 1 << 20)
        let bytes = unsafe UnsafeRawPointer(frame.base)
        let end = offset &+ length
        var position = offset
        var native: UInt64 = 0
        if length >= 64 {
            native = unsafe sumOfBlocks(bytes, from: offset, to: offset &+ (length & ~31))
            position = offset &+ (length & ~31)
        }
        while end &- position >= 8 {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            native &+= (word & 0xFFFF_FFFF) &+ (word &>> 32)
            position &+= 8
        }
        if end &- position >= 4 {
            native &+= unsafe UInt64(
                bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
            position &+= 4
        }
        if end &- position >= 2 {
            native &+= unsafe UInt64(
                bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self))
            position &+= 2
        }
        if position < end {
            native &+= unsafe UInt64(UInt16(frame.base[position]).littleEndian)
        }
        return initial &+ UInt64(fold(native).bigEndian)
    }

    /// `sum` brought to 16 bits by adding the carries back. Zero only when every word was zero.
    @_noLocks @inline(__always)
    public static func fold(_ sum: UInt64) -> UInt16 {
        var folded = (sum & 0xFFFF_FFFF) &+ (sum &>> 32)
        folded = (folded & 0xFFFF) &+ (folded &>> 16)
        folded = (folded & 0xFFFF) &+ (folded &>> 16)
        folded = (folded & 0xFFFF) &+ (folded &>> 16)
        return UInt16(truncatingIfNeeded: folded)
    }

    /// `sum` is over data that hold a right checksum: folded it would be 0xFFFF. In other words,
    /// 65535 divides it and it is not zero, which one product by the inverse of 65535 shows.
    @_noLocks @inline(__always)
    public static func isRight(_ sum: UInt64) -> Bool {
        sum != 0 && sum &* 0xFFFE_FFFE_FFFE_FFFF <= UInt64.max / 0xFFFF
    }

    /// The checksum field for a sum over everything but the field itself. Over data that already
    /// holds a right checksum the result is zero.
    @_noLocks
    public static func checksum(_ sum: UInt64) -> UInt16 { ~fold(sum) }

    /// As `checksum(_:)`, for UDP, where zero on the wire means "none" and is sent as all ones
    /// (RFC 768).
    @_noLocks
    public static func checksumUDP(_ sum: UInt64) -> UInt16 {
        let checksum = ~fold(sum)
        return checksum == 0 ? 0xFFFF : checksum
    }

    /// The pseudo-header of UDP and TCP over IPv4 (RFC 9293 section 3.1).
    ///
    /// - Parameter length: bytes of transport header and payload.
    @_noLocks
    public static func pseudoHeaderIPv4(
        source: IPv4Address, destination: IPv4Address, protocolNumber: UInt8, length: Int
    ) -> UInt64 {
        UInt64(source.bits) &+ UInt64(destination.bits) &+ UInt64(protocolNumber)
            &+ UInt64(truncatingIfNeeded: length)
    }

    /// The pseudo-header over IPv6 (RFC 8200 section 8.1); the two addresses lie together, source
    /// first, at `addressOffset`.
    @_noLocks
    public static func pseudoHeaderIPv6(
        _ frame: FrameView, addressOffset: Int, protocolNumber: UInt8, length: Int
    ) -> UInt64 {
        sum(
            frame, offset: addressOffset, length: 32,
            initial: UInt64(protocolNumber) &+ UInt64(truncatingIfNeeded: length))
    }

    /// The checksum after one 16-bit word of the data changed (RFC 1624 equation 3). Equal to a
    /// full computation unless all of the data are zero now, which the data of IP and TCP never
    /// are.
    @_noLocks @inline(__always)
    public static func updated(
        _ checksum: UInt16, replacing old: UInt16, with new: UInt16
    ) -> UInt16 {
        ~fold(UInt64(~checksum) &+ UInt64(~old) &+ UInt64(new))
    }

    /// The checksum after an aligned 32-bit field of the data changed.
    @_noLocks @inline(__always)
    public static func updated(
        _ checksum: UInt16, replacing old: UInt32, with new: UInt32
    ) -> UInt16 {
        ~fold(UInt64(~checksum) &+ UInt64(~old) &+ UInt64(new))
    }

    /// `from..<to` is a multiple of 32 bytes.
    @_noLocks
    private static func sumOfBlocks(
        _ bytes: UnsafeRawPointer, from start: Int, to end: Int
    ) -> UInt64 {
        var low = SIMD8<UInt32>()
        var high = SIMD8<UInt32>()
        var position = start
        while position < end {
            let words = unsafe bytes.loadUnaligned(
                fromByteOffset: position, as: SIMD8<UInt32>.self)
            low &+= words & SIMD8(repeating: 0xFFFF)
            high &+= words &>> SIMD8(repeating: 16)
            position &+= 32
        }
        var total: UInt64 = 0
        for lane in 0..<8 {
            total &+= UInt64(low[lane]) &+ UInt64(high[lane])
        }
        return total
    }
}
