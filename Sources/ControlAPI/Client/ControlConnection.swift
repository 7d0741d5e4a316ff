import Glibc

/// A connected AF_UNIX stream socket whose reads and writes end after a time.
final class ControlConnection {
    private let descriptor: Int32
    let path: String
    private let timeoutSeconds: Int
    private var part = [UInt8](repeating: 0, count: 64 << 10)

    init(path: String, timeoutSeconds: Int) throws(ControlClientError) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
        guard let address = SocketAddress(path: path) else {
            throw .cannotConnect(path: path, errno: ENAMETOOLONG)
        }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .cannotConnect(path: path, errno: errno) }
        setTimeout(SO_RCVTIMEO)
        setTimeout(SO_SNDTIMEO)
        guard unsafe address.withPointer({ unsafe connect(descriptor, $0, $1) }) == 0 else {
            throw errno == EAGAIN
                ? .timedOut(path: path, seconds: timeoutSeconds)
                : .cannotConnect(path: path, errno: errno)
        }
    }

    deinit { close(descriptor) }

    /// A daemon that refuses a request early may close before everything is written; its answer is
    /// then already there, so a broken pipe is left for the read to judge.
    func write(_ bytes: [UInt8]) throws(ControlClientError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return unsafe send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EPIPE || errno == ECONNRESET {
                return
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    /// Appends what has arrived to `bytes`; false at the end of the stream.
    func read(into bytes: inout [UInt8]) throws(ControlClientError) -> Bool {
        while true {
            let count = unsafe recv(descriptor, &part, part.count, 0)
            if count > 0 {
                bytes += part[..<count]
                return true
            }
            if count == 0 { return false }
            if errno != EINTR { throw failure() }
        }
    }

    private func setTimeout(_ option: Int32) {
        var time = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, size)
    }

    private func failure() -> ControlClientError {
        errno == EAGAIN || errno == EWOULDBLOCK
            ? .timedOut(path: path, seconds: timeoutSeconds)
            : .broken(path: path, reason: systemErrorText(errno))
    }
}
