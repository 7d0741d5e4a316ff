/// The chance of a run, the same each time: SplitMix64 (Steele, Lea and Flood 2014).
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// An even draw from 0..<`count`, `count` below 2^32.
    mutating func draw(below count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state &>> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed &>> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: ((mixed ^ mixed &>> 31) &>> 32 &* UInt64(count)) &>> 32)
    }
}
