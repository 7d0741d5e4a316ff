internal import CLiburing
internal import CLinux
import Glibc

/// One standing receive on one socket or tap queue: armed once, it yields a completion for each
/// packet until something ends it, and then it is armed again.
///
/// A turn: `accept` for every completion that carries its `userData`, then parse it
/// (`ReceivedDatagram`, `ReceivedPacket`, `ReceivedFrame`), later recycle the buffers, `publish`,
/// and `armIfNeeded` before `submit`.
///
/// It never spins: starved of buffers it waits until some are lent again; after
/// `errorsBeforePause` errors in a row it waits for `retry()`, which housekeeping calls.
///
/// Thread-safety: the ring's thread only. A trivial handle; `close()` ends it.
@safe
public struct MultishotReceiver {
    let state: UnsafeMutablePointer<ReceiverState>

    /// Errors in a row after which arming waits for `retry()`. A socket that is down gives one
    /// error; a removed device would give them without end.
    public static var errorsBeforePause: UInt32 { @_noLocks get { 64 } }

    /// What is received, and therefore how a buffer is laid out.
    public enum Kind: UInt8, Sendable {
        /// UDP datagrams with source, TOS and the size of coalesced ones: `ReceivedDatagram`.
        case datagrams
        /// Frames of a packet socket with VLAN tag and offload header: `ReceivedPacket`.
        case packets
        /// Frames of a tap with offload header: `ReceivedFrame`.
        case frames
        /// The same on a kernel without multishot reads: one read at a time.
        case singleFrames
    }

    /// - Parameters:
    ///   - kind: for taps `.frames` where `UringFeatures` has `read_multishot`.
    ///   - userData: what its completions carry.
    public init(kind: Kind, file: UringFile, buffers: BufferRing, userData: UInt64) {
        let message = UnsafeMutablePointer<msghdr>.allocate(capacity: 1)
        unsafe message.initialize(to: msghdr())
        switch kind {
        case .datagrams:
            unsafe message.pointee.msg_namelen = UInt32(DatagramLayout.nameLength)
            unsafe message.pointee.msg_controllen = DatagramLayout.controlLength
        case .packets:
            unsafe message.pointee.msg_namelen = UInt32(PacketLayout.nameLength)
            unsafe message.pointee.msg_controllen = PacketLayout.controlLength
        case .frames, .singleFrames: break
        }
        let made = UnsafeMutablePointer<ReceiverState>.allocate(capacity: 1)
        unsafe made.initialize(
            to: ReceiverState(
                kind: kind, file: file, buffers: buffers, userData: userData, message: message))
        unsafe state = made
    }

    /// Frees the handle, once `hasStopped`.
    public func close() {
        unsafe state.pointee.message.deallocate()
        unsafe state.deallocate()
    }

    public var userData: UInt64 { @_noLocks get { unsafe state.pointee.userData } }

    /// The kernel holds it.
    public var isArmed: Bool { @_noLocks get { unsafe state.pointee.isArmed } }

    /// Times it had to be armed again after an end that was not asked for.
    public var rearmCount: UInt64 { @_noLocks get { unsafe state.pointee.rearmCount } }

    /// Times the kernel found no buffer for a packet.
    public var starvedCount: UInt64 { @_noLocks get { unsafe state.pointee.starvedCount } }

    /// The error of the last end, positive; 0 after a packet.
    public var lastError: Int32 { @_noLocks get { unsafe state.pointee.lastError } }

    /// Too many errors in a row: nothing is received until `retry()`.
    public var isPaused: Bool {
        @_noLocks get { unsafe state.pointee.errorsInRow >= Self.errorsBeforePause }
    }

    /// It was told to stop and the kernel no longer holds it: no completion of it follows, and
    /// its file and buffers may go.
    public var hasStopped: Bool {
        @_noLocks get { unsafe state.pointee.isStopping && !state.pointee.isArmed }
    }

