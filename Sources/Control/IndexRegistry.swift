/// Small integers for names, kept while the name lives: the index of a VSI, port or peer in the
/// tables.
///
/// A freed index rests before it is given out again: what workers report, and what waits to be
/// sent, still speaks of who had it. After that the lowest goes first, so that tables stay short.
/// Thread-safety: a value.
struct IndexRegistry<Name: Hashable & Sendable>: Sendable {
    private(set) var indexes: [Name: Int] = [:]
    private var names: [Int: Name] = [:]
    /// When each free index lost its name, nanoseconds.
    private var free: [Int: UInt64] = [:]
    /// One more than the largest index ever given out.
    private(set) var bound = 0
    /// How many there are; at that bound an index is given out again without rest.
    private let capacity: Int

    /// Longer than a report is under way from a worker to the agent, or an order back.
    static var restNanoseconds: UInt64 { 5_000_000_000 }

    init(capacity: Int) { self.capacity = capacity }

    subscript(_ name: Name) -> Int? { indexes[name] }

    func name(of index: Int) -> Name? { names[index] }

    /// The index of `name`, a new one when it has none.
    mutating func assign(_ name: Name, now: UInt64) -> Int {
        if let index = indexes[name] { return index }
        let rested = free.filter { $0.value + Self.restNanoseconds <= now }.keys.min()
        return give(name, rested ?? (bound < capacity ? bound : oldest ?? bound))
    }

    /// Keeps these names, each with its index or a new one, and no other.
    mutating func retain(_ wanted: [Name], now: UInt64) {
        let kept = Set(wanted)
        for name in indexes.keys where !kept.contains(name) { remove(name, now: now) }
        var rested = free.filter { $0.value + Self.restNanoseconds <= now }.keys.sorted()[...]
        for name in wanted where indexes[name] == nil {
            _ = give(name, rested.popFirst() ?? (bound < capacity ? bound : oldest ?? bound))
        }
    }

    private mutating func remove(_ name: Name, now: UInt64) {
        guard let index = indexes.removeValue(forKey: name) else { return }
        names[index] = nil
        free[index] = now
    }

    private mutating func give(_ name: Name, _ index: Int) -> Int {
        free[index] = nil
        bound = max(bound, index + 1)
        indexes[name] = index
        names[index] = name
        return index
    }

    /// The index that has been free for longest.
    private var oldest: Int? {
        free.min { ($0.value, $0.key) < ($1.value, $1.key) }?.key
    }
}
