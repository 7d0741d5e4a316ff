import Glibc
import Synchronization

/// SIGINT and SIGTERM: the first ends the run early, the second the program.
enum Interruption {
    private static let isAsked = Atomic<Bool>(false)

    static var wasAsked: Bool { isAsked.load(ordering: .relaxed) }

    static func listen() {
        // Made before a signal handler needs it: making it there would not be safe.
        _ = wasAsked
        // Who starts this program may have blocked them for itself, and a mask is inherited.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.isAsked.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }
}
