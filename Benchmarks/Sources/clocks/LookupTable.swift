import Workload

/// Lookups in one kind of table at several sizes, measured side by side.
final class LookupTable {
    /// Runs that many vectors of 256 lookups, as a column or one by one.
    typealias Run = (_ vectors: Int, _ asColumn: Bool) -> Clocks

    private struct Row {
        let size: Int
        let isColumn: Bool
        let run: Run
        var rounds: [Clocks] = []
    }

    private let name: String
    private let unit: String
    private var rows: [Row]

    /// - Parameters:
    ///   - name: of the table.
    ///   - unit: what its size is counted in.
    init(_ name: String, in unit: String, sizes: [Int], make: (_ size: Int) -> Run) {
        self.name = name
        self.unit = unit
        rows = sizes.flatMap { size in
            let run = make(size)
            return [true, false].map { Row(size: size, isColumn: $0, run: run) }
        }
    }

    var isEmpty: Bool { rows.isEmpty }

    func measure(vectors: Int) {
        for index in rows.indices {
            let row = rows[index]
            _ = row.run(max(vectors, row.size * 2 / LookupRun.vectorLength), row.isColumn)
            rows[index].rounds.append(cheapest { row.run(vectors, row.isColumn) })
        }
    }

    func report() {
        var lines = [[name, unit, "clocks", "median", "of smallest"]]
        for row in rows {
            guard let best = row.rounds.map(\.perPacket).min(),
                let base = rows.first(where: { $0.isColumn == row.isColumn })
            else { continue }
            let ratios = zip(row.rounds, base.rounds).map { $0.perPacket / $1.perPacket }
            lines.append([
                row.isColumn ? "by column" : "one by one", "\(row.size)", tenths(best),
                tenths(median(row.rounds.map(\.perPacket))), hundredths(median(ratios)),
            ])
        }
        print("clocks a lookup that finds, value included")
        printAligned(lines)
        print()
    }
}
