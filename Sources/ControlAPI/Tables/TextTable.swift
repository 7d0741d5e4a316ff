/// Aligned columns for a terminal: a heading, one line a row, two blanks between columns.
///
/// Nothing is cut: an operator copies names and addresses out of it. A value that is absent is a
/// hyphen, so that every line has the same number of words.
public struct TextTable {
    public struct Column: Sendable {
        public var title: String
        /// Numbers stand at the right edge, so that their digits line up.
        public var isNumber: Bool

        public static func text(_ title: String) -> Column {
            Column(title: title, isNumber: false)
        }

        public static func number(_ title: String) -> Column {
            Column(title: title, isNumber: true)
        }
    }

    public let columns: [Column]
    public private(set) var rows: [[String]] = []

    public init(_ columns: [Column]) { self.columns = columns }

    public init<Row: TableRow>(_ rows: [Row]) {
        self.init(Row.columns)
        for row in rows { append(row.cells) }
    }

    /// Adds a row of as many cells as there are columns.
    public mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "a row has \(columns.count) cells")
        rows.append(cells.map { $0.isEmpty ? "-" : $0 })
    }

    /// Ends with a line feed.
    public var text: String {
        var widths = columns.map(\.title.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        var result = line(columns.map(\.title), widths)
        for row in rows { result += line(row, widths) }
        return result
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var result = ""
        for (index, cell) in cells.enumerated() {
            let blanks = String(repeating: " ", count: widths[index] - cell.count)
            let isLast = index == cells.count - 1
            result += columns[index].isNumber ? blanks + cell : cell + (isLast ? "" : blanks)
            result += isLast ? "\n" : "  "
        }
        return result
    }
}

/// A report that `show` prints as a line of a table.
public protocol TableRow {
    static var columns: [TextTable.Column] { get }
    /// One for each column.
    var cells: [String] { get }
}

/// The text of an optional value; the table turns nothing into a hyphen.
func cell(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }

/// A time as an operator reads it: `59s`, `12m05s`, `3h20m`, `4d07h`.
func spanText(seconds: Int) -> String {
    func padded(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m\(padded(seconds % 60))s"
    case ..<86_400: return "\(seconds / 3600)h\(padded(seconds / 60 % 60))m"
    default: return "\(seconds / 86_400)d\(padded(seconds / 3600 % 24))h"
    }
}

/// A number with `digits` decimals, without the locale and the weight of a formatter.
func decimalText(_ value: Double, digits: Int = 1) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "-" }
    let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
    let scaled = Int64((value * Double(scale)).rounded())
    guard digits > 0 else { return "\(scaled)" }
    let fraction = String(scaled.magnitude % UInt64(scale))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(scaled < 0 ? "-" : "")\(scaled.magnitude / UInt64(scale)).\(zeros)\(fraction)"
}
