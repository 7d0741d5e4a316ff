internal import Dataplane
internal import Memory

/// The outputs of one batch that go into tunnels, in a queue for each peer and source port: what
/// one segmented send can take lies together, and the order within a flow stays.
///
/// A flow has one source port, so two queues never hold the same flow.
///
/// Thread-safety: its worker. Capacity: one batch of outputs.
struct TunnelQueues {
    private static var tableSize: Int { @_noLocks get { 2048 } }

    // Open addressing by key; the order of first use; a list of outputs for each.
    private let keys: Column<UInt64>
    private let heads: Column<Int32>
    private let tails: Column<Int32>
    private let order: Column<Int32>
    private let next: Column<Int32>
    private let queueCount: Cell<Int>

    init() {
        keys = Column(count: Self.tableSize, repeating: 0)
        heads = Column(count: Self.tableSize, repeating: -1)
        tails = Column(count: Self.tableSize, repeating: -1)
        order = Column(count: Self.tableSize, repeating: -1)
        next = Column(count: PacketBatch.outputCapacity, repeating: -1)
        queueCount = Cell(0)
    }

    var count: Int { @_noLocks get { queueCount.value } }

    /// The place of the queue for a peer and a source port, made when it is new.
    @_noLocks
    func queue(peer: Int, sourcePort: UInt32) -> Int {
        let key = UInt64(truncatingIfNeeded: peer) &<< 32 | UInt64(sourcePort) | 1 &<< 63
        var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 53)
        while keys[place] != key {
            if keys[place] == 0 {
                keys[place] = key
                heads[place] = -1
                order[queueCount.value] = Int32(truncatingIfNeeded: place)
                queueCount.value = queueCount.value &+ 1
                return place
            }
            place = (place &+ 1) & (Self.tableSize &- 1)
        }
        return place
    }

    @_noLocks
    func append(_ output: Int, to place: Int) {
        let row = Int32(truncatingIfNeeded: output)
        next[output] = -1
        if heads[place] < 0 {
            heads[place] = row
        } else {
            next[Int(tails[place])] = row
        }
        tails[place] = row
    }

    /// The place of the queue that was made `index`th.
    @_noLocks
    func place(at index: Int) -> Int { Int(order[index]) }

    /// The first output of a queue, or -1.
    @_noLocks
    func first(_ place: Int) -> Int { Int(heads[place]) }

    /// The output after `output` in its queue, or -1.
    @_noLocks
    func following(_ output: Int) -> Int { Int(next[output]) }

    /// Empties one queue.
    @_noLocks
    func clear(_ place: Int) { heads[place] = -1 }

    /// Forgets all queues.
    @_noLocks
    func removeAll() {
        for index in 0..<queueCount.value { keys[Int(order[index])] = 0 }
        queueCount.value = 0
    }

    func deallocate() {
        keys.deallocate()
        heads.deallocate()
        tails.deallocate()
        order.deallocate()
        next.deallocate()
        queueCount.deallocate()
    }
}
