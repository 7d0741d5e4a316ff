/// The bytes of one frame, where they lie.
///
/// A trivial value: a pointer and a count. Every access is checked against the count, so that no
/// length in a packet can make the gateway read or write outside the frame.
///
/// Lifetime: the slot that holds the frame; a view is never kept beyond the turn that made it.
@safe
public struct FrameView {
    @usableFromInline let base: UnsafeMutablePointer<UInt8>
    public let count: Int

    /// - Parameter base: `count` readable and writable bytes.
    @_noLocks
    public init(base: UnsafeMutablePointer<UInt8>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @_noLocks
    public func loadUInt8(at offset: Int) -> UInt8 {
        checkRange(offset, 1)
        return unsafe base[offset]
    }

    /// Big-endian, as every multi-byte integer on the wire.
    @_noLocks
    public func loadUInt16(at offset: Int) -> UInt16 {
        checkRange(offset, 2)
        return unsafe UInt16(
            bigEndian: UnsafeRawPointer(base).loadUnaligned(
                fromByteOffset: offset, as: UInt16.self))
    }

    @_noLocks
    public func loadUInt32(at offset: Int) -> UInt32 {
        checkRange(offset, 4)
        return unsafe UInt32(
            bigEndian: UnsafeRawPointer(base).loadUnaligned(
                fromByteOffset: offset, as: UInt32.self))
    }

    @_noLocks
    public func loadUInt64(at offset: Int) -> UInt64 {
        checkRange(offset, 8)
        return unsafe UInt64(
            bigEndian: UnsafeRawPointer(base).loadUnaligned(
                fromByteOffset: offset, as: UInt64.self))
    }

    /// The octet at `offset` lowest, for those to whom the order of octets is all the same.
    @_noLocks
    public func loadUInt64LowestFirst(at offset: Int) -> UInt64 {
        checkRange(offset, 8)
        return unsafe UInt64(
            littleEndian: UnsafeRawPointer(base).loadUnaligned(
                fromByteOffset: offset, as: UInt64.self))
    }

    /// Six octets at `offset`.
    @_noLocks
    public func loadMACAddress(at offset: Int) -> MACAddress {
        MACAddress(
            bits: UInt64(loadUInt32(at: offset)) &<< 16 | UInt64(loadUInt16(at: offset &+ 4)))
    }

    @_noLocks
    public func loadIPv4Address(at offset: Int) -> IPv4Address {
        IPv4Address(bits: loadUInt32(at: offset))
    }

    @_noLocks
    public func store(_ value: UInt8, at offset: Int) {
        checkRange(offset, 1)
        unsafe base[offset] = value
    }

    @_noLocks
    public func store(_ value: UInt16, at offset: Int) {
        checkRange(offset, 2)
        unsafe UnsafeMutableRawPointer(base).storeBytes(
            of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    @_noLocks
    public func store(_ value: UInt32, at offset: Int) {
        checkRange(offset, 4)
        unsafe UnsafeMutableRawPointer(base).storeBytes(
            of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @_noLocks
    public func store(_ value: UInt64, at offset: Int) {
        checkRange(offset, 8)
        unsafe UnsafeMutableRawPointer(base).storeBytes(
            of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }

    @_noLocks
    public func store(_ value: MACAddress, at offset: Int) {
        store(UInt32(truncatingIfNeeded: value.bits &>> 16), at: offset)
        store(UInt16(truncatingIfNeeded: value.bits), at: offset &+ 4)
    }

    @_noLocks
    public func store(_ value: IPv4Address, at offset: Int) { store(value.bits, at: offset) }

    /// The bytes from `offset` to the end.
    @_noLocks
    public func dropFirst(_ offset: Int) -> FrameView {
        checkRange(offset, 0)
        return unsafe FrameView(base: base + offset, count: count &- offset)
    }

    /// The first `length` bytes.
    @_noLocks
    public func prefix(_ length: Int) -> FrameView {
        checkRange(0, length)
        return unsafe FrameView(base: base, count: length)
    }

    /// The first byte, for calls that take an address.
    @unsafe public var pointer: UnsafeMutablePointer<UInt8> { @_noLocks get { unsafe base } }

    /// Stays on in release builds: it is the promise that a packet cannot reach outside its buffer.
    @_noLocks @inline(__always)
    @usableFromInline
    func checkRange(_ offset: Int, _ length: Int) {
        precondition(offset >= 0 && length >= 0 && offset <= count &- length)
    }
}
