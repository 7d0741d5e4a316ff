internal import CLinux

/// A file as submissions name it: a descriptor, or an index into the ring's own table, which saves
/// the kernel a look-up for each operation.
public struct UringFile: Sendable, BitwiseCopyable, Equatable {
    let index: Int32
    let submissionFlags: UInt8

    /// A file named by its descriptor.
    @_noLocks
    public init(descriptor: Int32) {
        index = descriptor
        submissionFlags = 0
    }

    init(tableIndex: Int32) {
        index = tableIndex
        submissionFlags = VX_SQE_FIXED_FILE
    }

    public var isInTable: Bool { @_noLocks get { submissionFlags != 0 } }
}
