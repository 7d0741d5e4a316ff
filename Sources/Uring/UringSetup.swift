/// Modes of a ring. Each raises the throughput; none changes what the ring does.
public struct UringSetup: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// One thread submits (Linux 6.0).
    public static let singleIssuer = UringSetup(rawValue: 1 << 12)
    /// Completions are made only when that thread asks for them (Linux 6.1).
    public static let deferredWork = UringSetup(rawValue: 1 << 13)
    /// Completions are made at the thread's next system call, without interrupting it (Linux 5.19).
    public static let cooperativeWork = UringSetup(rawValue: 1 << 8)
    /// The kernel flags that such work waits.
    public static let workFlag = UringSetup(rawValue: 1 << 9)
    /// One bad submission does not stop those behind it (Linux 5.18).
    public static let submitAll = UringSetup(rawValue: 1 << 7)
    /// We choose the size of the completion queue.
    static let completionSize = UringSetup(rawValue: 1 << 3)

    static let candidates: [UringSetup] = [
        [.completionSize, .submitAll, .workFlag, .deferredWork, .singleIssuer],
        [.completionSize, .submitAll, .workFlag, .cooperativeWork, .singleIssuer],
        [.completionSize, .submitAll, .workFlag, .cooperativeWork],
        [.completionSize],
    ]
}
