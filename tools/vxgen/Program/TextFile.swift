import Glibc

/// Files that a command writes.
enum TextFile {
    static func write(_ text: String, to path: String) throws(Failure) {
        guard let file = unsafe fopen(path, "we") else { throw unwritable(path) }
        let bytes = Array(text.utf8)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, count == bytes.count else { throw unwritable(path) }
    }

    private static func unwritable(_ path: String) -> Failure {
        Failure("file \(path): it cannot be written: \(SystemText.ofError(errno))")
    }
}
