internal import Yams

/// A text as YAML nodes, within limits: at most 4 MiB, 64 levels, no anchors, one document.
///
/// The YAML library refuses a mapping that has a key twice and stops there. So that this hides no
/// other error, the first of the two keys is renamed to something no file contains and the text is
/// read again; `keyNames` tells what the key was, and the section that has both reports the second.
struct YAMLDocument {
    let root: Node
    private let keyNames: [String: String]

    static let byteLimit = 4 << 20
    static let depthLimit = 64
    /// How often a text is read again, and how many bytes that may be in all: beyond, a duplicate
    /// key hides the other errors of the text.
    private static let renameLimit = 16
    private static let rereadByteLimit = 1 << 20

    /// Reads `text`; nil when it is no YAML, and `log` says why.
    init?(text: String, log: DiagnosticLog) {
        let start = SourceMark(line: 1, column: 1)
        guard text.utf8.count <= Self.byteLimit else {
            let limit = "a configuration has at most \(Self.byteLimit) bytes"
            log.error("", "the text has \(text.utf8.count) bytes: \(limit)", at: start)
            return nil
        }
        if let mark = AliasScan.firstMark(in: text) {
            let text = "anchors (&) and aliases (*) are not accepted: write the value out"
            log.error("", text, at: mark)
            return nil
        }
        var text = text
        var keyNames: [String: String] = [:]
        while true {
            do {
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                root = try parser.singleRoot() ?? .mapping(Node.Mapping([]))
                self.keyNames = keyNames
                break
            } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
                let key = duplicates.first ?? ""
                let mark = SourceMark(line: context.mark.line, column: context.mark.column)
                let stand = Self.replacement(for: key, number: keyNames.count)
                let reread = (keyNames.count + 1) * text.utf8.count
                guard keyNames.count < Self.renameLimit, reread <= Self.rereadByteLimit,
                    let renamed = text.replacingKey(key, at: mark, with: stand)
                else {
                    log.error("", "the key \(quoted(key)) is written twice: keep one", at: mark)
                    return nil
                }
                text = renamed
                keyNames[stand] = key
            } catch {
                let (problem, mark) = Self.explain(error)
                log.error("", "this is not YAML: \(problem)", at: mark)
                return nil
            }
        }
        guard refuseDepth(of: root, level: 1, log: log) else { return nil }
    }

    /// The key as it was written.
    func key(_ node: Node) -> String? {
        guard let text = node.scalar?.string else { return nil }
        return keyNames[text] ?? text
    }

    /// As long as `key`, so that columns stay, of private-use characters that no configuration
    /// contains.
    private static func replacement(for key: String, number: Int) -> String {
        let stand = Unicode.Scalar(0xE000 + UInt32(number)) ?? "\u{E000}"
        return String(repeating: Character(stand), count: key.unicodeScalars.count)
    }

    private func refuseDepth(of node: Node, level: Int, log: DiagnosticLog) -> Bool {
        guard level <= Self.depthLimit else {
            log.error("", "nested deeper than \(Self.depthLimit) levels", at: SourceMark(node))
            return false
        }
        switch node {
        case .scalar, .alias: return true
        case .sequence(let sequence):
            return sequence.allSatisfy { refuseDepth(of: $0, level: level + 1, log: log) }
        case .mapping(let mapping):
            return mapping.allSatisfy {
                refuseDepth(of: $0.key, level: level + 1, log: log)
                    && refuseDepth(of: $0.value, level: level + 1, log: log)
            }
        }
    }

    private static func explain(_ error: any Error) -> (problem: String, mark: SourceMark) {
        let start = SourceMark(line: 1, column: 1)
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            return (problem + place, SourceMark(line: mark.line, column: mark.column))
        case .reader(let problem, let offset, _, let yaml):
            return (problem, SourceMark(offset: offset ?? 0, in: yaml))
        default:
            return ("it cannot be read", start)
        }
    }
}

extension SourceMark {
    init(_ node: Node) {
        self.init(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    /// The place of the character number `offset` of `text`.
    fileprivate init(offset: Int, in text: String) {
        self.init(line: 1, column: 1)
        for character in text.prefix(offset) {
            if character.isNewline {
                line += 1
                column = 1
            } else {
                column += character.unicodeScalars.count
            }
        }
    }
}

extension String {
    /// The text with the key that stands at `mark`, plain or in quotes, written as `replacement`;
    /// nil when something else stands there.
    fileprivate func replacingKey(
        _ key: String, at mark: SourceMark, with replacement: String
    ) -> String? {
        guard !key.isEmpty else { return nil }
        let scalars = unicodeScalars
        guard var start = scalars.index(ofLine: mark.line) else { return nil }
        guard
            let column = scalars.index(
                start, offsetBy: mark.column - 1, limitedBy: scalars.endIndex)
        else { return nil }
        start = column
        if start < scalars.endIndex, scalars[start] == "\"" || scalars[start] == "'" {
            start = scalars.index(after: start)
        }
        let length = key.unicodeScalars.count
        guard let end = scalars.index(start, offsetBy: length, limitedBy: scalars.endIndex),
            scalars[start..<end].elementsEqual(key.unicodeScalars)
        else { return nil }
        return String(self[..<start]) + replacement + String(self[end...])
    }
}

extension String.UnicodeScalarView {
    /// Where line number `line` begins, by the line breaks of YAML 1.1.
    fileprivate func index(ofLine line: Int) -> Index? {
        var current = 1
        var position = startIndex
        while current < line, position < endIndex {
            let scalar = self[position]
            position = index(after: position)
            switch scalar {
            case "\r" where position < endIndex && self[position] == "\n":
                continue
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                current += 1
            default:
                continue
            }
        }
        return current == line ? position : nil
    }
}
