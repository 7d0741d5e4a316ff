internal import TestKit

/// What happens next in a simulated world, by time and then in the order it was planned.
struct EventQueue {
    enum Event {
        /// A frame reaches a gateway; one that was started anew since has not lost its wire.
        case gateway(Int, Arrival)
        /// A frame reaches a port's host, if it is still there.
        case host(Int, epoch: Int, [UInt8])
        case agent(Int)
        case tick(Int)
        case hostTimers
        case traffic
        case attack
        case fault(Fault)
        case heal
        case check
        case probe
        /// A pair that was answered asks once more.
        case again(Int)
        case end
    }

    enum Fault {
        case move
        case restart
        case partition
        case join(Int, Int)
        case flap
        case reload
        case raise(Int, String)
        /// A host that moved says so again.
        case announce(Int, epoch: Int)
        /// A host that moved asks whether its address is taken.
        case inquire(Int, epoch: Int)
    }

    /// A trivial key of the heap; what it stands for lies still in `events`.
    private struct Entry {
        var time: UInt64
        var order: UInt64
        var place: Int

        static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
            left.time != right.time ? left.time < right.time : left.order < right.order
        }
    }

    private var heap: [Entry] = []
    private var events: [Event] = []
    private var free: [Int] = []
    private var count: UInt64 = 0

    mutating func add(_ event: Event, at time: UInt64) {
        let place = free.popLast() ?? events.count
        if place == events.count { events.append(event) } else { events[place] = event }
        heap.append(Entry(time: time, order: count, place: place))
        count += 1
        var index = heap.count - 1
        while index > 0, Entry.isBefore(heap[index], heap[(index - 1) / 2]) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func next() -> (time: UInt64, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        free.append(first.place)
        return (first.time, events[first.place])
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            let left = 2 * index + 1
            if left < heap.count, Entry.isBefore(heap[left], heap[least]) { least = left }
            if left + 1 < heap.count, Entry.isBefore(heap[left + 1], heap[least]) {
                least = left + 1
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
