/// In what order streams take turns: so many frames of one, then so many of the next, in
/// proportion to their weights.
public struct StreamSchedule: Sendable, Equatable {
    public struct Turn: Sendable, Equatable, BitwiseCopyable {
        public let stream: Int
        public let frames: Int
    }

    public let turns: [Turn]

    /// - Parameter longest: turns are made as long as this allows, where frames of one stream
    ///   leave together; 1 keeps them as short as the weights allow.
    public init(weights: [Int], longest: Int) {
        let divisor = max(1, weights.reduce(0, Self.greatestCommonDivisor))
        let reduced = weights.map { $0 / divisor }
        let scale = max(1, longest / max(1, reduced.max() ?? 1))
        turns = reduced.enumerated().map { Turn(stream: $0, frames: $1 * scale) }
    }

    private static func greatestCommonDivisor(_ one: Int, _ other: Int) -> Int {
        var (larger, smaller) = (one, other)
        while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
        return larger
    }
}
