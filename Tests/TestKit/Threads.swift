import Foundation

/// Threads for tests of what threads share.
public enum Threads {
    /// Runs every body on a thread of its own and returns when all have ended.
    public static func run(_ bodies: [@Sendable () -> Void]) {
        let group = DispatchGroup()
        for body in bodies {
            group.enter()
            Thread.detachNewThread {
                body()
                group.leave()
            }
        }
        group.wait()
    }

    /// Lets others run where a test machine has fewer cores than threads.
    public static func pause() { sched_yield() }
}
