/// Keys in the order in which they fall due: a binary heap, so that looking at the clock costs what
/// is due and not what waits.
///
/// A key may be in it several times. Nothing is taken out early: the owner keeps the deadline in
/// force beside the key and passes over one that has been replaced. Equal deadlines come in the
/// order of their keys, so that what is done does not depend on how a dictionary is seeded.
///
/// Thread-safety: a value. Cost: O(log n) for each deadline, O(1) when nothing is due.
struct DeadlineQueue {
    struct Entry: Comparable {
        /// Nanoseconds.
        var due: UInt64
        var key: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            (left.due, left.key) < (right.due, right.key)
        }
    }

    private var heap: [Entry] = []

    var count: Int { heap.count }
    /// The earliest deadline; it may have been replaced.
    var next: UInt64? { heap.first?.due }

    mutating func add(_ key: UInt64, due: UInt64) {
        heap.append(Entry(due: due, key: key))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest entry that is due at `now`, taken out; nil when there is none.
    mutating func take(now: UInt64) -> Entry? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        sink()
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            var least = parent
            if left < heap.count, heap[left] < heap[least] { least = left }
            if left + 1 < heap.count, heap[left + 1] < heap[least] { least = left + 1 }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
