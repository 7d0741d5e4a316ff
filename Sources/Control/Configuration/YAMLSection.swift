internal import Yams

/// A mapping of the document with the keys that it may have. Reading a key gives its value or, when
/// the value is wrong, tells the log and gives nothing.
struct YAMLSection {
    let path: String
    /// Where the mapping begins.
    let mark: SourceMark
    private let values: [String: Node]
    private let document: YAMLDocument
    private let log: DiagnosticLog
    /// The node is no mapping at all, which has been said: nothing more is missed in it.
    private let isBroken: Bool

    /// Reads the keys of `node`; unknown ones and those written twice are errors.
    init(_ node: Node, path: String, keys: [String], document: YAMLDocument, log: DiagnosticLog) {
        self.path = path
        self.document = document
        self.log = log
        mark = SourceMark(node)
        var values: [String: Node] = [:]
        guard case .mapping(let mapping) = node else {
            isBroken = !Self.isEmpty(node)
            self.values = values
            if isBroken {
                log.error(path, "keys with values are expected, as in 'name: value'", at: mark)
            }
            return
        }
        isBroken = false
        var places: [String: SourceMark] = [:]
        for (keyNode, value) in mapping {
            let place = SourceMark(keyNode)
            guard let key = document.key(keyNode) else {
                log.error(path, "a key is a single word", at: place)
                continue
            }
            // A key may hold anything, line breaks too; a path of a message is one line.
            let keyPath = Self.join(path, String(quoted(key).dropFirst().dropLast()))
            if let first = places[key] {
                let text = "the key is written twice, first in line \(first.line): keep one"
                log.error(keyPath, text, at: place)
            } else if keys.contains(key) {
                values[key] = value
                log.place(keyPath, at: Self.isEmpty(value) ? place : SourceMark(value))
            } else {
                log.error(keyPath, "unknown key\(suggestion(for: key, among: keys))", at: place)
            }
            places[key] = place
        }
        self.values = values
    }

    func keyPath(_ key: String) -> String { Self.join(path, key) }

    func has(_ key: String) -> Bool { values[key] != nil }

    /// The value of `key`; nil when it is absent, or wrong and reported.
    func value<Value>(_ key: String, _ form: ValueForm<Value>) -> Value? {
        values[key].flatMap { read($0, keyPath(key), form) }
    }

    /// The value of `key`, which must be there; `stand` takes its place after an error.
    func required<Value>(_ key: String, _ form: ValueForm<Value>, stand: Value) -> Value {
        guard values[key] != nil else {
            missing(key)
            return stand
        }
        return value(key, form) ?? stand
    }

    /// Reports that `key` is missing.
    func missing(_ key: String) {
        guard !isBroken else { return }
        log.error(keyPath(key), "the key is missing here", at: mark)
    }

    /// A list of scalars; nil when `key` is absent.
    /// - Parameter takesSingle: one scalar without brackets is a list of one.
    func list<Value>(
        _ key: String, _ form: ValueForm<Value>, takesSingle: Bool = false
    ) -> [Value]? {
        guard let node = values[key] else { return nil }
        switch node {
        case .sequence(let sequence):
            guard isWithinLimit(sequence.count, key, node) else { return [] }
            return sequence.enumerated().compactMap { index, item in
                let itemPath = "\(keyPath(key))[\(index)]"
                log.place(itemPath, at: SourceMark(item))
                return read(item, itemPath, form)
            }
        case .scalar where Self.isEmpty(node):
            return []
        case .scalar where takesSingle:
            return read(node, keyPath(key), form).map { [$0] } ?? []
        case .scalar, .mapping, .alias:
            log.error(keyPath(key), "a list is expected, as in [ a, b ]", at: SourceMark(node))
            return []
        }
    }

    /// The mapping under `key`; nil when it is absent.
    func section(_ key: String, keys: [String]) -> YAMLSection? {
        values[key].map {
            YAMLSection($0, path: keyPath(key), keys: keys, document: document, log: log)
        }
    }

    /// The items of a list of mappings; none when `key` is absent.
    func items(_ key: String, keys: [String]) -> [YAMLSection] {
        guard let node = values[key], !Self.isEmpty(node) else { return [] }
        guard case .sequence(let sequence) = node else {
            let text = "a list is expected: begin each item with '- '"
            log.error(keyPath(key), text, at: SourceMark(node))
            return []
        }
        guard isWithinLimit(sequence.count, key, node) else { return [] }
        return sequence.enumerated().map { index, item in
            let itemPath = "\(keyPath(key))[\(index)]"
            log.place(itemPath, at: SourceMark(item))
            return YAMLSection(item, path: itemPath, keys: keys, document: document, log: log)
        }
    }

    /// More items than any table of the gateway takes: a slip, or an attempt to use up memory.
    private static let itemLimit = 1 << 17

    private func isWithinLimit(_ count: Int, _ key: String, _ node: Node) -> Bool {
        guard count > Self.itemLimit else { return true }
        let text = "the list has \(count) items, at most \(Self.itemLimit) are possible"
        log.error(keyPath(key), text, at: SourceMark(node))
        return false
    }

    private func read<Value>(_ node: Node, _ path: String, _ form: ValueForm<Value>) -> Value? {
        guard case .scalar(let scalar) = node else {
            log.unread(path, "a single value is expected", at: SourceMark(node))
            return nil
        }
        guard !Self.isEmpty(node) else {
            log.unread(path, "the value is missing", at: log.sources[path] ?? SourceMark(node))
            return nil
        }
        do { return try form.read(scalar.string) } catch {
            log.unread(path, error.text, at: SourceMark(node))
            return nil
        }
    }

    /// Nothing, `~` or `null`, not in quotes: YAML's null.
    private static func isEmpty(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
            return false
        }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }
}
