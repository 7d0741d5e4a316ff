import Control
import FoundationEssentials
import Wire

/// The body of `POST /v1/ping`: `address`, and what a `PingRequest` takes beside it.
struct PingBody: Equatable {
    let request: PingRequest

    /// A JSON object with other types than these, or other keys, is refused.
    private struct Fields: Decodable {
        var address: String?
        var vrf: String?
        var interface: String?
        var count: Int?
        var intervalMilliseconds: Int?
        var timeoutMilliseconds: Int?
        var size: Int?
        var sequence: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case address, vrf, interface, count, size, sequence
            case intervalMilliseconds = "interval_ms"
            case timeoutMilliseconds = "timeout_ms"
        }
    }

    /// The names of the object's keys, whatever their values are.
    private struct Keys: Decodable {
        var names: [String]

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }

    init(bytes: [UInt8]) throws(ControlError) {
        let fields = try Self.decode(bytes)
        guard let address = fields.address else {
            throw .malformed("`address` is missing: give it as a string")
        }
        var request = PingRequest(address: try parseAddress(address))
        request.vrf = fields.vrf
        request.interface = fields.interface
        request.count = fields.count ?? request.count
        request.intervalMilliseconds = fields.intervalMilliseconds ?? request.intervalMilliseconds
        request.timeoutMilliseconds = fields.timeoutMilliseconds ?? request.timeoutMilliseconds
        request.size = fields.size ?? request.size
        request.sequence = fields.sequence ?? request.sequence
        try request.check()
        self.request = request
    }

    private static func decode(_ bytes: [UInt8]) throws(ControlError) -> Fields {
        let known = Fields.CodingKeys.allCases.map(\.rawValue)
        let keys: Keys
        do {
            keys = try JSONDecoder().decode(Keys.self, from: Data(bytes))
        } catch {
            throw .malformed("the body is not a JSON object")
        }
        if let unknown = keys.names.sorted().first(where: { !known.contains($0) }) {
            throw .malformed(
                "unknown key `\(unknown)`: the keys are \(known.joined(separator: ", "))")
        }
        do {
            return try JSONDecoder().decode(Fields.self, from: Data(bytes))
        } catch {
            throw .malformed(
                "a value of the body has the wrong type: "
                    + "address, vrf and interface are strings, the others whole numbers")
        }
    }
}
