import Control
import Hummingbird
import NIOCore
import Wire

/// A query parameter of the API, named after the thing it filters by.
enum Filter: String, CaseIterable, Sendable {
    case name, vsi, port, peer, interface, vrf, mac, address, `static`, file
}

/// A request whose query has been checked. A parameter that the route does not take is refused: an
/// ignored misspelling would make `clear` remove more than was meant.
struct Question {
    private(set) var selection = Selection()
    private(set) var includesStatic = false
    /// What the lines of configuration errors name.
    private(set) var fileName = "config"
    private let request: Request
    private let parameters: Parameters
    private let limits: ControlServer.Limits

    init(
        request: Request, parameters: Parameters, route: ControlRoute, limits: ControlServer.Limits
    ) throws(ControlError) {
        self.request = request
        self.parameters = parameters
        self.limits = limits
        var seen: Set<Filter> = []
        for (key, value) in request.uri.queryParameters {
            guard let filter = Filter(rawValue: String(key)), route.filters.contains(filter) else {
                let known = route.filters.map(\.rawValue).joined(separator: ", ")
                throw .malformed(
                    "unknown parameter `\(key)` of \(route.path): it takes "
                        + (known.isEmpty ? "none" : known))
            }
            guard seen.insert(filter).inserted else {
                throw .malformed("parameter `\(key)` is given twice: give it once")
            }
            guard !value.isEmpty else {
                throw .malformed("parameter `\(key)` is empty: give a value or leave it out")
            }
            try take(String(value), as: filter)
        }
    }

    /// A part of the path, decoded.
    func parameter(_ name: String) throws(ControlError) -> String {
        guard let value = parameters.get(name).flatMap(percentDecoded), !value.isEmpty else {
            throw .malformed("`\(name)` in the path is empty or wrongly encoded")
        }
        return value
    }

    /// The body as one JSON object of strings.
    func fields() async throws -> [String: String] {
        try decodeFields(await body(skippingStrings: true))
    }

    /// The body as JSON that is yet to be decoded.
    func json() async throws -> [UInt8] { try await body(skippingStrings: true) }

    /// The body as text.
    func text() async throws -> String {
        guard
            let text = String(
                validating: try await body(skippingStrings: false), as: UTF8.self)
        else {
            throw ControlError.malformed("the body is not UTF-8 text")
        }
        return text
    }

    private func body(skippingStrings: Bool) async throws -> [UInt8] {
        let tooLarge = RequestRefused(
            status: .contentTooLarge,
            text: "the body is larger than \(limits.bodyBytes) bytes: send a smaller one")
        if let announced = request.headers[.contentLength].flatMap({ Int($0) }),
            announced > limits.bodyBytes
        {
            throw tooLarge
        }
        var bytes: [UInt8] = []
        for try await part in request.body {
            guard bytes.count + part.readableBytes <= limits.bodyBytes else { throw tooLarge }
            bytes.append(contentsOf: part.readableBytesView)
        }
        guard nestingDepth(of: bytes, skippingStrings: skippingStrings) <= limits.nesting else {
            throw ControlError.malformed(
                "the body nests deeper than \(limits.nesting) levels: make it flatter")
        }
        return bytes
    }

    private mutating func take(_ value: String, as filter: Filter) throws(ControlError) {
        switch filter {
        case .name: selection.name = value
        case .vsi: selection.vsi = value
        case .port: selection.port = value
        case .peer: selection.peer = value
        case .interface: selection.interface = value
        case .vrf: selection.vrf = value
        case .mac: selection.mac = try parseMAC(value)
        case .address: selection.address = try parseAddress(value)
        case .file: fileName = value
        case .static:
            guard let flag = Bool(value) else {
                throw .malformed("`static` is `\(value)`: write true or false")
            }
            includesStatic = flag
        }
    }
}

/// A request that is refused for its form, with the HTTP status that says so.
struct RequestRefused: Error {
    let status: HTTPResponse.Status
    let text: String
}

func parseMAC(_ text: String) throws(ControlError) -> MACAddress {
    guard let mac = MACAddress(text) else {
        throw .malformed("`\(text)` is not a MAC address: write it as 02:aa:00:00:00:01")
    }
    return mac
}

func parseAddress(_ text: String) throws(ControlError) -> IPv4Address {
    guard let address = IPv4Address(text) else {
        throw .malformed("`\(text)` is not an IPv4 address: write it as 10.1.1.1")
    }
    return address
}

/// The deepest nesting of brackets and braces. It needs no parser, so it protects the parsers.
/// - Parameter skippingStrings: leaves out what stands in double quotes, as JSON has them. In YAML
///   a comment may hold a lone quote, so there every bracket counts.
func nestingDepth(of bytes: [UInt8], skippingStrings: Bool) -> Int {
    var depth = 0
    var deepest = 0
    var isQuoted = false
    var isEscaped = false
    for byte in bytes {
        if isEscaped {
            isEscaped = false
            continue
        }
        switch byte {
        case UInt8(ascii: "\\") where isQuoted: isEscaped = true
        case UInt8(ascii: "\"") where skippingStrings: isQuoted.toggle()
        case _ where isQuoted: break
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            deepest = max(deepest, depth)
        case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
        default: break
        }
    }
    return deepest
}
