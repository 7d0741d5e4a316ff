import Control
import Testing

/// A change to the small document and the one error that it must give.
struct BrokenText: Sendable, CustomTestStringConvertible {
    let what: String
    let text: String
    /// `line:column` of the error.
    let place: String
    let path: String
    /// What the message must contain.
    let word: String

    /// - Parameter old: what `new` takes the place of; empty adds `new` as a last line.
    init(
        _ what: String, _ old: String, _ new: String, at place: String, _ path: String,
        _ word: String
    ) {
        let small = ConfigurationTexts.small
        self.what = what
        text = old.isEmpty ? "\(small)\n\(new)" : replacing(old, by: new, in: small)
        self.place = place
        self.path = path
        self.word = word
    }

    var testDescription: String { what }

    func check() {
        #expect(text != ConfigurationTexts.small)
        let found = errors(text)
        #expect(found.count == 1, "\(found)")
        guard let error = found.first else { return }
        #expect("\(error.line):\(error.column)" == place)
        #expect(error.path == path)
        #expect(error.text.contains(word), "\(error.text)")
        #expect(!error.description.contains("\n"))
    }
}

/// `text` with the only occurrence of `old` written as `new`.
func replacing(_ old: String, by new: String, in text: String) -> String {
    let parts = text.split(separator: old, omittingEmptySubsequences: false)
    precondition(parts.count == 2, "\(old) is there \(parts.count - 1) times")
    return parts[0] + new + parts[1]
}
