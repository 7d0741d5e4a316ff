/// One remark about a configuration text. Its description is one line:
/// `file:line:column: error: key.path[0]: text`.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    public enum Severity: String, Sendable, Hashable {
        case error, warning
    }

    public var file: String
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int
    public var severity: Severity
    /// The keys and item numbers that lead there, as in `vsis[0].vni`; empty for the whole text.
    public var path: String
    /// What is wrong and what to do.
    public var text: String

    public init(
        file: String, line: Int, column: Int, severity: Severity, path: String, text: String
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.severity = severity
        self.path = path
        self.text = text
    }

    public var description: String {
        let place = "\(file):\(line):\(column): \(severity.rawValue): "
        return path.isEmpty ? place + text : "\(place)\(path): \(text)"
    }
}

/// A text that is not a valid configuration: every error of it, in the order of the lines. Nothing
/// of such a text may be used; the operator corrects the named lines.
public struct ConfigurationErrors: Error, Equatable {
    public let diagnostics: [Diagnostic]

    public init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}
