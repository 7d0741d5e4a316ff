/// The end of an operation, or one of the many results of a multishot operation.
///
/// Layout: that of the kernel's 16-byte `io_uring_cqe`.
public struct Completion: BitwiseCopyable, Sendable {
    /// What the submission carried.
    public var userData: UInt64
    /// What the system call of that name would have returned, or -errno.
    public var result: Int32
    public var flags: UInt32

    @_noLocks
    public init(userData: UInt64, result: Int32, flags: UInt32) {
        self.userData = userData
        self.result = result
        self.flags = flags
    }

    /// A multishot operation lives on: more completions follow without another submission.
    public var hasMore: Bool { @_noLocks get { flags & 2 != 0 } }

    /// A provided buffer came with it, and is ours until it is recycled.
    public var hasBuffer: Bool { @_noLocks get { flags & 1 != 0 } }

    /// Meaningful only with `hasBuffer`.
    public var bufferID: Int { @_noLocks get { Int(flags &>> 16) } }
}
