internal import Memory
internal import Tables

/// How the learn and the bridge stage go through a batch, each with a question to the FDB for every
/// frame: in passes over frames as nearly all are, and one frame at a time by all the rules.
///
/// While the FDB is small, a pass finds the keys itself; when it is large, guesses for all frames
/// are made first, and a pass confirms them.
enum ForwardingPasses {
    /// Settles frames from position `first` on, up to one that is not plain.
    ///
    /// Each stage has two that are never inlined, so that their loops call nothing.
    /// - Parameter row: of `active`, for the first after those dropped before it.
    /// - Returns: the position that is not settled, and its row.
    typealias Pass = (
        _ first: Int, _ count: Int, _ row: Int, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> (position: Int, row: Int)

    /// Takes the active lanes through the passes and keeps those that go on.
    /// - Parameters:
    ///   - key: what the frame at a position of `active` asks the FDB for.
    ///   - settle: one frame by all the rules; false when it goes no further.
    @_noLocks @inline(__always)
    static func run(
        _ pipeline: Pipeline, key: (_ position: Int, _ batch: PacketBatch) -> UInt64,
        small: Pass, large: Pass,
        settle: (_ lane: Int, _ key: UInt64, _ table: ProbeReader) -> Bool
    ) {
        let batch = pipeline.batch
        let forwarding = pipeline.tables.forwarding.table
        let table = forwarding.reader
        let count = min(batch.activeCount.value, PacketBatch.laneCapacity)
        let isSmall = forwarding.isSmall
        if !isSmall {
            for position in 0..<count { batch.keys[position] = key(position, batch) }
            table.guess(batch.keys.column, count: count, slots: batch.foundSlots.column)
        }
        var kept = 0
        var position = 0
        while position < count {
            (position, kept) =
                isSmall
                ? small(position, count, kept, table, pipeline)
                : large(position, count, kept, table, pipeline)
            guard position < count else { break }
            let lane = batch.active[position]
            if settle(Int(lane), key(position, batch), table) {
                batch.active[kept] = lane
                kept &+= 1
            }
            position &+= 1
        }
        batch.activeCount.value = kept
    }
}
