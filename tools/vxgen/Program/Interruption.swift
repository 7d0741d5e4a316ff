import Glibc
import Synchronization

/// SIGINT and SIGTERM: the first ends the run early, a later one the program. Who sends one to a
/// program and to its group, as timeout(1) does, sends it twice within a moment: that counts once.
enum Interruption {
    /// Nanoseconds of CLOCK_MONOTONIC; 0 is never.
    private static let first = Atomic<UInt64>(0)
    private static let moment: UInt64 = 500_000_000

    static var wasAsked: Bool { first.load(ordering: .relaxed) != 0 }

    static func listen() {
        // Made before a signal handler needs it: making it there would not be safe.
        _ = wasAsked
        _ = moment
        // Who starts this program may have blocked them for itself, and a mask is inherited.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in Interruption.note(number) }
        }
    }

    /// Runs as a signal handler: nothing here takes memory or locks.
    private static func note(_ number: Int32) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec) | 1
        let before = first.load(ordering: .relaxed)
        guard before != 0 else { return first.store(now, ordering: .relaxed) }
        guard now > before &+ moment else { return }
        signal(number, SIG_DFL)
        raise(number)
    }
}
