import Control
import ControlAPI
import FoundationEssentials

/// What `config plan --json` prints.
struct PlanReport: Encodable {
    let changes: [String]
    let restartRequired: [String]

    enum CodingKeys: String, CodingKey {
        case changes
        case restartRequired = "restart_required"
    }
}

/// A row of what `config check --json` prints.
struct DiagnosticRow: Encodable {
    let file: String
    let line: Int
    let column: Int
    let severity: String
    let path: String
    let text: String

    init(_ diagnostic: Diagnostic) {
        file = diagnostic.file
        line = diagnostic.line
        column = diagnostic.column
        severity = diagnostic.severity.rawValue
        path = diagnostic.path
        text = diagnostic.text
    }
}

/// JSON of what a command makes by itself, in the style of the control API.
func objectText(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
}

func rowsText(_ rows: [some Encodable]) throws -> [UInt8] {
    let lines = try rows.map { String(decoding: try objectText($0).dropLast(), as: UTF8.self) }
    return Array("[\(lines.joined(separator: ",\n "))]\n".utf8)
}
