/// What an emulation of hosts has seen and done.
public struct AnswerTotals: Sendable, Equatable {
    public var hosts = 0
    /// Frames that came in, and those of them that nothing was done about.
    public var received: UInt64 = 0
    public var ignored: UInt64 = 0
    public var arpReplies: UInt64 = 0
    public var echoReplies: UInt64 = 0
    /// Datagrams sent back to where they came from.
    public var reflected: UInt64 = 0
    /// Announcements by others of an address that a host has.
    public var conflicts: UInt64 = 0
    /// Announcements that were sent, those of moves among them.
    public var announced: UInt64 = 0
    public var moved: UInt64 = 0
    /// Answers and announcements the kernel took, and those it refused.
    public var sent: UInt64 = 0
    public var refused: UInt64 = 0
    /// Frames the receiving sockets lost.
    public var overruns: UInt64 = 0
    public var seconds = 0.0
    public var isLive = false

    public init() {}
}
