public import Foundation

/// A program that goes on while the test does other things; killed when the test lets go of it.
///
/// Started by `posix_spawn` and awaited by `waitpid`, on the caller's thread alone. Foundation's
/// `Process` collects exits on a thread of its own and shares unguarded state with the caller, what
/// a run of the end-to-end tests may pay for with a SIGSEGV among its thousand programs.
public final class RunningCommand {
    public let words: [String]
    public let processIdentifier: pid_t
    private let directory: URL
    /// As `wait(2)` gives it; nil while the program goes on.
    private var waitStatus: Int32?

    /// The first word is looked up on the PATH. What the program prints goes through files, so that
    /// neither side ever waits for a full pipe.
    /// - Parameter environment: variables besides, or instead of, those of the tests.
    public init(_ words: [String], environment: [String: String] = [:]) throws {
        self.words = words
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("vxgate-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        processIdentifier = try Spawn.start(
            words, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            output: directory.appendingPathComponent("output").path,
            errors: directory.appendingPathComponent("errors").path)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    public var isRunning: Bool {
        if waitStatus == nil { collect(options: WNOHANG) }
        return waitStatus == nil
    }

    public var output: String { text("output") }
    public var errors: String { text("errors") }

    /// The exit status (128 + the signal's number for a signal); nil when it still goes on then.
    public func wait(seconds: Double) -> Int32? {
        let limit = ContinuousClock.now + .seconds(seconds)
        while isRunning {
            guard ContinuousClock.now < limit else { return nil }
            usleep(5000)
        }
        return exitStatus
    }

    public func signal(_ number: Int32) {
        if isRunning { _ = Glibc.kill(processIdentifier, number) }
    }

    public func kill() {
        guard isRunning else { return }
        signal(SIGKILL)
        collect(options: 0)
    }

    private var exitStatus: Int32? {
        guard let waitStatus else { return nil }
        let signal = waitStatus & 0x7f
        return signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
    }

    private func collect(options: Int32) {
        var status: Int32 = 0
        var collected: pid_t
        repeat {
            collected = unsafe waitpid(processIdentifier, &status, options)
        } while collected < 0 && errno == EINTR
        if collected == processIdentifier { waitStatus = status }
    }

    private func text(_ name: String) -> String {
        let data = try? Data(contentsOf: directory.appendingPathComponent(name))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
