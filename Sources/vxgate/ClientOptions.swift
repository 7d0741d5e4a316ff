import ArgumentParser
import ControlAPI
import Glibc

/// What every command that talks to the daemon takes.
struct ClientOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The control socket (default: $VXGATE_SOCKET or \(ControlClient.defaultPath)).",
            valueName: "path"))
    var socket: String?

    @Flag(help: "Print JSON, exactly as the control API answers.")
    var json = false

    var client: ControlClient {
        ControlClient(
            path: socket ?? Self.environment("VXGATE_SOCKET") ?? ControlClient.defaultPath)
    }

    /// An empty variable is an unset one.
    private static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Asks the daemon and prints its JSON, or the text that `text` makes of it.
    func show<Value: Decodable>(
        _ thing: String, as type: Value.Type, query: KeyValuePairs<String, String?> = [:],
        text: (Value) -> String
    ) throws {
        let place = "show \(thing)"
        let bytes = try asking(place) { client throws(ControlClientError) in
            try client.request("GET", "/v1/\(thing)", query: query)
        }
        guard !json else { return try Terminal.print(bytes) }
        let value = try asking(place) { client throws(ControlClientError) in
            try client.decode(type, bytes)
        }
        try Terminal.print(text(value))
    }

    /// Prints a table.
    func show<Row: TableRow & Decodable>(
        _ thing: String, rows: Row.Type, query: KeyValuePairs<String, String?> = [:]
    ) throws {
        try show(thing, as: [Row].self, query: query) { TextTable($0).text }
    }

    /// Changes something and prints what was done.
    func change(
        _ place: String, _ method: String, _ target: String,
        query: KeyValuePairs<String, String?> = [:], fields: [String: String] = [:],
        text: (Outcome) -> String
    ) throws {
        let outcome = try asking(place) { client throws(ControlClientError) in
            try client.change(Outcome.self, method, target, query: query, fields: fields)
        }
        try Terminal.print(
            json ? "{\"added\":\(outcome.added),\"removed\":\(outcome.removed)}\n" : text(outcome))
    }

    func asking<Result>(
        _ place: String, _ body: (ControlClient) throws(ControlClientError) -> Result
    ) throws -> Result {
        do {
            return try body(client)
        } catch {
            throw Failure(error, at: place)
        }
    }
}
