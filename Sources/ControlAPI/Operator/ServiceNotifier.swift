import Glibc

/// Tells the service supervisor what the daemon is doing (sd_notify(3)): datagrams to the Unix
/// socket that `NOTIFY_SOCKET` names, by path or, with a first `@`, abstract. Without the variable
/// nothing is sent.
///
/// Thread-safety: a value; any thread may send.
public struct ServiceNotifier: Sendable {
    private let socketName: String?
    /// How often the supervisor wants to hear `WATCHDOG=1`, or nil when it does not watch. Half of
    /// its limit, as sd_watchdog_enabled(3) recommends.
    public let watchdogInterval: Duration?

    /// - Parameter environment: of this process; `WATCHDOG_PID` of another one switches the
    ///   watchdog off.
    public init(environment: [String: String]) {
        socketName = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        watchdogInterval =
            socketName == nil || !isForUs
            ? nil : limit.flatMap { $0 > 0 ? .microseconds($0 / 2) : nil }
    }

    /// Ready to forward, or done with reloading.
    public func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// The supervisor wants to know since when, so that it can tell an old message from a new one.
    public func reloading() {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)\nSTATUS=reloading the configuration")
    }

    public func stopping() { send("STOPPING=1\nSTATUS=stopping") }

    public func status(_ text: String) { send("STATUS=\(text)") }

    public func watchdog() { send("WATCHDOG=1") }

    private func send(_ message: String) {
        guard let socketName, let address = SocketAddress(path: socketName) else { return }
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = unsafe address.withPointer { pointer, length in
            unsafe sendto(
                descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, length)
        }
    }
}
