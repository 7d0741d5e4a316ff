import Dataplane
import Workload

/// The rows of all paths, measured side by side.
final class PathTable {
    /// One path at one number of flows, and the rounds measured so far.
    private struct Row {
        let run: ForwardingRun
        var rounds: [Clocks] = []
    }

    private var rows: [Row]
    /// The first row once more at the end of each round: the same code against itself.
    private var repeated: [Clocks] = []

    init(_ paths: [Path], flowCounts: [Int]) {
        rows = flowCounts.flatMap { flowCount in
            paths.map { Row(run: ForwardingRun(path: $0, flowCount: flowCount)) }
        }
    }

    /// One round. Each row first runs unmeasured, since the row before took the caches.
    func measure(turns: Int) {
        for index in rows.indices {
            rows[index].rounds.append(Self.warmRun(rows[index].run, turns))
        }
        repeated.append(Self.warmRun(rows[0].run, turns))
    }

    /// Three packets a flow touch nearly every entry of the tables before the clock counts.
    private static func warmRun(_ run: ForwardingRun, _ turns: Int) -> Clocks {
        _ = run.run(turns: max(turns, run.flowCount * 3 / ForwardingRun.vectorLength))
        return cheapest { run.run(turns: turns) }
    }

    func report() {
        let stages = Clocks.stages
        var lines = [
            ["path", "flows"] + stages.map(\.name) + ["accounts", "total", "median", "of bridge"]
        ]
        for row in rows {
            guard let best = row.rounds.min(by: { $0.total < $1.total }) else { continue }
            lines.append(
                [row.run.path.rawValue, "\(row.run.flowCount)"]
                    + stages.map { tenths(best.perPacket($0)) }
                    + [
                        tenths(best.accountsPerPacket), tenths(best.perPacket),
                        tenths(median(row.rounds.map(\.perPacket))), ratio(row),
                    ])
        }
        print("clocks a packet, vectors of \(ForwardingRun.vectorLength), 64-byte frames")
        printAligned(lines)
        guard let first = rows.first else { return }
        let noise = zip(first.rounds, repeated).map { $1.perPacket / $0.perPacket }
        print("the first row against itself: \(hundredths(median(noise)))")
        print()
    }

    /// A routed path over the bridged one that comes the same way, with as many flows.
    private func ratio(_ row: Row) -> String {
        let bridge: Path
        switch row.run.path {
        case .route, .prefixes: bridge = .encapsulate
        case .transit: bridge = .decapsulate
        case .encapsulate, .decapsulate, .refresh: return ""
        }
        guard
            let base = rows.first(where: {
                $0.run.path == bridge && $0.run.flowCount == row.run.flowCount
            })
        else { return "" }
        return hundredths(
            median(zip(row.rounds, base.rounds).map { $0.perPacket / $1.perPacket }))
    }
}
