/// A program run to its end, or ended when it takes longer than it may.
public struct Command {
    /// 128 + the signal's number when a signal ended it.
    public let status: Int32
    public let output: String
    public let errors: String

    /// The first word is looked up on the PATH.
    @discardableResult
    public static func run(
        _ words: [String], seconds: Double = 20, environment: [String: String] = [:]
    ) throws -> Command {
        try Command(end: RunningCommand(words, environment: environment), seconds: seconds)
    }

    /// Waits for the end of a program that was started before.
    public init(end running: RunningCommand, seconds: Double = 20) throws {
        guard let status = running.wait(seconds: seconds) else {
            running.kill()
            throw Overtime(words: running.words, seconds: seconds)
        }
        self.status = status
        output = running.output
        errors = running.errors
    }

    /// The lines of standard error that are not empty.
    public var errorLines: [Substring] { errors.split(separator: "\n") }

    /// The program took more time than it may, and was killed.
    public struct Overtime: Error, CustomStringConvertible {
        let words: [String]
        let seconds: Double

        public var description: String {
            "`\(words.joined(separator: " "))` took more than \(seconds) s"
        }
    }
}
