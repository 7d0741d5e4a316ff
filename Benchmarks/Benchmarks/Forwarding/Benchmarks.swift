import Benchmark

// What the Benchmark plugin looks for: registers the questions, a file each.
let benchmarks: @Sendable () -> Void = {
    encapsulate()
    decapsulate()
    route()
    lookUp()
}
