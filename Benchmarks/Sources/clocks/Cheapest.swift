import Workload

/// The cheapest of eight short measurements: other programs take the core away for milliseconds at
/// a time, which some of the eight escape.
func cheapest(_ measure: () -> Clocks) -> Clocks {
    var best = measure()
    for _ in 0..<7 {
        let next = measure()
        if next.perPacket < best.perPacket { best = next }
    }
    return best
}
