import Workload

/// What does routing between VSIs cost, with a connected subnet, with many prefixes, and from one
/// tunnel into another?
func route() {
    ask(.route)
    ask(.prefixes)
    ask(.transit)
}
