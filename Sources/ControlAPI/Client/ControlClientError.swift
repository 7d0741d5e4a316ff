import Glibc

/// Why a request of the command line got no good answer. The text is one line for an operator.
public enum ControlClientError: Error, Equatable, CustomStringConvertible {
    /// Nobody listens on the socket, or this user may not connect.
    case cannotConnect(path: String, errno: Int32)
    /// The daemon took longer than the client waits.
    case timedOut(path: String, seconds: Int)
    /// The connection ended or the answer is not HTTP.
    case broken(path: String, reason: String)
    /// The daemon refused: its HTTP status, its line and, for a configuration, its lines.
    case refused(status: Int, text: String, details: [String])

    public var description: String {
        switch self {
        case .cannotConnect(let path, EACCES), .cannotConnect(let path, EPERM):
            "cannot connect to \(path): permission denied: run as root or as a member of the "
                + "group in control.group"
        case .cannotConnect(let path, let errno) where errno != ENOENT && errno != ECONNREFUSED:
            "cannot connect to \(path): \(systemErrorText(errno)): check --socket"
        case .cannotConnect(let path, _):
            "cannot connect to \(path): is vxgate running? start it with vxgate run --config FILE"
        case .timedOut(let path, let seconds):
            "no answer from \(path) within \(seconds) s: is vxgate overloaded or stopped?"
        case .broken(let path, let reason):
            "\(path): \(reason): is it the control socket of vxgate?"
        case .refused(_, let text, _):
            text
        }
    }
}
