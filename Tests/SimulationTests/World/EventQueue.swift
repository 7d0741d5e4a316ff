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
        case end
    }

    enum Fault {
        case move
        case restart
        case partition
        case join(Int, Int)
        case flap
        case raise(Int, String)
        /// A host that moved says so again.
        case announce(Int, epoch: Int)
    }

    private struct Entry {
        var time: UInt64
        var order: UInt64
        var event: Event

        static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
            left.time != right.time ? left.time < right.time : left.order < right.order
        }
    }

    private var heap: [Entry] = []
    private var count: UInt64 = 0

    mutating func add(_ event: Event, at time: UInt64) {
        heap.append(Entry(time: time, order: count, event: event))
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
        return (first.time, first.event)
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
                if Entry.isBefore(heap[child], heap[least]) { least = child }
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
