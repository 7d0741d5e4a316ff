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
    /// - Returns: the position that is not settled.
    typealias Pass = (
        _ first: Int, _ count: Int, _ table: ProbeReader, _ pipeline: Pipeline
    ) -> Int

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
        var doAllGoOn = true
        var position = 0
        while true {
            position =
                isSmall
                ? small(position, count, table, pipeline)
                : large(position, count, table, pipeline)
            guard position < count else { break }
            if !settle(Int(batch.active[position]), key(position, batch), table) {
                doAllGoOn = false
            }
            position &+= 1
        }
        if !doAllGoOn { batch.removeSettled() }
    }
}
