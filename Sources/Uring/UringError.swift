import Glibc

/// A refusal of the kernel, told to an operator in one line: what happened and what to do.
///
/// Cold paths throw it; on the packet path a refusal is a negative result of a completion.
public struct UringError: Error, Equatable, CustomStringConvertible {
    /// What was being done and to what, as in `udp port 4789 on 10.0.0.1 is in use`.
    public let what: String
    /// What the operator can do about it.
    public let remedy: String
    /// The kernel's error number, positive; 0 when the refusal is our own.
    public let code: Int32

    public init(_ what: String, remedy: String, code: Int32 = 0) {
        self.what = what
        self.remedy = remedy
        self.code = code
    }

    public var description: String { "\(what): \(remedy)" }

    /// A refusal without a better explanation than the kernel's own.
    static func unexpected(_ action: String, _ result: Int32) -> UringError {
        let code = abs(result)
        return UringError(
            "cannot \(action)", remedy: "the kernel says \"\(text(of: code))\" (errno \(code))",
            code: code)
    }

    static func text(of code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
