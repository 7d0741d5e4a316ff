internal import Memory
internal import Tables

/// The one hand that edits the tables workers read: FDB, neighbors, and the set around them.
///
/// What a worker may still look at is kept until every worker has begun a new turn: removed
/// entries, tables that were outgrown and sets that were replaced.
///
/// Thread-safety: the agent alone; what it publishes is read by the workers under the rules of
/// `Snapshot` and `ProbeTable`.
@safe
final class TableWriter {
    private(set) var forwarding: ProbeTable
    private(set) var neighbors: ProbeTable
    /// When to look whether learnt entries have aged.
    var forwardingAges: AgeingWheel
    var neighborAges: AgeingWheel
    private(set) var neighborIndex = NeighborIndex()
    let snapshot: Snapshot
    private var published: UnsafeMutablePointer<TableSet>?
    /// What waits for workers to move on: the epoch, or nil until the next `publish` gives one.
    private var retired: [(epoch: UInt64?, release: () -> Void)] = []

    /// 65,536 addresses before the first growth, which copies the table.
    private static let initialForwardingBuckets = 8192
    private static let initialNeighborBuckets = 512
    /// Neighbors of the whole gateway, with room for those that wait to be given back.
    static let neighborRecords = 1 << 18
    /// Read by way of `neighborTable` only, a field at a time: workers write the hint in it.
    private let records: Column<NeighborRecord>
    private let pool = RecordPool(count: neighborRecords)
    private let directory = NeighborDirectory()

    /// - Parameter time: now, in ticks.
    init(readers: Int, time: UInt32) {
        forwarding = ProbeTable(buckets: Self.initialForwardingBuckets)
        neighbors = ProbeTable(buckets: Self.initialNeighborBuckets)
        forwardingAges = AgeingWheel(slots: forwarding.capacity, time: time)
        neighborAges = AgeingWheel(slots: neighbors.capacity, time: time)
        snapshot = Snapshot(readers: readers)
        records = Column(
            count: Self.neighborRecords, repeating: NeighborRecord(mac: 0, egress: .none))
    }

    deinit {
        // The workers have stopped by now.
        for item in retired { item.release() }
        if let published = unsafe published {
            unsafe published.pointee.deallocate()
            unsafe published.deallocate()
        }
        forwarding.deallocate()
        neighbors.deallocate()
        records.deallocate()
        directory.deallocate()
        snapshot.deallocate()
    }

    /// As workers read it.
    var neighborTable: NeighborTable {
        NeighborTable(table: neighbors, records: records, directory: directory)
    }

    /// Adds or changes an FDB entry; the table grows when it has to.
    /// - Parameter isLearnt: the entry is what hosts made up, and is refused rather than let them
    /// choose how large the table gets (see `needsToGrow`). False is returned then.
    @discardableResult
    func setForwarding(
        _ key: UInt64, _ value: UInt32, time: UInt32, isLearnt: Bool = false
    ) -> Bool {
        while true {
            if let slot = forwarding.insert(key, value: value, time: time) {
                forwardingAges.fileIfNew(slot)
                return true
            }
            guard !isLearnt || Self.needsToGrow(forwarding) else { return false }
            let old = forwarding
            forwarding = old.grown()
            forwardingAges = AgeingWheel(slots: forwarding.capacity, time: time)
            Self.review(forwarding, &forwardingAges)
            republish { old.deallocate() }
        }
    }

    /// Adds or changes an ARP entry. The record it had is given back when no worker can be looking
    /// at it.
    /// - Parameter isLearnt: as for `setForwarding`.
    /// - Returns: false when there is no room, and nothing has changed.
    @discardableResult
    func setNeighbor(
        _ key: UInt64, mac: UInt64, egress: Destination, flags: UInt32, time: UInt32,
        isLearnt: Bool = false
    ) -> Bool {
        guard let record = pool.take() else { return false }
        records[record] = NeighborRecord(mac: mac, egress: egress)
        let value = NeighborTable.value(record: record, flags: flags)
        let slot = neighbors.find(key)
        if let old = neighbors.value(at: slot, for: key) {
            neighbors.setValue(value, at: slot)
            neighbors.touch(slot, time: time)
            directory.note(key, value)
            unindex(key, old)
            index(key, value)
            neighborAges.fileIfNew(slot)
            retireRecord(of: old)
            return true
        }
        while true {
            if let slot = neighbors.insert(key, value: value, time: time) {
                directory.note(key, value)
                index(key, value)
                neighborAges.fileIfNew(slot)
                return true
            }
            guard !isLearnt || Self.needsToGrow(neighbors) else {
                pool.giveBack(record)
                return false
            }
            let old = neighbors
            neighbors = old.grown()
            neighborAges = AgeingWheel(slots: neighbors.capacity, time: time)
            Self.review(neighbors, &neighborAges)
            republish { old.deallocate() }
        }
    }

