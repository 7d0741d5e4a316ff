internal import CLinux
import Glibc

/// A named network namespace (`ip netns`), entered for as long as one piece of work takes.
public enum NetworkNamespace {
    /// Runs `work` inside the namespace `name`, or right here when it is nil.
    ///
    /// The work runs on a thread of its own, which ends with it: the caller's namespace never
    /// changes. Cold, and never on a pinned worker thread: the new thread would inherit its CPU.
    /// - Parameter name: a name under /run/netns, or the path of a namespace file.
    /// - Throws: when the namespace does not exist or may not be entered, and what `work` throws.
    public static func run<Value>(
        in name: String?, _ work: () throws(UringError) -> Value
    ) throws(UringError) -> Value {
        guard let name else { return try work() }
        let path = name.hasPrefix("/") ? name : "/run/netns/\(name)"
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let code = errno
            guard code == ENOENT else {
                throw UringError.unexpected("open network namespace \(name)", code)
            }
            throw UringError(
                "network namespace \(name) does not exist",
                remedy: "create it (`ip netns add \(name)`) or correct its name", code: code)
        }
        defer { close(file) }
        var outcome: Result<Value, UringError>?
        try onThread { () in
            let entered = vx_enter_network_namespace(file)
            guard entered == 0 else {
                outcome = .failure(
                    UringError(
                        "cannot enter network namespace \(name)",
                        remedy: "give CAP_SYS_ADMIN, or run where the namespace is",
                        code: -entered))
                return
            }
            do throws(UringError) {
                outcome = .success(try work())
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else {
            throw UringError(
                "the thread for network namespace \(name) left no result",
                remedy: "report this as a bug")
        }
        return try outcome.get()
    }

    /// Runs `work` on a new thread and waits for its end.
    private static func onThread(_ work: () -> Void) throws(UringError) {
        let started = withoutActuallyEscaping(work) { work -> Int32 in
            let box = ThreadWork(work)
            var thread = pthread_t()
            let result = unsafe pthread_create(
                &thread, nil,
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    unsafe Unmanaged<ThreadWork>.fromOpaque(argument).takeUnretainedValue().run()
                    return nil
                }, Unmanaged.passUnretained(box).toOpaque())
            if result == 0 { pthread_join(thread, nil) }
            return result
        }
        guard started == 0 else { throw UringError.unexpected("start a thread", started) }
    }
}

/// What a thread shall do, on its way through a C pointer.
private final class ThreadWork {
    private let work: () -> Void

    init(_ work: @escaping () -> Void) { self.work = work }

    func run() { work() }
}
