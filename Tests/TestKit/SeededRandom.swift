import Foundation

/// A random source that a test can repeat: SplitMix64 (Steele, Lea and Flood 2014).
///
/// A random test makes one by `forTest`, which prints the seed; `VXGATE_SEED` runs it again, and a
/// seed that found a fault becomes a test of its own.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Seeded from the environment, or afresh. The seed is printed with the test's name.
    public static func forTest(_ name: String) -> SeededRandom {
        let given = ProcessInfo.processInfo.environment["VXGATE_SEED"].flatMap { UInt64($0) }
        let random = SeededRandom(seed: given ?? UInt64.random(in: 1...UInt64.max))
        print("\(name): VXGATE_SEED=\(random.seed)")
        return random
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    public mutating func int(in range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    public mutating func bool() -> Bool { next() & 1 == 1 }
}
