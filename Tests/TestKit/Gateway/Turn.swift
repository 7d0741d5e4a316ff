public import Dataplane

/// What became of the packets of one `receive`.
public struct Turn: Sendable {
    public internal(set) var outputs: [Output] = []
    /// Of each packet taken in.
    public internal(set) var verdicts: [Verdict] = []
    public internal(set) var tally = Tally()
    /// How often the outputs were filled.
    public internal(set) var outputRounds = 0
    var lanesBefore = 0

    public func outputs(to place: Output.Place) -> [Output] { outputs.filter { $0.place == place } }

    /// Where copies went, sorted, for comparing.
    public var places: [Output.Place] { outputs.map(\.place).sorted(by: Self.isBefore) }

    static func isBefore(_ left: Output.Place, _ right: Output.Place) -> Bool {
        "\(left)" < "\(right)"
    }

    /// Every packet ended in one way: received and replicated are output, consumed or dropped.
    public var isBalanced: Bool { tally.isBalanced(outputs.count) }
}
