import Benchmark
import Workload

private let total = BenchmarkMetric.custom("clocks a lookup", useScalingFactor: false)

/// What does a lookup in the FDB cost as it grows?
func lookUp() {
    for macCount in [1000, 100_000, 1_000_000] {
        Benchmark(
            "FDB lookup, \(macCount) MACs",
            configuration: .init(
                metrics: [.wallClock, .throughput, total], timeUnits: .microseconds,
                warmupIterations: 20, maxDuration: .seconds(1), maxIterations: 2000),
            closure: { benchmark, run in
                for _ in benchmark.scaledIterations {
                    let clocks = run.run(vectors: 64, asColumn: true)
                    benchmark.measurement(total, Int(clocks.perPacket.rounded()))
                }
            },
            setup: { LookupRun(macCount: macCount) })
    }
}
