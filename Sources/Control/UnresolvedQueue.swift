/// The next hops that are asked for and not known, the one that has been for longest first.
///
/// Thread-safety: a value. Cost: O(1) an edit, on average.
struct UnresolvedQueue {
    /// When each was added, by neighbor key, as a running number.
    private var numbers: [UInt64: Int] = [:]
    /// In the order they were added; those that `numbers` lacks have left since.
    private var order: [(key: UInt64, number: Int)] = []
    private var first = 0
    private var next = 0

    var count: Int { numbers.count }

    mutating func add(_ key: UInt64) {
        numbers[key] = next
        order.append((key, next))
        next += 1
        guard order.count > 2 * numbers.count + 64 else { return }
        order = order[first...].filter { numbers[$0.key] == $0.number }
        first = 0
    }

    mutating func remove(_ key: UInt64) { numbers[key] = nil }

    /// The one that has been here for longest.
    mutating func oldest() -> UInt64? {
        while first < order.count {
            let entry = order[first]
            if numbers[entry.key] == entry.number { return entry.key }
            first += 1
        }
        return nil
    }
}
