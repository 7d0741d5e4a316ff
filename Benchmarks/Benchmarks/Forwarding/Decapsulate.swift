import Workload

/// What does a frame cost from a tunnel to an access port, and what when the FDB has to note that
/// its sender is alive?
func decapsulate() {
    ask(.decapsulate)
    ask(.refresh)
}
