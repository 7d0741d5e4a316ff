import Glibc

/// Standard output and standard error.
enum Terminal {
    /// Writes a line.
    static func print(_ text: String) throws {
        let bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                throw TerminalClosed()
            } else if errno != EINTR {
                throw Failure("standard output: cannot write: check where the output goes to")
            }
        }
    }

    static func report(_ failure: Failure) { warn(failure.text) }

    /// One line on standard error.
    static func warn(_ line: String) {
        let bytes = Array("vxgen: \(line)\n".utf8)
        _ = unsafe write(2, bytes, bytes.count)
    }
}

/// Why a command did not do what it was asked for: `where: what: what to do`.
struct Failure: Error {
    let text: String
    /// 1 when the thing asked for failed, 2 for wrong usage.
    let status: Int32

    init(_ text: String, status: Int32 = 1) {
        self.text = text
        self.status = status
    }
}

/// The reader of standard output has gone, as in `vxgen run … | head`: nothing to complain about.
struct TerminalClosed: Error {}
