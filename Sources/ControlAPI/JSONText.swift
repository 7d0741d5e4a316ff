/// JSON text that is being written, and what is open in it.
struct JSONText {
    /// As long as any text so far needed; this one is its first `count` bytes.
    private var memory = [UInt8](repeating: 0, count: 1024)
    private(set) var count = 0
    /// The members so far of every object that is open, the innermost last.
    private var members: [Member] = []
    private var value = OpenValue(firstMember: 0)

    /// Where the key of a member begins and ends in the text, with its quotes.
    private struct Member {
        let start: Int
        let end: Int
    }

    /// What is known of the value that is being encoded.
    struct OpenValue {
        fileprivate enum Form { case unknown, scalar, array, object }

        fileprivate var form = Form.unknown
        fileprivate var hasElements = false
        fileprivate var isSorted = true
        fileprivate let firstMember: Int
    }

    var bytes: ArraySlice<UInt8> { memory[..<count] }

    /// Begins anew with the memory that is there.
    mutating func removeAll() { count = 0 }

    mutating func append(_ text: StaticString) { text.withUTF8Buffer { unsafe append($0) } }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        let end = count + text.count
        while memory.count < end { memory += [UInt8](repeating: 0, count: memory.count) }
        unsafe memory.withUnsafeMutableBufferPointer {
            _ = unsafe $0[count..<end].update(fromContentsOf: text)
        }
        count = end
    }

    private mutating func append(_ byte: UInt8) {
        if count == memory.count { memory += [UInt8](repeating: 0, count: memory.count) }
        memory[count] = byte
        count += 1
    }

    // MARK: Values

    /// What follows is inside of what is open now, which is returned for `endValue`.
    mutating func beginValue() -> OpenValue {
        defer { value = OpenValue(firstMember: members.count) }
        return value
    }

    mutating func endValue(_ outer: OpenValue) {
        switch value.form {
        case .scalar: break
        case .array: append("]")
        case .unknown: append("{}")
        case .object:
            if !value.isSorted { sortMembers() }
            members.removeSubrange(value.firstMember...)
            append("}")
        }
        value = outer
    }

    mutating func beginObject() { open(.object, "{") }
    mutating func beginArray() { open(.array, "[") }
    mutating func beginScalar() { value.form = .scalar }

    private mutating func open(_ form: OpenValue.Form, _ bracket: StaticString) {
        guard value.form == .unknown else { return }
        value.form = form
        append(bracket)
    }

    /// What follows is the value of `key`.
    mutating func beginMember(_ key: String) {
        beginElement()
        let start = count
        put(key)
        let member = Member(start: start, end: count)
        append(":")
        if members.count > value.firstMember, let last = members.last {
            let isLater = keyText(of: last).lexicographicallyPrecedes(keyText(of: member))
            value.isSorted = value.isSorted && isLater
        }
        members.append(member)
    }

    mutating func beginElement() {
        if value.hasElements { append(",") }
        value.hasElements = true
    }

    /// Without the quotes, of which the second would count in the order.
    private func keyText(of member: Member) -> ArraySlice<UInt8> {
        memory[member.start + 1..<member.end - 1]
    }

    private mutating func sortMembers() {
        let own = members[value.firstMember...]
        let ends = own.dropFirst().map { $0.start - 1 } + [count]
        let sorted = zip(own, ends).sorted { left, right in
            keyText(of: left.0).lexicographicallyPrecedes(keyText(of: right.0))
        }
        let text = sorted.map { bytes[$0.start..<$1] }.joined(separator: [UInt8(ascii: ",")])
        memory.replaceSubrange(own.first!.start..<count, with: Array(text))
    }

    // MARK: Scalars

    mutating func putNull() { append("null") }

    mutating func put(_ value: Bool) { append(value ? "true" : "false") }

    mutating func put(_ value: String) {
        var value = value
        append("\"")
        value.withUTF8 { text in
            if unsafe text.allSatisfy(Self.isPlain) {
                unsafe append(text)
            } else {
                for index in text.indices { unsafe putEscaped(text[index]) }
            }
        }
        append("\"")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func putEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        case ..<0x20:
            append(byte < 0x10 ? "\\u000" : "\\u001")
            append(Array("0123456789abcdef".utf8)[Int(byte & 15)])
        default: append(byte)
        }
    }

    mutating func put(_ value: some FixedWidthInteger) {
        if value < 0 { append("-") }
        let start = count
        var rest = UInt64(value.magnitude)
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        memory[start..<count].reverse()
    }

    mutating func put(_ value: some BinaryFloatingPoint & CustomStringConvertible) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: "JSON has no \(value)"))
        }
        var text = value.description
        if text.hasSuffix(".0") { text.removeLast(2) }
        text.withUTF8 { unsafe append($0) }
    }
}
