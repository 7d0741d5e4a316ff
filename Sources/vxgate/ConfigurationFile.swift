import Control
import Glibc

/// A configuration text and the name that its errors tell.
struct ConfigurationFile {
    /// What a control server takes; a larger file is a mistake in the name.
    private static let largestBytes = 4 << 20

    let name: String
    let text: String

    /// - Throws: status 2, like every fault of a file.
    init(_ name: String) throws(Failure) {
        self.name = name
        let bytes = try Self.read(name)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(at: name, "the file is not UTF-8 text: save it as UTF-8", status: 2)
        }
        self.text = text
    }

    /// - Throws: every error of the text, one line each, status 2.
    func parsed() throws(Failure) -> ParsedConfiguration {
        do {
            return try Configuration.parse(text: text, fileName: name)
        } catch {
            let count = error.diagnostics.count
            throw Failure(
                at: name, count == 1 ? "1 error: correct it" : "\(count) errors: correct them",
                details: error.diagnostics.map(\.description), status: 2)
        }
    }

    private static func read(_ name: String) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(name) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw unreadable(name)
            }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
            guard bytes.count <= largestBytes else {
                throw Failure(
                    at: name, "the file is larger than \(largestBytes) bytes: is it the right one?",
                    status: 2)
            }
        }
    }

    private static func unreadable(_ name: String) -> Failure {
        let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "unknown"
        return Failure(at: name, "cannot read: \(reason): check the name and its rights", status: 2)
    }
}
