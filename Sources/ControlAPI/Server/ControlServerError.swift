/// Why the control server cannot serve. The text is one line for an operator and says what to do.
public enum ControlServerError: Error, Equatable, CustomStringConvertible {
    /// The path does not fit into a socket address; choose a shorter one.
    case pathTooLong(String)
    /// A file that is not a socket has the name; remove it or choose another name.
    case notASocket(String)
    /// Another process answers on the socket; stop it or choose another path.
    case alreadyRunning(String)
    /// The kernel refused a call on the path; `errno` says why.
    case refused(path: String, call: String, errno: Int32)
    /// The metrics could not be served on their TCP address.
    case metrics(listen: String, reason: String)
    /// Hummingbird could not start or stopped by itself.
    case stopped(String)

    public var description: String {
        switch self {
        case .pathTooLong(let path):
            "the socket path \(path) has \(path.utf8.count) bytes: choose one of at most "
                + "\(ControlAddress.longestPath) in control.socket"
        case .notASocket(let path):
            "\(path) exists and is not a socket: remove it or choose another control.socket"
        case .alreadyRunning(let path):
            "another vxgate is running on \(path): stop it or choose another control.socket"
        case .refused(let path, let call, let errno):
            "\(path): \(call): \(systemErrorText(errno)): check control.socket and the rights "
                + "on its directory"
        case .metrics(let listen, let reason):
            "cannot serve metrics on \(listen): \(reason): free the port or change metrics.listen"
        case .stopped(let reason):
            "the control server stopped: \(reason): restart vxgate"
        }
    }
}
