/// Collects what is wrong with a text, and where each part of it stands, while it becomes a
/// configuration.
final class DiagnosticLog {
    private let file: String
    private var found: [(mark: SourceMark, diagnostic: Diagnostic)] = []
    private var failedPaths: Set<String> = []
    /// Values that could not be read and are therefore absent from the configuration.
    private var unreadPaths: Set<String> = []
    /// Lists some item of which could not be read.
    private var incompletePaths: Set<String> = []
    private(set) var sources = SourceTable()
    /// Errors beyond `limit`, which are counted only.
    private var uncounted = 0

    /// A text with more errors than a person reads gets the first ones and the number of the
    /// others.
    static let limit = 200

    init(file: String) { self.file = file }

    var hasErrors: Bool { uncounted > 0 || found.contains { $0.diagnostic.severity == .error } }

    /// Everything found of one severity, in the order of the text.
    func diagnostics(_ severity: Diagnostic.Severity) -> [Diagnostic] {
        var all = found.filter { $0.diagnostic.severity == severity }
            .sorted { $0.mark < $1.mark }.map(\.diagnostic)
        if severity == .error, uncounted > 0, let last = all.last {
            all.append(
                Diagnostic(
                    file: file, line: last.line, column: last.column, severity: .error, path: "",
                    text: "and \(uncounted) more errors: correct these first"))
        }
        return all
    }

    func place(_ path: String, at mark: SourceMark) { sources.write(path, at: mark) }

    func isWritten(_ path: String) -> Bool { sources.isWritten(path) }

    /// `path` has an error of its own, so that rules about its value say nothing.
    func hasFailed(_ path: String) -> Bool { failedPaths.contains(path) }

    /// `path` or an item of the list at `path` has an error of its own: what is not in it may be
    /// meant.
    func isUncertain(_ path: String) -> Bool {
        failedPaths.contains(path) || incompletePaths.contains(path)
    }

    /// - Parameter text: made only when it is shown, because a suggestion costs more than the rest.
    func error(_ path: String, _ text: @autoclosure () -> String, at mark: SourceMark) {
        failedPaths.insert(path)
        guard found.count < Self.limit else {
            uncounted += 1
            return
        }
        add(.error, path, text(), mark)
    }

    /// An error of a value that could not be read.
    func unread(_ path: String, _ text: @autoclosure () -> String, at mark: SourceMark) {
        unreadPaths.insert(path)
        if path.hasSuffix("]"), let end = path.lastIndex(of: "[") {
            incompletePaths.insert(String(path[..<end]))
        }
        error(path, text(), at: mark)
    }

    /// The paths of the `count` items that could be read of the list at `path`.
    func itemPaths(of path: String, count: Int) -> [String] {
        // One value without brackets is a list of one and has no item number.
        if count == 1, isWritten(path), !isWritten("\(path)[0]") { return [path] }
        var paths: [String] = []
        var index = 0
        while paths.count < count {
            let itemPath = "\(path)[\(index)]"
            if !unreadPaths.contains(itemPath) { paths.append(itemPath) }
            index += 1
        }
        return paths
    }

    /// An error found by a rule: it is said once for a path, and not at all where the value itself
    /// is wrong.
    func refuse(_ path: String, _ text: @autoclosure () -> String) {
        guard !hasFailed(path) else { return }
        error(path, text(), at: mark(path))
    }

    func warn(_ path: String, _ text: @autoclosure () -> String) {
        guard found.count < Self.limit else { return }
        add(.warning, path, text(), mark(path))
    }

    /// Where `path` or the part around it stands.
    func mark(_ path: String) -> SourceMark { sources[path] ?? SourceMark(line: 1, column: 1) }

    /// `path (line 12)`, to name a second place in a text.
    func reference(_ path: String) -> String {
        guard let mark = sources[path] else { return path }
        return "\(path) (line \(mark.line))"
    }

    private func add(
        _ severity: Diagnostic.Severity, _ path: String, _ text: String, _ mark: SourceMark
    ) {
        let diagnostic = Diagnostic(
            file: file, line: mark.line, column: mark.column, severity: severity, path: path,
            text: text)
        found.append((mark, diagnostic))
    }
}
