/// What `JSONWriter` gives to values that write themselves: a pointer to its text, which is valid
/// while it writes. References would be counted some two hundred times a row.
@safe
struct JSONEncoding: Encoder {
    fileprivate let text: UnsafeMutablePointer<JSONText>

    @unsafe init(text: UnsafeMutablePointer<JSONText>) { unsafe self.text = text }

    func write(_ value: some Encodable) throws {
        let outer = unsafe text.pointee.beginValue()
        try value.encode(to: self)
        unsafe text.pointee.endValue(outer)
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        unsafe text.pointee.beginObject()
        return KeyedEncodingContainer(JSONObject(encoding: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        unsafe text.pointee.beginArray()
        return JSONArray(encoding: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        JSONScalar(encoding: self)
    }
}

private struct JSONObject<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoding: JSONEncoding

    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) { put(key) { $0.putNull() } }

    // These are most values, and need not find out by themselves what they are.

    func encode(_ value: Bool, forKey key: Key) { put(key) { $0.put(value) } }
    func encode(_ value: String, forKey key: Key) { put(key) { $0.put(value) } }
    func encode(_ value: Int, forKey key: Key) { put(key) { $0.put(value) } }
    func encode(_ value: UInt64, forKey key: Key) { put(key) { $0.put(value) } }

    private func put(_ key: Key, _ write: (inout JSONText) -> Void) {
        unsafe encoding.text.pointee.beginMember(key.stringValue)
        unsafe write(&encoding.text.pointee)
    }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        unsafe encoding.text.pointee.beginMember(key.stringValue)
        try encoding.write(value)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { refuseNesting() }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        refuseNesting()
    }

    func superEncoder() -> any Encoder { refuseNesting() }
    func superEncoder(forKey key: Key) -> any Encoder { refuseNesting() }
}

private struct JSONArray: UnkeyedEncodingContainer {
    let encoding: JSONEncoding
    private(set) var count = 0

    init(encoding: JSONEncoding) { self.encoding = encoding }

    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() {
        unsafe encoding.text.pointee.beginElement()
        unsafe encoding.text.pointee.putNull()
        count += 1
    }

    mutating func encode(_ value: some Encodable) throws {
        unsafe encoding.text.pointee.beginElement()
        try encoding.write(value)
        count += 1
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> { refuseNesting() }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { refuseNesting() }
    func superEncoder() -> any Encoder { refuseNesting() }
}

/// Values of the standard library end here.
private struct JSONScalar: SingleValueEncodingContainer {
    let encoding: JSONEncoding

    var codingPath: [any CodingKey] { [] }

    func encodeNil() { put { $0.putNull() } }
    func encode(_ value: Bool) { put { $0.put(value) } }
    func encode(_ value: String) { put { $0.put(value) } }
    func encode(_ value: Double) throws { try put { try $0.put(value) } }
    func encode(_ value: Float) throws { try put { try $0.put(value) } }
    func encode(_ value: Int) { put { $0.put(value) } }
    func encode(_ value: Int8) { put { $0.put(value) } }
    func encode(_ value: Int16) { put { $0.put(value) } }
    func encode(_ value: Int32) { put { $0.put(value) } }
    func encode(_ value: Int64) { put { $0.put(value) } }
    func encode(_ value: UInt) { put { $0.put(value) } }
    func encode(_ value: UInt8) { put { $0.put(value) } }
    func encode(_ value: UInt16) { put { $0.put(value) } }
    func encode(_ value: UInt32) { put { $0.put(value) } }
    func encode(_ value: UInt64) { put { $0.put(value) } }

    /// In place of the value that this one stands for, an optional or the raw value of a case.
    func encode(_ value: some Encodable) throws { try value.encode(to: encoding) }

    private func put(_ write: (inout JSONText) throws -> Void) rethrows {
        unsafe encoding.text.pointee.beginScalar()
        try unsafe write(&encoding.text.pointee)
    }
}

private func refuseNesting() -> Never {
    preconditionFailure("a value of the API has a conformance of its own for what it holds")
}
