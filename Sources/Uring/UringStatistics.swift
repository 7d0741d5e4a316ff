/// What a ring has done since it was made.
public struct UringStatistics: BitwiseCopyable, Sendable {
    /// Calls of io_uring_enter.
    public var enters: UInt64 = 0
    public var submissions: UInt64 = 0
    public var completions: UInt64 = 0
    /// Turns that found completions in the kernel's overflow list: the queue is too small.
    public var overflows: UInt64 = 0
}
