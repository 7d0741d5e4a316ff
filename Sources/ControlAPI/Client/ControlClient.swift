import FoundationEssentials
import Glibc

/// The client side of the control API: one blocking HTTP/1.1 request on each connection, without
/// any package, so that a command starts in milliseconds.
///
/// Thread-safety: a value; every request has a connection of its own.
public struct ControlClient: Sendable {
    /// Where the daemon listens unless it is told otherwise.
    public static let defaultPath = "/run/vxgate/control.sock"

    public let path: String
    /// How long a read or a write may stand still.
    public let timeoutSeconds: Int

    public init(path: String = defaultPath, timeoutSeconds: Int = 15) {
        self.path = path
        self.timeoutSeconds = timeoutSeconds
    }

    /// The bytes of a successful answer.
    /// - Throws: `refused` when the daemon answers with an error, the others when it does not
    ///   answer.
    public func request(
        _ method: String, _ target: String, query: KeyValuePairs<String, String?> = [:],
        body: [UInt8] = [], mediaType: String = "application/json"
    ) throws(ControlClientError) -> [UInt8] {
        let present = query.compactMap { key, value in
            value.map { "\(percentEncoded(key))=\(percentEncoded($0))" }
        }
        let line = present.isEmpty ? target : "\(target)?\(present.joined(separator: "&"))"
        var head = "\(method) \(line) HTTP/1.1\r\nHost: localhost\r\n"
        if !body.isEmpty { head += "Content-Type: \(mediaType)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        let connection = try ControlConnection(path: path, timeoutSeconds: timeoutSeconds)
        try connection.write(Array(head.utf8) + body)
        var reader = ResponseReader(connection: connection)
        let response = try reader.read()
        guard (200..<300).contains(response.status) else { throw refusal(response) }
        return response.body
    }

    /// A successful answer, decoded.
    public func get<Value: Decodable>(
        _ type: Value.Type, _ target: String, query: KeyValuePairs<String, String?> = [:]
    ) throws(ControlClientError) -> Value {
        try decode(type, try request("GET", target, query: query))
    }

    /// Changes something and tells what was changed.
    public func change<Value: Decodable>(
        _ type: Value.Type, _ method: String, _ target: String,
        query: KeyValuePairs<String, String?> = [:], fields: [String: String] = [:]
    ) throws(ControlClientError) -> Value {
        let body = fields.isEmpty ? [] : (try? JSONWriter.text(of: fields)) ?? []
        return try decode(type, try request(method, target, query: query, body: body))
    }

    /// Gives the daemon a whole new configuration; returns what changed.
    public func apply(text: String, fileName: String) throws(ControlClientError) -> [String] {
        let bytes = try request(
            "PUT", "/v1/config", query: ["file": fileName], body: Array(text.utf8),
            mediaType: "application/yaml")
        return try decode(ChangeReport.self, bytes).changes
    }

    /// Decodes what `request` returned.
    public func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8]
    ) throws(ControlClientError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .broken(
                path: path, reason: "the answer has another shape than this version knows")
        }
    }

    /// A segment of a path, as in `/v1/fdb/SEGMENT`.
    public static func segment(_ text: String) -> String { percentEncoded(text) }

    private func refusal(_ response: ControlResponse) -> ControlClientError {
        guard let report = try? JSONDecoder().decode(ErrorReport.self, from: Data(response.body))
        else {
            return .refused(
                status: response.status, text: "the daemon answered HTTP \(response.status)",
                details: [])
        }
        return .refused(status: response.status, text: report.error, details: report.details)
    }
}
