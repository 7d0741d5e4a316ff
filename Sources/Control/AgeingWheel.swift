/// The slots of a table by the tick at which somebody has to look at them, so that ageing costs
/// what is due and not what is there.
///
/// One round of buckets, a tick each. A slot that is due later than the round lasts is looked at
/// once in a round and filed again. Workers make entries young without telling; whoever looks finds
/// that out, and files the slot anew.
///
/// Thread-safety: a value. Layout: two links of 4 bytes a slot, chained by bucket, so that a slot
/// is filed once at most and is taken out without a search. Cost: O(1) for each slot and tick.
struct AgeingWheel {
    /// Buckets, and so ticks, of a round: 256 s.
    static let round = 1024
    private static let none: Int32 = -1
    /// `before` of a slot that is in no bucket.
    private static let unfiled = Int32.min

    /// The first slot of each bucket.
    private var heads = [Int32](repeating: none, count: round)
    private var after: [Int32]
    /// The slot before this one; the first of bucket n has -1 - n.
    private var before: [Int32]
    /// The tick whose bucket is being emptied.
    private var current: UInt32

    init(slots: Int, time: UInt32) {
        after = Array(repeating: Self.none, count: slots)
        before = Array(repeating: Self.unfiled, count: slots)
        current = time
    }

    /// Has `slot` looked at when `due` has come, or earlier if that is far away. Never at once: the
    /// next tick is the soonest.
    mutating func file(_ slot: Int, due: UInt32) {
        remove(slot)
        let ahead = min(max(Int32(bitPattern: due &- current), 1), Int32(Self.round) - 1)
        let bucket = Int(current &+ UInt32(ahead)) % Self.round
        let first = heads[bucket]
        after[slot] = first
        before[slot] = -1 - Int32(bucket)
        if first >= 0 { before[Int(first)] = Int32(slot) }
        heads[bucket] = Int32(slot)
    }

    /// Has `slot` looked at in the next tick.
    mutating func file(_ slot: Int) { file(slot, due: current) }

    /// Has it looked at soon if nobody would look at all.
    mutating func fileIfNew(_ slot: Int) {
        if before[slot] == Self.unfiled { file(slot) }
    }

    mutating func remove(_ slot: Int) {
        let previous = before[slot]
        guard previous != Self.unfiled else { return }
        let next = after[slot]
        if previous >= 0 { after[Int(previous)] = next } else { heads[Int(-1 - previous)] = next }
        if next >= 0 { before[Int(next)] = previous }
        before[slot] = Self.unfiled
    }

    /// Takes out the next slot whose bucket has come by `time`; nil when there is none left.
    mutating func take(_ time: UInt32) -> Int? {
        while true {
            let first = heads[Int(current) % Self.round]
            if first >= 0 {
                remove(Int(first))
                return Int(first)
            }
            let behind = Int32(bitPattern: time &- current)
            guard behind > 0 else { return nil }
            // After a long sleep every bucket has come; one round sees them all.
            current = Int(behind) > Self.round ? time &- UInt32(Self.round) : current &+ 1
        }
    }
}
