/// Any JSON text, for what has no fixed shape.
indirect enum JSONTree: Decodable, Equatable {
    case object([String: JSONTree])
    case array([JSONTree])
    case string(String)
    case number(Int)
    /// A boolean, null, or a number that is not an integer.
    case other

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let object = try? value.decode([String: JSONTree].self) {
            self = .object(object)
        } else if let array = try? value.decode([JSONTree].self) {
            self = .array(array)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let number = try? value.decode(Int.self) {
            self = .number(number)
        } else {
            self = .other
        }
    }

    subscript(_ key: String) -> JSONTree? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var integer: Int? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var items: [JSONTree]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    /// The only key of an object, as statements of nftables have it.
    var only: (key: String, value: JSONTree)? {
        guard case .object(let object) = self, object.count == 1 else { return nil }
        return object.first.map { ($0.key, $0.value) }
    }
}
