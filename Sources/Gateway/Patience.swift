internal import CLinux
import Glibc
internal import Uring

/// The kernel empties the ring of a gateway that was killed some 50 ms after its process is gone,
/// and what the ring held lives as long: its UDP port, its taps. Whoever starts in that time waits.
enum Patience {
    private static let attempts = 101
    private static let pauseMicroseconds: UInt32 = 10_000

    /// Does `work`, again for about a second while what it wants is taken.
    ///
    /// Blocks its thread: for the start alone.
    /// - Throws: what `work` throws at last; at once what is not about something taken.
    static func whileTaken<Value>(
        _ work: () throws(UringError) -> Value
    ) throws(UringError) -> Value {
        var left = attempts
        while true {
            do throws(UringError) {
                return try work()
            } catch {
                left -= 1
                guard error.code == EADDRINUSE || error.code == EBUSY, left > 0 else {
                    throw error
                }
            }
            vx_sleep_microseconds(pauseMicroseconds)
        }
    }
}
