internal import CLiburing
internal import CLinux

/// The way out: completions are copied out in one go, so that the kernel can refill the queue.
extension UringInstance {
    public var hasCompletions: Bool {
        @_noLocks get {
            unsafe vx_load_relaxed_u32(state.pointee.completionHead)
                != vx_load_acquire_u32(state.pointee.completionTail)
        }
    }

    /// Moves up to `limit` completions into `completions`.
    ///
    /// Those that overflowed the queue come after it is drained and `submit` ran again
    /// (`needsEnter`); none is lost.
    /// - Returns: how many were written.
    @_noLocks
    public func reap(into completions: UnsafeMutablePointer<Completion>, limit: Int) -> Int {
        // Ours to write, and the kernel reads it.
        var head = unsafe vx_load_relaxed_u32(state.pointee.completionHead)
        let tail = unsafe vx_load_acquire_u32(state.pointee.completionTail)
        let waiting = Int(tail &- head)
        let count = min(waiting, limit)
        guard count > 0 else { return 0 }
        let mask = unsafe state.pointee.completionMask
        for lane in 0..<count {
            let entry = unsafe state.pointee.completions + Int(head & mask)
            unsafe completions[lane] = Completion(
                userData: entry.pointee.user_data, result: entry.pointee.res,
                flags: entry.pointee.flags)
            head = head &+ 1
        }
        unsafe vx_store_release_u32(state.pointee.completionHead, head)
        unsafe state.pointee.statistics.completions &+= UInt64(truncatingIfNeeded: count)
        return count
    }
}
