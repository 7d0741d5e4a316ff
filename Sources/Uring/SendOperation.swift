internal import CLinux
import Glibc

/// One send being put together: where it goes, the pieces it consists of, what rides beside it.
///
/// The pieces are not copied: their memory stays untouched until the operation's completion.
/// Thread-safety: the sender's thread; used between `begin…` and `commit` only.
@safe
public struct SendOperation {
    let operation: UnsafeMutablePointer<vx_send_operation>

    @_noLocks
    init(_ operation: UnsafeMutablePointer<vx_send_operation>) {
        unsafe self.operation = operation
    }

    /// Bytes appended so far.
    public var byteCount: Int { @_noLocks get { unsafe Int(operation.pointee.byte_count) } }

    /// Pieces that can still be appended.
    public var freePieces: Int {
        @_noLocks get {
            unsafe Int(operation.pointee.vector_capacity) &- operation.pointee.message.msg_iovlen
        }
    }

    /// Bytes of scratch that can still be taken.
    public var freeScratch: Int {
        @_noLocks get {
            unsafe Int(operation.pointee.scratch_capacity &- operation.pointee.scratch_used)
        }
    }

    /// Adds `count` bytes where they lie.
    /// - Returns: false, with nothing added, when there are no pieces left.
    @_noLocks @discardableResult
    public func append(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
        guard freePieces > 0, count >= 0 else { return false }
        let piece =
            unsafe operation.pointee.message.msg_iov
            + operation.pointee.message.msg_iovlen
        unsafe piece.pointee.iov_base = UnsafeMutableRawPointer(mutating: bytes)
        unsafe piece.pointee.iov_len = count
        unsafe operation.pointee.message.msg_iovlen &+= 1
        unsafe operation.pointee.byte_count &+= UInt32(truncatingIfNeeded: count)
        return true
    }

    /// Adds `count` bytes of the operation's own scratch, for a header the caller writes.
    /// - Returns: where to write them; nil, with nothing added, when scratch or pieces run out.
    @_noLocks
    public func appendScratch(count: Int) -> UnsafeMutablePointer<UInt8>? {
        guard count >= 0, count <= freeScratch, freePieces > 0,
            let scratch = unsafe operation.pointee.scratch
        else { return nil }
        let bytes = unsafe scratch + Int(operation.pointee.scratch_used)
        unsafe operation.pointee.scratch_used &+= UInt32(truncatingIfNeeded: count)
        _ = unsafe append(bytes, count: count)
        return unsafe bytes
    }

    /// Adds an offload header; false when scratch or pieces run out.
    @_noLocks @discardableResult
    public func append(_ header: OffloadHeader) -> Bool {
        guard let bytes = unsafe appendScratch(count: OffloadHeader.byteCount)
        else { return false }
        return unsafe header.store(to: bytes, count: OffloadHeader.byteCount)
    }

    /// The TOS octet (DSCP and ECN) of this datagram alone.
    @_noLocks
    public func setTOS(_ tos: UInt8) { setControl(level: 0, type: 1, length: 20, UInt64(tos)) }

    /// The TTL of this datagram alone, 1...255.
    @_noLocks
    public func setTTL(_ ttl: UInt8) { setControl(level: 0, type: 2, length: 20, UInt64(ttl)) }

    /// The kernel cuts the payload into datagrams of `size` bytes, the last may be shorter
    /// (UDP_SEGMENT: at most 128 of them, 65507 bytes in all, outer checksum not switched off).
    @_noLocks
    public func setSegmentSize(_ size: UInt16) {
        setControl(level: 17, type: VX_UDP_SEGMENT, length: 18, UInt64(size))
    }

    /// Each of the three takes 24 bytes of the 72; little endian, so that the value's low bytes
    /// come first whatever its width.
    @_noLocks
    private func setControl(level: Int32, type: Int32, length: UInt64, _ value: UInt64) {
        let used = unsafe operation.pointee.message.msg_controllen
        guard used <= 48, let control = unsafe operation.pointee.message.msg_control
        else { return }
        let entry = unsafe (control + used).assumingMemoryBound(to: vx_control_message.self)
        unsafe entry.pointee = vx_control_message(
            length: length, level: level, type: type, value: value.littleEndian)
        unsafe operation.pointee.message.msg_controllen = used &+ 24
    }
}
