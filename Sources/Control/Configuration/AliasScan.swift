/// Finds anchors and aliases (`&name`, `*name`) in a YAML text before it is parsed. They are
/// refused: a few nested ones make a tree of billions of nodes out of one page, and no
/// configuration needs them.
///
/// The scan errs on the side of refusing. A `&` or `*` counts wherever a YAML token could begin,
/// quotes or not; only comments are skipped, and of a line that might close a quoted text behind
/// its `#` no more than the part before that quote.
struct AliasScan {
    private var line = 1
    private var column = 0
    private var isComment = false
    /// The byte before the current one; a line begins after a line feed.
    private var previous: UInt8 = 0x0A

    /// The place of the first anchor or alias, nil when there is none.
    static func firstMark(in text: String) -> SourceMark? {
        var scan = AliasScan()
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0x0A
            if scan.step(bytes[index], next: next) {
                return SourceMark(line: scan.line, column: scan.column)
            }
            if scan.isBreak(bytes, index) { scan.startLine() }
        }
        return nil
    }

    /// Takes one byte; true when it begins an anchor or an alias.
    private mutating func step(_ byte: UInt8, next: UInt8) -> Bool {
        // Continuation bytes of UTF-8 belong to the column of their first byte.
        if byte & 0xC0 != 0x80 { column += 1 }
        defer { previous = byte }
        switch byte {
        case UInt8(ascii: "#") where Self.isBlank(previous):
            isComment = true
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            isComment = false
        case UInt8(ascii: "&"), UInt8(ascii: "*"):
            return !isComment && !Self.isWord(previous) && !Self.isBlank(next)
        default:
            break
        }
        return false
    }

    /// The line breaks of YAML 1.1: LF, CR, NEL (C2 85), LS and PS (E2 80 A8, A9).
    private func isBreak(_ bytes: [UInt8], _ index: Int) -> Bool {
        switch bytes[index] {
        case 0x0A: true
        case 0x0D: index + 1 >= bytes.count || bytes[index + 1] != 0x0A
        case 0x85: index >= 1 && bytes[index - 1] == 0xC2
        case 0xA8, 0xA9: index >= 2 && bytes[index - 1] == 0x80 && bytes[index - 2] == 0xE2
        default: false
        }
    }

    private mutating func startLine() {
        line += 1
        column = 0
        isComment = false
        previous = 0x0A
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
