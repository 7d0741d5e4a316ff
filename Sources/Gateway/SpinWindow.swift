/// How long a worker looks on after its last packet before it sleeps in the kernel.
///
/// Waking costs some microseconds, which packets that come in bursts need not pay; but a worker
/// that looks on in vain takes power, and turns from the machines it serves. So the window follows
/// the gaps: one that fits the limit doubles it, a longer one halves it, down to none.
struct SpinWindow: Equatable {
    private(set) var nanoseconds: UInt64
    /// `system.spin`; 0 never looks on.
    private(set) var limit: UInt64

    /// The least window that is worth its looks.
    static var least: UInt64 { @_noLocks get { 2000 } }

    @_noLocks
    init(limit: UInt64) {
        nanoseconds = limit
        self.limit = limit
    }

    /// The configuration has changed.
    @_noLocks
    mutating func setLimit(_ limit: UInt64) {
        guard limit != self.limit else { return }
        self = SpinWindow(limit: limit)
    }

    /// The worker had to sleep.
    /// - Parameter gap: nanoseconds from its last work to the next.
    @_noLocks
    mutating func note(gap: UInt64) {
        if gap <= limit {
            nanoseconds = min(limit, max(nanoseconds &* 2, Self.least))
        } else {
            nanoseconds &>>= 1
            if nanoseconds < Self.least { nanoseconds = 0 }
        }
    }
}
