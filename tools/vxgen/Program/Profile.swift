import Generator
import Glibc
import Yams

/// A YAML file that says what to send: the options of the command line by their names, and a list
/// `streams`, each with the options that describe one. What stands outside of the list holds for
/// all of them.
struct Profile {
    private let path: String

    /// - Throws: `Failure` with status 2 and the place in the file.
    static func read(_ path: String, into settings: inout Settings) throws(Failure) {
        let profile = Profile(path: path)
        let node = try profile.parse(try profile.text())
        guard let node else { return }
        try profile.apply(node, to: &settings)
    }

    private func text() throws(Failure) -> String {
        guard let file = unsafe fopen(path, "re") else {
            throw unreadable(errno)
        }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= Self.byteLimit {
            let count = unsafe fread(&part, 1, part.count, file)
            guard count > 0 else { break }
            bytes += part[0..<count]
        }
        guard unsafe ferror(file) == 0 else { throw unreadable(errno) }
        guard bytes.count <= Self.byteLimit, let text = String(validating: bytes, as: UTF8.self)
        else {
            throw Failure(
                "profile \(path): it is no text of at most 1 MiB: correct --profile", status: 2)
        }
        return text
    }

    private func unreadable(_ code: Int32) -> Failure {
        Failure("profile \(path): it cannot be read: \(SystemText.ofError(code))", status: 2)
    }

    private static let byteLimit = 1 << 20

    private func parse(_ text: String) throws(Failure) -> Node? {
        do {
            return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch {
            let problem: String
            var mark: Mark?
            switch error as? YamlError {
            case .scanner(_, let text, let place, _), .parser(_, let text, let place, _),
                .composer(_, let text, let place, _):
                problem = text
                mark = place
            case .duplicatedKeysInMapping(let keys, let context):
                problem = "the key \(keys.first ?? "") is written twice"
                mark = context.mark
            default: problem = "it cannot be read"
            }
            throw failure(mark, "this is not YAML: \(problem)")
        }
    }

    private func apply(_ root: Node, to settings: inout Settings) throws(Failure) {
        guard let mapping = root.mapping else {
            throw failure(root.mark, "give settings as in `rate: 1Mpps`, not a list or a value")
        }
        var list: Node?
        for (key, value) in mapping {
            if key.scalar?.string == "streams" {
                list = value
                continue
            }
            try apply(key, value) { name, text throws(Settings.Problem) in
                try settings.set(name, text)
            }
        }
        guard let list else { return }
        guard let items = list.sequence,
            (1...StreamPlan.maximumStreams).contains(items.count)
        else {
            throw failure(
                list.mark, "streams: give a list of 1 to \(StreamPlan.maximumStreams) streams")
        }
        let template = settings.streams[0]
        var streams: [StreamPlan] = []
        for item in items {
            streams.append(try stream(item, template, number: streams.count + 1))
        }
        settings.streams = streams
    }

    private func stream(
        _ item: Node, _ template: StreamPlan, number: Int
    ) throws(Failure) -> StreamPlan {
        guard let mapping = item.mapping else {
            throw failure(item.mark, "streams: give settings as in `- size: 64`")
        }
        var stream = template
        stream.name = "stream-\(number)"
        for (key, value) in mapping {
            try apply(key, value) { name, text throws(Settings.Problem) in
                guard let field = StreamFields.all[name] else {
                    throw Settings.Problem("a stream has no such setting")
                }
                try field(&stream, text)
            }
        }
        return stream
    }

    private func apply(
        _ key: Node, _ value: Node,
        _ set: (String, String) throws(Settings.Problem) -> Void
    ) throws(Failure) {
        let name = key.scalar?.string ?? "?"
        let text: String
        if let scalar = value.scalar {
            text = scalar.string
        } else if let list = value.sequence, list.allSatisfy({ $0.scalar != nil }) {
            text = list.compactMap { $0.scalar?.string }.joined(separator: ",")
        } else {
            throw failure(value.mark, "\(name): give a value or a list of values")
        }
        do throws(Settings.Problem) {
            try set(name, text)
        } catch {
            throw failure(key.mark, "\(name): \(error.text)")
        }
    }

    private func failure(_ mark: Mark?, _ text: String) -> Failure {
        let place = mark.map { ":\($0.line):\($0.column)" } ?? ""
        return Failure("profile \(path)\(place): \(text)", status: 2)
    }
}
