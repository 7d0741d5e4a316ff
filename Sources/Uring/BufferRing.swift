internal import CLiburing
internal import CLinux
import Glibc

/// Receive buffers lent to the kernel, which picks one for each packet as it arrives.
///
/// Buffer n is slot n of memory that belongs to the caller (a buffer pool): it starts at
/// `base + n * slotStride + headroom`. A completion hands a buffer over; `recycle` and `publish`
/// lend it again.
///
/// Capacity: a power of two up to 32768; twice the worst burst, since one multishot receive can
/// drain it in one go. Empty, the kernel ends the receive with ENOBUFS and `MultishotReceiver`
/// starts it again when buffers have come back.
///
/// Thread-safety: the ring's thread only. A trivial handle; `close()` ends it.
@safe
public struct BufferRing {
    let state: UnsafeMutablePointer<BufferRingState>

    /// Lends all `count` buffers at once.
    /// - Parameters:
    ///   - groupID: the number by which receives name this ring; unique within `ring`.
    ///   - base: `count * slotStride` bytes that outlive this ring.
    ///   - headroom: bytes at the start of each slot that the kernel never writes; at least 32,
    ///     so that a header can be put before every packet whatever its source.
    ///   - bufferLength: bytes the kernel may write; `headroom + bufferLength <= slotStride`.
    public init(
        ring: UringInstance, groupID: UInt16, count: Int, base: UnsafeMutableRawPointer,
        slotStride: Int, headroom: Int, bufferLength: Int
    ) throws(UringError) {
        precondition(count > 0 && count <= 32768 && count & (count - 1) == 0)
        precondition(headroom >= 32 && bufferLength > 0 && headroom + bufferLength <= slotStride)
        let bytes = count * MemoryLayout<io_uring_buf>.stride
        let memory = unsafe mmap(
            nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw UringError.unexpected("map a ring of \(count) receive buffers", errno)
        }
        var request = io_uring_buf_reg()
        request.ring_addr = UInt64(UInt(bitPattern: memory))
        request.ring_entries = UInt32(count)
        request.bgid = groupID
        let result = unsafe io_uring_register_buf_ring(&ring.state.pointee.ring, &request, 0)
        guard result == 0 else {
            unsafe munmap(memory, bytes)
            throw Self.explain(result, count: count)
        }
        let made = UnsafeMutablePointer<BufferRingState>.allocate(capacity: 1)
        unsafe made.initialize(
            to: BufferRingState(
                ring: ring, entries: memory.assumingMemoryBound(to: io_uring_buf.self),
                tail: (memory + 14).assumingMemoryBound(to: UInt16.self),
                start: base + headroom, stride: slotStride, length: UInt32(bufferLength),
                mask: UInt16(count - 1), groupID: groupID))
        unsafe state = made
        for id in 0..<count { recycle(id) }
        publish()
    }

    /// Takes the buffers back from the kernel. No receive may be armed on them any more.
    public func close() {
        unsafe io_uring_unregister_buf_ring(
            &state.pointee.ring.state.pointee.ring, Int32(state.pointee.groupID))
        unsafe munmap(state.pointee.entries, count * MemoryLayout<io_uring_buf>.stride)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    public var groupID: UInt16 { @_noLocks get { unsafe state.pointee.groupID } }

    public var count: Int { @_noLocks get { unsafe Int(state.pointee.mask) &+ 1 } }

    public var bufferLength: Int { @_noLocks get { unsafe Int(state.pointee.length) } }

    /// Buffers lent to the kernel and not seen back in a completion; a gauge, and what tells a
    /// starved receiver that it may start again.
    public var lentCount: Int { @_noLocks get { unsafe Int(state.pointee.lent) } }

    /// The first byte of a buffer as the kernel sees it; nil when there is no such buffer.
    @_noLocks
    public func address(of id: Int) -> UnsafeMutablePointer<UInt8>? {
        guard id >= 0, id < count else { return nil }
        return unsafe (state.pointee.start + id &* state.pointee.stride)
            .assumingMemoryBound(to: UInt8.self)
    }

    /// Puts a buffer back. The kernel sees it at the next `publish`. An identifier that no buffer
    /// has is ignored.
    @_noLocks
    public func recycle(_ id: Int) {
        guard let address = unsafe address(of: id) else { return }
        let tail = unsafe state.pointee.filledTail
        let entry = unsafe state.pointee.entries + Int(tail & state.pointee.mask)
        // Field by field: the last two bytes of the first entry are the ring's own tail.
        unsafe entry.pointee.addr = UInt64(UInt(bitPattern: address))
        unsafe entry.pointee.len = state.pointee.length
        unsafe entry.pointee.bid = UInt16(truncatingIfNeeded: id)
        unsafe state.pointee.filledTail = tail &+ 1
    }

    /// Shows the kernel what was recycled; once a turn.
    @_noLocks
    public func publish() {
        let filled = unsafe state.pointee.filledTail
        let fresh = unsafe filled &- state.pointee.publishedTail
        guard fresh != 0 else { return }
        unsafe vx_store_release_u16(state.pointee.tail, filled)
        unsafe state.pointee.publishedTail = filled
        unsafe state.pointee.lent &+= Int32(fresh)
    }

    /// A completion brought a buffer: it is ours until recycled.
    @_noLocks
    func noteTaken() { unsafe state.pointee.lent &-= 1 }

    private static func explain(_ result: Int32, count: Int) -> UringError {
        switch -result {
        case EINVAL:
            return UringError(
                "this kernel has no provided-buffer rings", remedy: "use Linux 6.1 or newer",
                code: EINVAL)
        case EEXIST:
            return UringError(
                "a buffer ring with this group number exists", remedy: "give each ring its own",
                code: EEXIST)
        default: return .unexpected("register a ring of \(count) receive buffers", result)
        }
    }
}

@unsafe
struct BufferRingState {
    let ring: UringInstance
    let entries: UnsafeMutablePointer<io_uring_buf>
    let tail: UnsafeMutablePointer<UInt16>
    let start: UnsafeMutableRawPointer
    let stride: Int
    let length: UInt32
    let mask: UInt16
    let groupID: UInt16
    var filledTail: UInt16 = 0
    var publishedTail: UInt16 = 0
    var lent: Int32 = 0
}
