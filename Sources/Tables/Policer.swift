internal import CLinux
public import Memory

/// A budget that several threads draw on: so many events at once, and one more in each interval.
///
/// GCRA, the virtual-scheduling form of the leaky bucket (ITU-T I.371 annex A): a word of shared
/// memory holds the time in nanoseconds before which the budget is spent.
///
/// A trivial handle. Thread-safety: any number of threads; the word is changed by compare and
/// exchange, so that the rate is exact whichever of them the packets come to.
public struct Policer: Sendable {
    private let words: Column<UInt64>
    private let index: Int

    /// ICMP errors that may leave at once beyond the steady rate (RFC 1812 section 4.3.2.8).
    public static var icmpBurst: UInt64 { @_noLocks get { 10 } }

    @_noLocks
    public init(words: Column<UInt64>, index: Int) {
        self.words = words
        self.index = index
    }

    /// - Parameter interval: nanoseconds; 0 is no limit.
    @_noLocks
    public func admits(_ interval: UInt64, burst: UInt64, now: UInt64) -> Bool {
        guard interval > 0, index < words.count else { return true }
        let word = unsafe words.pointer(at: index)
        while true {
            let due = unsafe vx_load_relaxed_u64(word)
            if due > now &+ interval &* burst { return false }
            let next = max(due, now) &+ interval
            if unsafe vx_compare_exchange_u64(word, due, next) { return true }
        }
    }
}
