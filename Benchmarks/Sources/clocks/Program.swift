import ArgumentParser
import Dataplane
import Workload

/// Prints what a packet costs by stage: every path at several numbers of flows, and FDB lookups.
@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clocks",
        abstract: "Clocks a packet, by stage, of the dataplane in memory.",
        discussion: """
            All paths take turns in each round, which is the cheapest of eight measurements: the \
            one least disturbed by the rest of the machine. A row shows its cheapest round; ratios \
            are medians over the rounds.
            """)

    @Option(help: "How often all paths are measured, at least 1.")
    var rounds = 15

    @Option(help: "Turns of 256 packets in each of the eight measurements of a round.")
    var turns = 32

    @Option(parsing: .upToNextOption, help: "Numbers of flows, 1 to 1048576.")
    var flows = [1, 1000, 100_000]

    @Option(
        parsing: .upToNextOption, help: "Paths to measure; all when none is named.",
        transform: { name in
            guard let path = Path(rawValue: name) else {
                throw ValidationError("no path is called \(name)")
            }
            return path
        })
    var paths: [Path] = []

    @Option(parsing: .upToNextOption, help: "Sizes of the FDB for lookups; 0 for none.")
    var macs = [1000, 1_000_000]

    @Option(
        parsing: .upToNextOption, help: "Sizes of the routing table for lookups; 0 for none.")
    var routes = [1000, 1_000_000]

    func validate() throws {
        guard rounds > 0, turns > 0 else {
            throw ValidationError("rounds and turns are at least 1")
        }
        guard !flows.isEmpty, flows.allSatisfy({ (1...1 << 20).contains($0) }) else {
            throw ValidationError("a number of flows is 1 to 1048576")
        }
        guard macs.allSatisfy({ (0...1 << 24).contains($0) }) else {
            throw ValidationError("an FDB has up to 16777216 MACs")
        }
        guard routes.allSatisfy({ (0...1 << 24).contains($0) }) else {
            throw ValidationError("a routing table has up to 16777216 prefixes")
        }
    }

    func run() {
        let paths = PathTable(paths.isEmpty ? Path.allCases : paths, flowCounts: flows)
        for _ in 0..<rounds { paths.measure(turns: turns) }
        paths.report()
        measure(
            LookupTable("FDB", in: "MACs", sizes: macs.filter { $0 > 0 }) {
                LookupRun(macCount: $0).run
            })
        measure(
            LookupTable("routes", in: "prefixes", sizes: routes.filter { $0 > 0 }) {
                RouteLookupRun(prefixCount: $0).run
            })
    }

    private func measure(_ table: LookupTable) {
        guard !table.isEmpty else { return }
        for _ in 0..<rounds { table.measure(vectors: turns) }
        table.report()
    }
}
