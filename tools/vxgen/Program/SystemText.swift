import Glibc

/// Words of the system.
enum SystemText {
    /// What an error number means, as in `No such file or directory`.
    static func ofError(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
