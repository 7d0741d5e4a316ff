internal import CLiburing
internal import CLinux
import Glibc

/// Receive buffers lent to the kernel, which picks one for each packet as it arrives.
///
/// Buffer n is slot n of memory that belongs to the caller (a buffer pool): it starts at
/// `base + n * slotStride + headroom`. A completion hands a buffer over; `recycle` and `publish`
/// lend it again.
///
/// As few are lent as the traffic takes in a turn, and the one that came back last is lent first:
/// the kernel uses them in turn, and those of super-packets are long enough to fill a CPU's caches.
///
/// Capacity: a power of two up to 32768; twice the worst burst, since one multishot receive can
/// drain it in one go. Empty, the kernel ends the receive with ENOBUFS and `MultishotReceiver`
/// starts it again when buffers have come back, twice as many.
///
/// Thread-safety: the ring's thread only. A trivial handle; `close()` ends it.
@safe
public struct BufferRing {
    let state: UnsafeMutablePointer<BufferRingState>

    /// Buffers lent to begin with, and while a turn takes hardly any.
    static var leastLent: Int32 { @_noLocks get { 16 } }
    /// Turns that take hardly any before half as many are lent.
    static var quietTurns: Int { @_noLocks get { 1024 } }

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
                free: .allocate(capacity: count), start: base + headroom, stride: slotStride,
                length: UInt32(bufferLength), mask: UInt16(count - 1), groupID: groupID,
                wanted: min(Int32(count), Self.leastLent)))
        unsafe state = made
        for id in (0..<count).reversed() { recycle(id) }
        lend()
    }

    /// Takes the buffers back from the kernel. No receive may be armed on them any more.
    public func close() {
        unsafe io_uring_unregister_buf_ring(
            &state.pointee.ring.state.pointee.ring, Int32(state.pointee.groupID))
        unsafe munmap(state.pointee.entries, count * MemoryLayout<io_uring_buf>.stride)
        unsafe state.pointee.free.deallocate()
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

    /// Puts a buffer back. The kernel may see it after the next `publish`. An identifier that no
    /// buffer has is ignored.
    @_noLocks
    public func recycle(_ id: Int) {
        guard id >= 0, id < count else { return }
        let free = unsafe state.pointee.freeCount
        unsafe state.pointee.free[free] = UInt16(truncatingIfNeeded: id)
        unsafe state.pointee.freeCount = free &+ 1
    }

    /// Lends what the kernel is to have for the next turn; once a turn.
    @_noLocks
    public func publish() {
        followTraffic()
        lend()
    }

    /// Lends more when hardly any are left of what was lent, and less when hardly any are used.
    @_noLocks
    private func followTraffic() {
        let wanted = unsafe state.pointee.wanted
        let left = unsafe state.pointee.lent
        if left < wanted / 4 {
            unsafe state.pointee.wanted = min(wanted &* 2, Int32(truncatingIfNeeded: count))
        } else if left > wanted &- wanted / 8 {
            unsafe state.pointee.quietTurns &+= 1
            guard unsafe state.pointee.quietTurns >= Self.quietTurns else { return }
            unsafe state.pointee.wanted = max(wanted / 2, min(wanted, Self.leastLent))
        }
        unsafe state.pointee.quietTurns = 0
    }

    @_noLocks
    private func lend() {
        var tail = unsafe state.pointee.tailValue
        var free = unsafe state.pointee.freeCount
        var lent = unsafe state.pointee.lent
        let wanted = unsafe state.pointee.wanted
        guard lent < wanted, free > 0 else { return }
        while lent < wanted, free > 0 {
            free &-= 1
            let id = unsafe state.pointee.free[free]
            guard let address = unsafe address(of: Int(id)) else { continue }
            let entry = unsafe state.pointee.entries + Int(tail & state.pointee.mask)
            // Field by field: the last two bytes of the first entry are the ring's own tail.
            unsafe entry.pointee.addr = UInt64(UInt(bitPattern: address))
            unsafe entry.pointee.len = state.pointee.length
            unsafe entry.pointee.bid = id
            tail = tail &+ 1
            lent &+= 1
        }
        unsafe state.pointee.freeCount = free
        unsafe state.pointee.lent = lent
        unsafe state.pointee.tailValue = tail
        unsafe vx_store_release_u16(state.pointee.tail, tail)
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
    /// The ring's own, where the kernel reads it.
    let tail: UnsafeMutablePointer<UInt16>
    /// Identifiers of what can be lent, the next one last.
    let free: UnsafeMutablePointer<UInt16>
    let start: UnsafeMutableRawPointer
    let stride: Int
    let length: UInt32
    let mask: UInt16
    let groupID: UInt16
    var freeCount = 0
    var tailValue: UInt16 = 0
    var lent: Int32 = 0
    /// How many are to be lent.
    var wanted: Int32
    /// Turns in a row that took hardly any.
    var quietTurns = 0
}
