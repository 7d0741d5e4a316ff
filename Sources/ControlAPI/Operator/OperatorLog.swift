import Glibc
public import Logging

/// Log lines of the daemon on standard error: `LEVEL message key=value…`.
///
/// Under systemd's journal (`JOURNAL_STREAM`) a line starts with the priority that `journalctl -p`
/// reads (`<3>` to `<7>`, sd-daemon(3)) and the journal adds the time; elsewhere times are added
/// when asked for. One line is one write, so that lines of several threads never mix.
public struct OperatorLog: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let style: Style
    private let output: @Sendable (String) -> Void

    /// What stands before the level.
    public enum Style: Sendable {
        case plain, timestamps, journal
    }

    /// - Parameter output: takes a whole line with its line feed.
    public init(
        level: Logger.Level, style: Style,
        output: @escaping @Sendable (String) -> Void = OperatorLog.writeToStandardError
    ) {
        logLevel = level
        self.style = style
        self.output = output
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = prefix(event.level)
        line += "\(event.level.rawValue) \(oneLine("\(event.message)"))"
        var values = metadata
        if let own = event.metadata { values.merge(own) { _, new in new } }
        if let error = event.error { values["error"] = "\(error)" }
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(quoted("\(value)"))"
        }
        output(line + "\n")
    }

    private func prefix(_ level: Logger.Level) -> String {
        switch style {
        case .plain: ""
        case .timestamps: timestamp() + " "
        case .journal: "<\(priority(level))>"
        }
    }

    /// syslog(3) has no level below debug.
    private func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// A value with blanks, quotes or line feeds is quoted, so that a line splits at blanks.
    private func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 32 && $0 != 34 && $0 != 127 }
        guard !isPlain else { return value }
        let escaped = value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
        return "\"\(oneLine(escaped))\""
    }

    private func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 32 }) else { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
    }

    /// RFC 3339 in UTC with milliseconds.
    private func timestamp() -> String {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        _ = unsafe gmtime_r(&now.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let date = String(decoding: text[..<length].map { UInt8($0) }, as: UTF8.self)
        let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        return "\(date).\(milliseconds)Z"
    }

    /// A closed or full standard error loses the line and nothing else.
    public static let writeToStandardError: @Sendable (String) -> Void = { line in
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
