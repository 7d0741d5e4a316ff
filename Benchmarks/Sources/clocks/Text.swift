/// The middle value, or the mean of the two in the middle.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

func tenths(_ value: Double) -> String { decimal(value, places: 1) }

func hundredths(_ value: Double) -> String { decimal(value, places: 2) }

private func decimal(_ value: Double, places: Int) -> String {
    let scale = places == 1 ? 10 : 100
    let scaled = Int((value * Double(scale)).rounded())
    let digits = String(abs(scaled) % scale)
    let padded = String(repeating: "0", count: places - digits.count) + digits
    return (scaled < 0 ? "-" : "") + "\(abs(scaled) / scale).\(padded)"
}

/// The first column to the left, the others to the right; the first line names them.
func printAligned(_ lines: [[String]]) {
    guard let names = lines.first else { return }
    let widths = names.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    for line in lines {
        let cells = line.enumerated().map { column, text in
            let padding = String(repeating: " ", count: widths[column] - text.count)
            return column == 0 ? text + padding : padding + text
        }
        print(cells.joined(separator: "  "))
    }
}
