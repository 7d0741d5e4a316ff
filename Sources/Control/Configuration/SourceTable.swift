/// A place in a text, both from 1; columns count Unicode scalars.
public struct SourceMark: Sendable, Hashable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (left: SourceMark, right: SourceMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// Where each key path of a configuration was written. It is a remark beside the configuration: two
/// tables are always equal, so that moving a line changes nothing that counts.
public struct SourceTable: Sendable, Equatable {
    private var marks: [String: SourceMark] = [:]

    public init() {}

    public static func == (left: SourceTable, right: SourceTable) -> Bool { true }

    /// The text itself says `path`, it is not a default.
    public func isWritten(_ path: String) -> Bool { marks[path] != nil }

    /// The mark of `path` or of the nearest part around it.
    public subscript(path: String) -> SourceMark? {
        var part = Substring(path)
        while true {
            if let mark = marks[String(part)] { return mark }
            guard let end = part.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
            part = part[..<end]
        }
    }

    mutating func write(_ path: String, at mark: SourceMark) { marks[path] = mark }
}
