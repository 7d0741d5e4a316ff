internal import CLiburing
internal import CLinux
import Glibc

/// The operations by which packets leave: a fixed arena, so that a send allocates nothing.
///
/// A send: `begin…`, `append` its pieces, `commit`. Its completion goes to `finish`, which frees
/// the operation and returns the note that the caller left with it.
///
/// Sends never block: a full socket is -EAGAIN in the completion, and the packet is the caller's
/// to count. No later send is overtaken by it.
///
/// Capacity: `count` small operations of `smallPieces` pieces, and `largeCount` for segmented
/// super-packets of `largePieces` pieces and `largeScratch` bytes of headers.
///
/// Thread-safety: the ring's thread only. A trivial handle; `close()` ends it.
@safe
public struct BatchSender {
    let state: UnsafeMutablePointer<SenderState>

    public static var smallPieces: Int { @_noLocks get { 4 } }
    /// Offload header 24, outer headers 42, VXLAN header 8, VLAN tag 4 and the headers of a segment
    /// 160: all of them together.
    public static var smallScratch: Int { @_noLocks get { 256 } }
    /// Two pieces for each of 128 segments, and some.
    public static var largePieces: Int { @_noLocks get { 260 } }
    /// 128 headers of 128 bytes: VXLAN, Ethernet with tag, IPv4 and TCP with options.
    public static var largeScratch: Int { @_noLocks get { 16384 } }

    /// The lowest bits of a send's user data number its operation; the caller's tag is above.
    public static var indexBits: UInt64 { @_noLocks get { 16 } }

    public init(ring: UringInstance, count: Int, largeCount: Int = 0) {
        precondition(count >= 0 && largeCount >= 0 && (1...65536).contains(count + largeCount))
        let total = count + largeCount
        let made = UnsafeMutablePointer<SenderState>.allocate(capacity: 1)
        let pieces = count * Self.smallPieces + largeCount * Self.largePieces
        let scratch = count * Self.smallScratch + largeCount * Self.largeScratch
        unsafe made.initialize(
            to: SenderState(
                ring: ring, count: Int32(count), total: Int32(total),
                operations: .allocate(capacity: total), pieces: .allocate(capacity: pieces),
                scratch: .allocate(capacity: scratch), freeSmall: .allocate(capacity: total),
                freeLarge: .allocate(capacity: total)))
        unsafe state = made
        for index in 0..<total { prepare(index) }
    }

    /// Frees the arena. Every operation has been finished.
    public func close() {
        unsafe state.pointee.operations.deallocate()
        unsafe state.pointee.pieces.deallocate()
        unsafe state.pointee.scratch.deallocate()
        unsafe state.pointee.freeSmall.deallocate()
        unsafe state.pointee.freeLarge.deallocate()
        unsafe state.deallocate()
    }

    public var freeCount: Int { @_noLocks get { unsafe Int(state.pointee.smallFree) } }
    public var freeLargeCount: Int { @_noLocks get { unsafe Int(state.pointee.largeFree) } }

    /// Operations begun and not finished.
    public var inFlight: Int {
        @_noLocks get { unsafe Int(state.pointee.total) &- freeCount &- freeLargeCount }
    }

    /// A UDP datagram from socket `file`; address and port in host order.
    /// - Parameter isLarge: with room for a segmented super-packet.
    /// - Returns: nil when the arena is used up.
    @_noLocks
    public func beginDatagram(
        from file: UringFile, to address: UInt32, port: UInt16, isLarge: Bool = false
    ) -> SendOperation? {
        guard let operation = unsafe take(isLarge: isLarge) else { return nil }
        unsafe operation.pointee.destination.sin_addr.s_addr = address.bigEndian
        unsafe operation.pointee.destination.sin_port = port.bigEndian
        unsafe operation.pointee.message.msg_namelen = 16
        unsafe operation.pointee.opcode = UInt8(truncatingIfNeeded: IORING_OP_SENDMSG.rawValue)
        unsafe operation.pointee.file = file.index
        unsafe operation.pointee.file_flags = file.submissionFlags
        return unsafe SendOperation(operation)
    }

    /// A frame out of a packet socket: the offload header first (`append(_:)`), then the frame.
    /// - Returns: nil when the arena is used up.
    @_noLocks
    public func beginPacket(from file: UringFile, isLarge: Bool = false) -> SendOperation? {
        guard let operation = unsafe take(isLarge: isLarge) else { return nil }
        unsafe operation.pointee.message.msg_namelen = 0
        unsafe operation.pointee.opcode = UInt8(truncatingIfNeeded: IORING_OP_SENDMSG.rawValue)
        unsafe operation.pointee.file = file.index
        unsafe operation.pointee.file_flags = file.submissionFlags
        return unsafe SendOperation(operation)
    }

    /// A frame into a tap: the offload header first (`append(_:)`), then the frame.
    /// - Returns: nil when the arena is used up.
    @_noLocks
    public func beginFrame(into file: UringFile, isLarge: Bool = false) -> SendOperation? {
        guard let operation = unsafe take(isLarge: isLarge) else { return nil }
        unsafe operation.pointee.opcode = UInt8(truncatingIfNeeded: IORING_OP_WRITEV.rawValue)
        unsafe operation.pointee.file = file.index
        unsafe operation.pointee.file_flags = file.submissionFlags
        return unsafe SendOperation(operation)
    }

    /// Gives back an operation that was begun and shall not be sent.
    @_noLocks
    public func abandon(_ send: SendOperation) {
        unsafe release(Int(send.operation.pointee.index))
    }

