/// How long a worker sleeps through packets before it takes them all at once.
///
/// Where packets come one by one and quickly, a worker that takes each at once pays a wake-up, a
/// turn and a send for every one, and so do the sender that wakes it and the receiver that it
/// wakes. So it lets some gather, for as long as so many would take: like a network card that
/// holds its interrupts back.
///
/// Slow packets do not wait, nor those that come in bursts: they are many at a time already, and a
/// timer would cost more than it saves. Neither do those of hosts that wait for answers themselves:
/// where there is hardly ever more than one at a time it does not begin, and where packets come
/// more slowly than before for being gathered it ends for a while.
struct GatherWindow: Equatable {
    /// 0 when packets are taken at once.
    private(set) var nanoseconds: UInt64 = 0
    /// `system.gather`; 0 never gathers.
    private(set) var limit: UInt64
    private var start: UInt64
    private var pausedUntil: UInt64 = 0
    /// Nanoseconds from packet to packet before it gathered.
    private var gapBefore: UInt64 = 0
    /// Times that the worker had nothing to do, in this period.
    private var waits: UInt64 = 0
    /// Periods since it began to gather.
    private var gathered: UInt64 = 0

    /// Packets that a window is meant to hold, and the least that make one of `limit` worth while.
    static var wanted: UInt64 { @_noLocks get { 16 } }
    static var least: UInt64 { @_noLocks get { 4 } }
    /// Packets at a time that make it needless.
    static var many: UInt64 { @_noLocks get { 8 } }
    /// Twice the packets at a time below which they may be questions and answers, one after the
    /// other.
    static var fewDoubled: UInt64 { @_noLocks get { 3 } }
    /// Periods after which it looks anew how packets come by themselves.
    static var periodsOfGathering: UInt64 { @_noLocks get { 100 } }
    /// Over which packets are counted: longer than a sender that has to share its CPU stands still.
    static var period: UInt64 { @_noLocks get { 10_000_000 } }
    static var pause: UInt64 { @_noLocks get { 1_000_000_000 } }

    @_noLocks
    init(limit: UInt64, now: UInt64) {
        self.limit = limit
        start = now
    }

    /// The configuration has changed.
    @_noLocks
    mutating func setLimit(_ limit: UInt64, now: UInt64) {
        guard limit != self.limit else { return }
        self = GatherWindow(limit: limit, now: now)
    }

    /// Looks whether a period is over. Called once each time before the worker waits.
    /// - Parameter packets: received since the last period.
    /// - Returns: true when another begins.
    @_noLocks
    mutating func note(packets: UInt64, now: UInt64) -> Bool {
        waits &+= 1
        let elapsed = now &- start
        guard elapsed >= Self.period else { return false }
        let gap = max(elapsed / max(packets, 1), 1)
        if nanoseconds > 0 {
            goOn(gap, now)
        } else if now >= pausedUntil, packets < Self.many &* waits,
            packets &* 2 >= Self.fewDoubled &* waits, isQuick(gap)
        {
            open(gap)
            gathered = 0
        }
        start = now
        waits = 0
        return true
    }

    @_noLocks
    private mutating func goOn(_ gap: UInt64, _ now: UInt64) {
        gathered &+= 1
        if gap > gapBefore &+ gapBefore / 2 {
            nanoseconds = 0
            // What waits for answers comes at least once a window; else nobody sends any more.
            if gap <= 4 &* limit { pausedUntil = now &+ Self.pause }
        } else if isQuick(gap), gathered < Self.periodsOfGathering {
            open(gap)
        } else {
            nanoseconds = 0
        }
    }

    @_noLocks
    private func isQuick(_ gap: UInt64) -> Bool { gap &* Self.least <= limit }

    @_noLocks
    private mutating func open(_ gap: UInt64) {
        gapBefore = gap
        nanoseconds = min(limit, gap &* Self.wanted)
    }
}
