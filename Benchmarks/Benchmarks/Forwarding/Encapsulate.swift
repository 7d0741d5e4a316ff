import Workload

/// What does a frame cost from an access port into a tunnel?
func encapsulate() { ask(.encapsulate) }