    /// Accounts for one completion of this receive. Called for each, before it is parsed.
    @_noLocks
    public func accept(_ completion: Completion) {
        if completion.hasBuffer { unsafe state.pointee.buffers.noteTaken() }
        if completion.result >= 0 {
            unsafe state.pointee.errorsInRow = 0
            unsafe state.pointee.lastError = 0
        }
        guard !completion.hasMore else { return }
        unsafe state.pointee.isArmed = false
        if unsafe state.pointee.isStopping { return }
        if unsafe state.pointee.kind == .singleFrames && completion.result >= 0 { return }
        unsafe state.pointee.rearmCount &+= 1
        guard completion.result < 0 else { return }
        let code = 0 &- completion.result
        if code == ENOBUFS {
            unsafe state.pointee.starvedCount &+= 1
        } else if code != EAGAIN && code != EINTR {
            unsafe state.pointee.lastError = code
            unsafe state.pointee.errorsInRow &+= 1
        }
    }

    /// Arms it if it is not armed and may be: there are buffers, and it is not paused.
    /// - Returns: false when the submission queue is full; the next turn tries again.
    @_noLocks @discardableResult
    public func armIfNeeded(on ring: UringInstance) -> Bool {
        guard unsafe !state.pointee.isArmed, unsafe !state.pointee.isStopping, !isPaused,
            unsafe state.pointee.buffers.lentCount > 0
        else { return true }
        return arm(on: ring)
    }

    /// Leaves the pause: the next `armIfNeeded` tries once, and pauses again on another error.
    @_noLocks
    public func retry() {
        guard isPaused else { return }
        unsafe state.pointee.errorsInRow = Self.errorsBeforePause &- 1
    }

    /// Ends the receive for good, when its port goes: the last completions still go to `accept`
    /// until `hasStopped`.
    /// - Parameter cancelUserData: what the completion of the cancellation itself carries.
    /// - Returns: false when the submission queue is full; call again.
    @_noLocks
    public func stop(on ring: UringInstance, cancelUserData: UInt64) -> Bool {
        unsafe state.pointee.isStopping = true
        guard isArmed else { return true }
        return ring.cancel(userData, userData: cancelUserData)
    }

    @_noLocks
    private func arm(on ring: UringInstance) -> Bool {
        guard let submission = unsafe ring.nextSubmission() else { return false }
        let kind = unsafe state.pointee.kind
        unsafe submission.pointee.fd = state.pointee.file.index
        unsafe submission.pointee.flags =
            state.pointee.file.submissionFlags | VX_SQE_BUFFER_SELECT
        unsafe submission.pointee.buf_group = state.pointee.buffers.groupID
        unsafe submission.pointee.user_data = state.pointee.userData
        switch kind {
        case .datagrams, .packets:
            unsafe submission.pointee.opcode = UInt8(
                truncatingIfNeeded: IORING_OP_RECVMSG.rawValue)
            unsafe submission.pointee.ioprio = 2  // IORING_RECV_MULTISHOT
            unsafe submission.pointee.addr = UInt64(UInt(bitPattern: state.pointee.message))
        case .frames:
            unsafe submission.pointee.opcode = VX_OP_READ_MULTISHOT
        case .singleFrames:
            unsafe submission.pointee.opcode = UInt8(
                truncatingIfNeeded: IORING_OP_READ.rawValue)
            unsafe submission.pointee.len = UInt32(
                truncatingIfNeeded: state.pointee.buffers.bufferLength)
        }
        unsafe state.pointee.isArmed = true
        return true
    }
}

@unsafe
struct ReceiverState {
    let kind: MultishotReceiver.Kind
    let file: UringFile
    let buffers: BufferRing
    let userData: UInt64
    /// What the kernel reads when a receive of messages is armed.
    let message: UnsafeMutablePointer<msghdr>
    var isArmed = false
    var isStopping = false
    var lastError: Int32 = 0
    var errorsInRow: UInt32 = 0
    var rearmCount: UInt64 = 0
    var starvedCount: UInt64 = 0
}
