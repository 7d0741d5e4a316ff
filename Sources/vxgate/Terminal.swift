import Glibc

/// Standard output and standard error of a command.
enum Terminal {
    static func print(_ text: String) throws {
        try print(Array(text.utf8))
    }

    static func print(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(1, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE {
                throw TerminalClosed(status: 0)
            } else if errno != EINTR {
                throw Failure(
                    at: "standard output", "cannot write: check where the output goes to")
            }
        }
    }

    static func report(_ failure: Failure) {
        for line in failure.details { warn(line) }
        warn("\(failure.place): \(failure.text)")
    }

    /// One line on standard error.
    static func warn(_ line: String) {
        let bytes = Array("vxgate: \(line)\n".utf8)
        _ = unsafe write(2, bytes, bytes.count)
    }
}
