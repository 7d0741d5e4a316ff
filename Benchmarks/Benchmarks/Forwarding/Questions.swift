import Benchmark
import Dataplane
import Workload

/// Clocks a packet, whole: what remains when the kernel costs nothing.
private let total = BenchmarkMetric.custom("clocks a packet", useScalingFactor: false)

private func metric(_ stage: Stage) -> BenchmarkMetric {
    .custom("clocks in \(stage.name)", useScalingFactor: false)
}

/// Registers one path at 1, 1,000, 100,000 and 1,000,000 flows.
///
/// A sample is 64 turns of 256 packets. The clocks come from the gateway's own counters; the
/// benchmark's wall clock and throughput include the making of the frames.
func ask(_ path: Path) {
    for flowCount in [1, 1000, 100_000, 1_000_000] {
        let metrics = [BenchmarkMetric.wallClock, .throughput, total] + Clocks.stages.map(metric)
        Benchmark(
            "\(path.rawValue), \(flowCount) flows",
            configuration: .init(
                metrics: metrics, timeUnits: .microseconds, warmupIterations: 20,
                maxDuration: .seconds(1), maxIterations: 2000),
            closure: { benchmark, run in
                for _ in benchmark.scaledIterations {
                    let clocks = run.run(turns: 64)
                    benchmark.measurement(total, Int(clocks.perPacket.rounded()))
                    for stage in Clocks.stages {
                        benchmark.measurement(
                            metric(stage), Int(clocks.perPacket(stage).rounded()))
                    }
                }
            },
            setup: { ForwardingRun(path: path, flowCount: flowCount) })
    }
}
