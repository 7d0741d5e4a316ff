/// Small integers for names, kept while the name lives: the index of a VSI, port or peer in the
/// tables.
///
/// A freed index is given out again only when no lower one is free, so that tables stay short.
/// Thread-safety: the agent alone.
struct IndexRegistry<Name: Hashable> {
    private(set) var indexes: [Name: Int] = [:]
    private var names: [Int: Name] = [:]
    private var free: Set<Int> = []
    /// One more than the largest index ever given out.
    private(set) var bound = 0

    subscript(_ name: Name) -> Int? { indexes[name] }

    func name(of index: Int) -> Name? { names[index] }

    /// The index of `name`, a new one when it has none.
    mutating func assign(_ name: Name) -> Int {
        if let index = indexes[name] { return index }
        let index = free.min() ?? bound
        free.remove(index)
        bound = max(bound, index + 1)
        indexes[name] = index
        names[index] = name
        return index
    }

    mutating func remove(_ name: Name) {
        guard let index = indexes.removeValue(forKey: name) else { return }
        names[index] = nil
        free.insert(index)
    }
}
