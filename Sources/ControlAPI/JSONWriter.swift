/// Writes `Encodable` values as JSON, straight into bytes.
///
/// The text is that of Foundation's `JSONEncoder` with sorted keys and unescaped slashes, byte for
/// byte, at a fraction of its time: nothing stands between a value and its text. Members of an
/// object are moved into the order of their keys when it ends, unless they were encoded in it; the
/// rows of long tables are. Values are encoded one after the other and a key once, as synthesized
/// conformances do: there are no nested containers beside that.
///
/// Thread-safety: one task at a time. After an error the writer is of no use.
@safe
final class JSONWriter {
    private let text: UnsafeMutablePointer<JSONText>

    init() {
        unsafe text = .allocate(capacity: 1)
        unsafe text.initialize(to: JSONText())
    }

    deinit {
        unsafe text.deinitialize(count: 1)
        unsafe text.deallocate()
    }

    /// One value and nothing beside it.
    static func text(of value: some Encodable) throws -> [UInt8] {
        let writer = JSONWriter()
        try writer.write(value)
        return Array(writer.bytes)
    }

    var bytes: ArraySlice<UInt8> { unsafe text.pointee.bytes }

    /// Appends the text of `value`.
    func write(_ value: some Encodable) throws {
        try withExtendedLifetime(self) { try unsafe JSONEncoding(text: text).write(value) }
    }

    /// Appends what stands between values.
    func append(_ text: StaticString) { unsafe self.text.pointee.append(text) }

    /// Begins anew with the memory that is there.
    func removeAll() { unsafe text.pointee.removeAll() }
}
