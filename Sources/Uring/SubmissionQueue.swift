internal import CLiburing
internal import CLinux

/// The way in: submissions are filled in place and handed over once a turn.
extension UringInstance {
    /// The kernel's flags: work or overflowed completions wait for io_uring_enter.
    private static var workWaits: UInt32 { @_noLocks get { 1 << 2 } }
    private static var completionsOverflowed: UInt32 { @_noLocks get { 1 << 1 } }
    private static var getEvents: UInt32 { @_noLocks get { 1 } }

    /// The next free submission, zeroed; nil when the queue is full until the next `submit`.
    @_noLocks
    func nextSubmission() -> UnsafeMutablePointer<io_uring_sqe>? {
        let tail = unsafe state.pointee.filledTail
        let head = unsafe vx_load_acquire_u32(state.pointee.submissionHead)
        guard unsafe tail &- head < state.pointee.submissionCount else { return nil }
        let index = unsafe Int(tail & state.pointee.submissionMask)
        let submission = unsafe state.pointee.submissions + index
        unsafe submission.initialize(to: io_uring_sqe())
        unsafe state.pointee.filledTail = tail &+ 1
        return unsafe submission
    }

    /// Submissions that can still be filled before the next `submit`.
    public var freeSubmissions: Int {
        @_noLocks get {
            let head = unsafe vx_load_acquire_u32(state.pointee.submissionHead)
            return unsafe Int(state.pointee.submissionCount &- (state.pointee.filledTail &- head))
        }
    }

    /// Submissions filled and not yet handed over.
    public var pendingSubmissions: Int {
        @_noLocks get {
            let head = unsafe vx_load_acquire_u32(state.pointee.submissionHead)
            return unsafe Int(state.pointee.filledTail &- head)
        }
    }

    /// Completions exist that only io_uring_enter brings into the queue.
    public var needsEnter: Bool {
        @_noLocks get {
            let flags = unsafe vx_load_relaxed_u32(state.pointee.submissionFlags)
            return flags & (Self.workWaits | Self.completionsOverflowed) != 0
        }
    }

    /// Hands over what is filled, and waits until `waitFor` completions lie in the queue.
    ///
    /// At most one system call; none when there is nothing to hand over, to wait for or to
    /// bring in.
    /// - Parameter timeoutNanoseconds: how long to wait; negative is without limit.
    /// - Returns: submissions taken, or -errno. A wait that timed out is not an error.
    @_noLocks @discardableResult
    public func submit(waitFor: UInt32 = 0, timeoutNanoseconds: Int64 = -1) -> Int32 {
        let tail = unsafe state.pointee.filledTail
        unsafe vx_store_release_u32(state.pointee.submissionTail, tail)
        let count = unsafe tail &- vx_load_acquire_u32(state.pointee.submissionHead)
        let flags = unsafe vx_load_relaxed_u32(state.pointee.submissionFlags)
        let isWorkWaiting = flags & (Self.workWaits | Self.completionsOverflowed) != 0
        guard count > 0 || waitFor > 0 || isWorkWaiting else { return 0 }
        if flags & Self.completionsOverflowed != 0 {
            unsafe state.pointee.statistics.overflows &+= 1
        }
        let result = unsafe vx_uring_enter(
            state.pointee.enterDescriptor, count, waitFor,
            state.pointee.enterFlags | Self.getEvents, timeoutNanoseconds)
        unsafe state.pointee.statistics.enters &+= 1
        if result > 0 { unsafe state.pointee.statistics.submissions &+= UInt64(result) }
        return result
    }

    /// Asks to be told each time `file` becomes ready; for an eventfd this is a wake-up without a
    /// read. Re-armed by the caller when a completion comes without `hasMore`.
    /// - Returns: false when the submission queue is full.
    @_noLocks
    public func armPoll(_ file: UringFile, events: UInt32 = 1, userData: UInt64) -> Bool {
        guard let submission = unsafe nextSubmission() else { return false }
        unsafe submission.pointee.opcode = UInt8(truncatingIfNeeded: IORING_OP_POLL_ADD.rawValue)
        unsafe submission.pointee.fd = file.index
        unsafe submission.pointee.flags = file.submissionFlags
        unsafe submission.pointee.poll32_events = events
        unsafe submission.pointee.len = 1  // IORING_POLL_ADD_MULTI
        unsafe submission.pointee.user_data = userData
        return true
    }

    /// Ends the operation that carries `target`; its last completion says -ECANCELED.
    /// - Returns: false when the submission queue is full.
    @_noLocks
    public func cancel(_ target: UInt64, userData: UInt64) -> Bool {
        guard let submission = unsafe nextSubmission() else { return false }
        unsafe submission.pointee.opcode = UInt8(
            truncatingIfNeeded: IORING_OP_ASYNC_CANCEL.rawValue)
        unsafe submission.pointee.fd = -1
        unsafe submission.pointee.addr = target
        unsafe submission.pointee.user_data = userData
        return true
    }

    /// A completion out of nothing, to measure the ring itself.
    /// - Returns: false when the submission queue is full.
    @_noLocks
    public func nop(userData: UInt64) -> Bool {
        guard let submission = unsafe nextSubmission() else { return false }
        unsafe submission.pointee.opcode = UInt8(truncatingIfNeeded: IORING_OP_NOP.rawValue)
        unsafe submission.pointee.fd = -1
        unsafe submission.pointee.user_data = userData
        return true
    }
}
