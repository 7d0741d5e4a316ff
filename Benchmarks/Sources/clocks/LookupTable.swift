import Workload

/// FDB lookups at several sizes, measured side by side.
final class LookupTable {
    private struct Row {
        let run: LookupRun
        let isColumn: Bool
        var rounds: [Clocks] = []
    }

    private var rows: [Row]

    init(macCounts: [Int]) {
        rows = macCounts.flatMap { count in
            let run = LookupRun(macCount: count)
            return [Row(run: run, isColumn: true), Row(run: run, isColumn: false)]
        }
    }

    func measure(vectors: Int) {
        for index in rows.indices {
            let row = rows[index]
            let warming = max(vectors, row.run.macCount * 2 / LookupRun.vectorLength)
            _ = row.run.run(vectors: warming, asColumn: row.isColumn)
            rows[index].rounds.append(
                cheapest { row.run.run(vectors: vectors, asColumn: row.isColumn) })
        }
    }

    func report() {
        var lines = [["FDB", "MACs", "clocks", "median", "of smallest"]]
        for row in rows {
            guard let best = row.rounds.map(\.perPacket).min(),
                let base = rows.first(where: { $0.isColumn == row.isColumn })
            else { continue }
            let ratios = zip(row.rounds, base.rounds).map { $0.perPacket / $1.perPacket }
            lines.append([
                row.isColumn ? "by column" : "one by one", "\(row.run.macCount)", tenths(best),
                tenths(median(row.rounds.map(\.perPacket))), hundredths(median(ratios)),
            ])
        }
        print("clocks a lookup of a MAC that is there, value included")
        printAligned(lines)
    }
}
