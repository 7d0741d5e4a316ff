import Benchmark
import Workload

private let total = BenchmarkMetric.custom("clocks a lookup", useScalingFactor: false)

/// What does a lookup in the FDB cost as it grows, and what one in the routing table?
func lookUp() {
    for macCount in [1000, 1_000_000, 10_000_000] {
        ask("FDB lookup, \(macCount) MACs") { LookupRun(macCount: macCount).run }
    }
    for prefixCount in [1000, 1_000_000, 10_000_000] {
        ask("route lookup, \(prefixCount) prefixes") {
            RouteLookupRun(prefixCount: prefixCount).run
        }
    }
}

private func ask(
    _ name: String, _ setup: @escaping () -> (_ vectors: Int, _ asColumn: Bool) -> Clocks
) {
    Benchmark(
        name,
        configuration: .init(
            metrics: [.wallClock, .throughput, total], timeUnits: .microseconds,
            warmupIterations: 20, maxDuration: .seconds(1), maxIterations: 2000),
        closure: { benchmark, run in
            for _ in benchmark.scaledIterations {
                let clocks = run(64, true)
                benchmark.measurement(total, Int(clocks.perPacket.rounded()))
            }
        },
        setup: setup)
}
