internal import CLinux
internal import Memory

/// How far the agent has come with what one worker handed it.
///
/// A turn of the agent takes frames from the worker, edits tables, and at its end pushes orders;
/// `end` says that those are in the worker's ring.
///
/// A trivial handle; the creator calls `deallocate` after both threads have stopped.
///
/// Thread-safety: the agent calls `begin` before it edits anything and `end` after it pushed the
/// last order of the turn; one worker reads.
/// Layout: a cache line.
public struct AgentProgress: BitwiseCopyable, Sendable {
    // Words 0: turns begun, 1: turns ended, 2: bytes of `framesToAgent` taken by ended turns.
    private let words: Column<UInt64>

    public init() { words = Column(count: 8, repeating: 0) }

    /// - Parameter turn: a number that grows from 1.
    public func begin(_ turn: UInt64) { unsafe vx_store_release_u64(words.pointer(at: 0), turn) }

    /// - Parameter takenBytes: of the worker's ring of frames.
    public func end(_ turn: UInt64, takenBytes: UInt64) {
        unsafe vx_store_release_u64(words.pointer(at: 2), takenBytes)
        unsafe vx_store_release_u64(words.pointer(at: 1), turn)
    }

    /// At least the turn that made whatever the worker has seen in a table before it asks.
    var begun: UInt64 { @_noLocks get { unsafe vx_load_acquire_u64(words.pointer(at: 0)) } }
    var ended: UInt64 { @_noLocks get { unsafe vx_load_acquire_u64(words.pointer(at: 1)) } }
    var takenBytes: UInt64 { @_noLocks get { unsafe vx_load_acquire_u64(words.pointer(at: 2)) } }

    public func deallocate() { words.deallocate() }
}
