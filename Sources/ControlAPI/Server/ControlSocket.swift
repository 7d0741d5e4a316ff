import Glibc
public import Logging
import Synchronization

/// Where the control server listens and who besides its owner may talk to it.
public struct ControlAddress: Sendable, Equatable {
    /// `sun_path` of a Linux socket address has 108 bytes, the final NUL included.
    public static let longestPath = 107

    public var path: String
    /// Members of this group may connect; nil leaves the daemon's own group.
    public var group: String?

    public init(path: String, group: String? = nil) {
        self.path = path
        self.group = group
    }
}

/// The name of the control socket in the file system, from the moment it is claimed until it is
/// taken away.
///
/// The socket is bound in a private directory (mode 0700) beside its final place, gets its group
/// and mode there, and is then renamed: at no moment is there a name that more users could connect
/// to than meant, and nobody meets a socket that does not listen yet. The private directory is
/// locked, which keeps two daemons that start together from replacing each other.
public final class ControlSocket: Sendable {
    public let path: String
    private let name: String
    private let directory: FileDescriptor
    private let nursery: FileDescriptor
    private let nurseryName: String
    private let group: gid_t?
    private let stage = Mutex(Stage.unlocked)

    private enum Stage {
        case unlocked
        /// The private directory is this process's.
        case claimed
        /// The socket has its name and this inode; the private directory is gone.
        case published(inode: ino_t)
    }

    /// Makes the directory when it is missing, clears a dead daemon's socket away and claims the
    /// path.
    ///
    /// A second daemon is refused here, before it touches any device.
    public init(claiming address: ControlAddress, log: Logger) throws(ControlServerError) {
        let path = address.path
        self.path = path
        guard path.utf8.count <= ControlAddress.longestPath else {
            throw .pathTooLong(path)
        }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        group = address.group.flatMap { Self.groupNumber($0, log: log) }
        try Self.makeDirectory(parent, group: group)
        directory = try FileDescriptor(directory: parent)
        nurseryName = ".\(name.prefix(100)).claim"
        guard unsafe mkdirat(directory.number, nurseryName, 0o700) == 0 || errno == EEXIST else {
            throw .refused(path: parent, call: "mkdir", errno: errno)
        }
        nursery = try FileDescriptor(directory: "\(parent)/\(nurseryName)", flags: O_NOFOLLOW)
        guard nursery.isOwn else {
            throw .refused(path: "\(parent)/\(nurseryName)", call: "open", errno: EPERM)
        }
        guard nursery.lock() else { throw .alreadyRunning(path) }
        stage.withLock { $0 = .claimed }
        try Self.clearStaleSocket(path)
        _ = unsafe unlinkat(nursery.number, Self.temporaryName, 0)
    }

    deinit {
        guard case .claimed = stage.withLock({ $0 }) else { return }
        _ = unsafe unlinkat(nursery.number, Self.temporaryName, 0)
        _ = unsafe unlinkat(directory.number, nurseryName, AT_REMOVEDIR)
    }

    /// What the server binds: short, however long the path is.
    var bindPath: String { "/proc/self/fd/\(nursery.number)/\(Self.temporaryName)" }

    /// Gives the listening socket its group, mode 0660 and its name.
    func publish(log: Logger) throws(ControlServerError) {
        if let group, unsafe fchownat(nursery.number, Self.temporaryName, uid_t.max, group, 0) != 0
        {
            log.warning(
                "the control socket keeps the daemon's own group",
                metadata: ["socket": "\(path)", "reason": "\(systemErrorText(errno))"])
        }
        guard unsafe fchmodat(nursery.number, Self.temporaryName, 0o660, 0) == 0 else {
            throw .refused(path: path, call: "chmod", errno: errno)
        }
        var status = stat()
        _ = unsafe fstatat(nursery.number, Self.temporaryName, &status, AT_SYMLINK_NOFOLLOW)
        guard unsafe renameat(nursery.number, Self.temporaryName, directory.number, name) == 0
        else {
            throw .refused(path: path, call: "rename", errno: errno)
        }
        _ = unsafe unlinkat(directory.number, nurseryName, AT_REMOVEDIR)
        stage.withLock { $0 = .published(inode: status.st_ino) }
    }

    /// Takes the name away, unless it is another daemon's by now.
    func withdraw() {
        var status = stat()
        guard case .published(let inode) = stage.withLock({ $0 }),
            unsafe fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
            status.st_ino == inode
        else { return }
        _ = unsafe unlinkat(directory.number, name, 0)
    }

    private static let temporaryName = "s"

    private static func groupNumber(_ name: String, log: Logger) -> gid_t? {
        guard let entry = unsafe getgrnam(name) else {
            log.warning(
                "the group of the control socket does not exist: create it or set control.group",
                metadata: ["group": "\(name)"])
            return nil
        }
        return unsafe entry.pointee.gr_gid
    }

    /// Only the socket's own directory is made, and only one that was made gets mode and group: a
    /// shared directory such as /tmp stays as it is.
    private static func makeDirectory(
        _ path: String, group: gid_t?
    ) throws(ControlServerError) {
        guard unsafe mkdir(path, 0o750) == 0 else {
            if errno == EEXIST { return }
            throw .refused(path: path, call: "mkdir", errno: errno)
        }
        if let group { _ = unsafe chown(path, uid_t.max, group) }
        guard unsafe chmod(path, 0o750) == 0 else {
            throw .refused(path: path, call: "chmod", errno: errno)
        }
    }

    /// A socket that nobody listens on refuses connections: its daemon is dead.
    private static func clearStaleSocket(_ path: String) throws(ControlServerError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
        guard let address = SocketAddress(path: path) else { throw .pathTooLong(path) }
        let probe = try FileDescriptor(socketFor: path)
        let result = unsafe address.withPointer { unsafe connect(probe.number, $0, $1) }
        let reason = result == 0 ? 0 : errno
        switch reason {
        case 0, EAGAIN: throw .alreadyRunning(path)
        case ECONNREFUSED: break
        default: throw .refused(path: path, call: "connect", errno: reason)
        }
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw .refused(path: path, call: "unlink", errno: errno)
        }
    }
}

/// A descriptor that is closed with its owner.
private final class FileDescriptor: Sendable {
    let number: Int32

    init(directory path: String, flags: Int32 = 0) throws(ControlServerError) {
        number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags)
        guard number >= 0 else { throw .refused(path: path, call: "open", errno: errno) }
    }

    /// Non-blocking, so that a probe of a full backlog answers EAGAIN instead of waiting.
    init(socketFor path: String) throws(ControlServerError) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        number = socket(AF_UNIX, type | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { throw .refused(path: path, call: "socket", errno: errno) }
    }

    deinit { close(number) }

    /// Whether only this user can have put anything into the directory.
    var isOwn: Bool {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { return false }
        return status.st_uid == geteuid() && status.st_mode & 0o077 == 0
    }

    /// False when another process holds the lock, which ends with the descriptor.
    func lock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }
}