    /// Has every entry looked at in the next tick: lifetimes have changed.
    func reviewAges() {
        Self.review(forwarding, &forwardingAges)
        Self.review(neighbors, &neighborAges)
    }

    private static func review(_ table: ProbeTable, _ ages: inout AgeingWheel) {
        for slot in 0..<table.capacity where table.isOccupied(slot) { ages.file(slot) }
    }

    private func index(_ key: UInt64, _ value: UInt32) {
        guard NeighborTable.isResolved(value), !NeighborTable.isStatic(value) else { return }
        neighborIndex.add(key, mac: neighborTable.mac(of: value))
    }

    private func unindex(_ key: UInt64, _ value: UInt32) {
        guard NeighborTable.isResolved(value), !NeighborTable.isStatic(value) else { return }
        neighborIndex.remove(key, mac: neighborTable.mac(of: value))
    }

    private func retireRecord(of value: UInt32) {
        let pool = pool
        retired.append((nil, { pool.giveBack(NeighborTable.record(of: value)) }))
    }

    /// Two buckets of eight to choose from overflow at a load of two thirds and more. Below one
    /// half it is slots that wait to be reclaimed, or keys that somebody picked to collide: those
    /// collide at the next sizes too, and seventeen of them would take gigabytes.
    private static func needsToGrow(_ table: ProbeTable) -> Bool {
        table.count >= table.capacity / 2
    }

    func removeForwarding(at slot: Int) {
        let table = forwarding
        table.remove(at: slot)
        forwardingAges.remove(slot)
        retired.append((nil, { table.reclaim(slot) }))
    }

    func removeNeighbor(at slot: Int) {
        let table = neighbors
        let key = table.key(at: slot)
        if let value = table.value(at: slot, for: key) {
            unindex(key, value)
            retireRecord(of: value)
        }
        directory.note(key, 0)
        table.remove(at: slot)
        neighborAges.remove(slot)
        retired.append((nil, { table.reclaim(slot) }))
    }

    /// Puts a new set in force. Its `forwarding` and `neighbors` must be those of this writer.
    func publish(_ set: TableSet) {
        let fresh = UnsafeMutablePointer<TableSet>.allocate(capacity: 1)
        unsafe fresh.initialize(to: set)
        let old = unsafe published
        unsafe published = fresh
        if let old = unsafe old {
            retired.append(
                (
                    nil,
                    {
                        unsafe old.pointee.deallocate()
                        unsafe old.deinitialize(count: 1)
                        unsafe old.deallocate()
                    }
                ))
        }
        stamp()
    }

    /// Gives back what no worker can be looking at any more. Called once in each turn of the agent.
    func reclaim() {
        guard !retired.isEmpty else { return }
        if retired.contains(where: { $0.epoch == nil }) { stamp() }
        let oldest = snapshot.oldestEpoch
        var kept: [(epoch: UInt64?, release: () -> Void)] = []
        for item in retired {
            if let epoch = item.epoch, epoch <= oldest {
                item.release()
            } else {
                kept.append(item)
            }
        }
        retired = kept
    }

    /// The same set again around a table that has grown.
    private func republish(_ release: @escaping () -> Void) {
        // Slots that wait to be reclaimed belong to the table that goes; they go with it.
        retired.append((nil, release))
        guard let current = unsafe published else { return }
        var set = unsafe current.pointee
        set.forwarding = ForwardingTable(table: forwarding)
        set.neighbors = neighborTable
        let fresh = UnsafeMutablePointer<TableSet>.allocate(capacity: 1)
        unsafe fresh.initialize(to: set)
        unsafe published = fresh
        retired.append((nil, { unsafe current.deallocate() }))
        stamp()
    }

    /// Begins a new epoch and dates everything that was retired before it.
    private func stamp() {
        guard let current = unsafe published else { return }
        let epoch = unsafe snapshot.publish(UnsafeRawPointer(current))
        for index in retired.indices where retired[index].epoch == nil {
            retired[index].epoch = epoch
        }
    }
}

/// Which neighbor records are in use.
private final class RecordPool {
    private let count: Int
    private var free: [Int] = []
    private var used = 0

    init(count: Int) { self.count = count }

    func take() -> Int? {
        if let record = free.popLast() { return record }
        guard used < count else { return nil }
        used += 1
        return used - 1
    }

    func giveBack(_ record: Int) { free.append(record) }
}