    /// Puts the send into the submission queue; hands the queue over first if it is full.
    /// - Parameters:
    ///   - tag: the caller's part of the user data; its lowest `indexBits` are ignored.
    ///   - note: what `finish` returns: a slot to free, a counter to charge.
    /// - Returns: false when the kernel takes no submissions; the operation is given back.
    @_noLocks
    public func commit(_ send: SendOperation, tag: UInt64, note: UInt64 = 0) -> Bool {
        let operation = unsafe send.operation
        let ring = unsafe state.pointee.ring
        var submission = unsafe ring.nextSubmission()
        if unsafe submission == nil {
            ring.submit()
            unsafe submission = ring.nextSubmission()
        }
        guard let submission = unsafe submission else {
            abandon(send)
            return false
        }
        unsafe operation.pointee.note = note
        unsafe submission.pointee.opcode = operation.pointee.opcode
        unsafe submission.pointee.flags = operation.pointee.file_flags
        unsafe submission.pointee.fd = operation.pointee.file
        if unsafe operation.pointee.opcode
            == UInt8(truncatingIfNeeded: IORING_OP_SENDMSG.rawValue)
        {
            unsafe submission.pointee.addr = UInt64(UInt(bitPattern: operation))
            unsafe submission.pointee.len = 1
            unsafe submission.pointee.msg_flags = 0x40  // MSG_DONTWAIT
        } else {
            unsafe submission.pointee.addr = UInt64(
                UInt(bitPattern: operation.pointee.message.msg_iov))
            unsafe submission.pointee.len = UInt32(
                truncatingIfNeeded: operation.pointee.message.msg_iovlen)
        }
        let mask = (1 as UInt64) &<< Self.indexBits &- 1
        unsafe submission.pointee.user_data = tag & ~mask | UInt64(operation.pointee.index)
        return true
    }

    /// Ends a send: its operation is free again, and so is what its pieces pointed to.
    /// - Returns: the note of `commit`; nil when no such send was in flight.
    @_noLocks
    public func finish(_ completion: Completion) -> UInt64? {
        let mask = (1 as UInt64) &<< Self.indexBits &- 1
        let index = Int(truncatingIfNeeded: completion.userData & mask)
        guard unsafe index < Int(state.pointee.total),
            unsafe state.pointee.operations[index].is_busy == 1
        else { return nil }
        let note = unsafe state.pointee.operations[index].note
        release(index)
        return note
    }
}

@unsafe
struct SenderState {
    let ring: UringInstance
    /// Operations below this index are small.
    let count: Int32
    let total: Int32
    let operations: UnsafeMutablePointer<vx_send_operation>
    let pieces: UnsafeMutablePointer<iovec>
    let scratch: UnsafeMutablePointer<UInt8>
    let freeSmall: UnsafeMutablePointer<UInt32>
    let freeLarge: UnsafeMutablePointer<UInt32>
    var smallFree: Int32 = 0
    var largeFree: Int32 = 0
}

extension BatchSender {
    /// Sets what is the same for every send through operation `index`.
    private func prepare(_ index: Int) {
        let small = unsafe Int(state.pointee.count)
        let isLarge = index >= small
        let before = isLarge ? small : index
        let beyond = isLarge ? index - small : 0
        var made = unsafe vx_send_operation()
        unsafe made.scratch =
            state.pointee.scratch + before * Self.smallScratch + beyond * Self.largeScratch
        unsafe made.scratch_capacity = UInt32(isLarge ? Self.largeScratch : Self.smallScratch)
        unsafe made.vector_capacity = UInt32(isLarge ? Self.largePieces : Self.smallPieces)
        unsafe made.index = UInt32(index)
        unsafe made.message.msg_iov =
            state.pointee.pieces + before * Self.smallPieces + beyond * Self.largePieces
        unsafe made.destination.sin_family = sa_family_t(AF_INET)
        unsafe (state.pointee.operations + index).initialize(to: made)
        // The two addresses within the operation itself, which has now found its place.
        let raw = unsafe UnsafeMutableRawPointer(state.pointee.operations + index)
        let name = unsafe MemoryLayout<vx_send_operation>.offset(of: \.destination)!
        let control = unsafe MemoryLayout<vx_send_operation>.offset(of: \.control)!
        unsafe state.pointee.operations[index].message.msg_name = raw + name
        unsafe state.pointee.operations[index].message.msg_control = raw + control
        unsafe state.pointee.operations[index].is_busy = 1
        release(index)
    }

    @_noLocks
    private func take(isLarge: Bool) -> UnsafeMutablePointer<vx_send_operation>? {
        let index: Int
        if isLarge {
            guard freeLargeCount > 0 else { return nil }
            unsafe state.pointee.largeFree &-= 1
            index = unsafe Int(state.pointee.freeLarge[Int(state.pointee.largeFree)])
        } else {
            guard freeCount > 0 else { return nil }
            unsafe state.pointee.smallFree &-= 1
            index = unsafe Int(state.pointee.freeSmall[Int(state.pointee.smallFree)])
        }
        let operation = unsafe state.pointee.operations + index
        unsafe operation.pointee.message.msg_iovlen = 0
        unsafe operation.pointee.message.msg_controllen = 0
        unsafe operation.pointee.scratch_used = 0
        unsafe operation.pointee.byte_count = 0
        unsafe operation.pointee.is_busy = 1
        return unsafe operation
    }

    @_noLocks
    private func release(_ index: Int) {
        guard unsafe state.pointee.operations[index].is_busy == 1 else { return }
        unsafe state.pointee.operations[index].is_busy = 0
        if unsafe index >= Int(state.pointee.count) {
            unsafe state.pointee.freeLarge[Int(state.pointee.largeFree)] = UInt32(index)
            unsafe state.pointee.largeFree &+= 1
        } else {
            unsafe state.pointee.freeSmall[Int(state.pointee.smallFree)] = UInt32(index)
            unsafe state.pointee.smallFree &+= 1
        }
    }
}
