public import Dataplane

/// One row of a packet table: a packet in, and what must become of it.
public struct PacketCase: Sendable {
    public enum Fate: Sendable {
        /// Exactly these copies, in any order.
        case leaves([Copy])
        /// Nothing leaves, and one packet is counted under this reason.
        case dropped(DropReason)
        case consumed
    }

    /// A copy that leaves; nil bytes are those that came in (for a tunnel, the inner frame).
    public struct Copy: Sendable {
        public var place: Output.Place
        public var frame: [UInt8]?

        public init(_ place: Output.Place, _ frame: [UInt8]? = nil) {
            self.place = place
            self.frame = frame
        }
    }

    public var description: String
    public var arrival: Arrival
    public var fate: Fate
    public var events: [CounterLayout.Event]

    public init(
        _ description: String, _ arrival: Arrival, _ fate: Fate,
        events: [CounterLayout.Event] = []
    ) {
        self.description = description
        self.arrival = arrival
        self.fate = fate
        self.events = events
    }

    /// Leaves unchanged for these places.
    public static func leaves(
        _ description: String, _ arrival: Arrival, to places: Output.Place...,
        events: [CounterLayout.Event] = []
    ) -> PacketCase {
        PacketCase(description, arrival, .leaves(places.map { Copy($0) }), events: events)
    }

    public static func dropped(
        _ description: String, _ arrival: Arrival, _ reason: DropReason
    ) -> PacketCase {
        PacketCase(description, arrival, .dropped(reason))
    }

    /// Runs the packet; says in one line how its end differs from what must be, or nil.
    public func difference(in gateway: TestGateway) -> String? {
        let turn = gateway.receive(arrival)
        guard turn.isBalanced else { return "\(description): out of balance: \(turn.tally)" }
        if let text = fateDifference(turn) { return "\(description): \(text)" }
        for event in events where turn.tally.events[event] != 1 {
            return "\(description): event \(event.name) was not counted once"
        }
        return nil
    }

    private func fateDifference(_ turn: Turn) -> String? {
        switch fate {
        case .leaves(let copies): return copiesDifference(copies, turn)
        case .dropped(let reason):
            if turn.tally.drops == [reason: 1], turn.outputs.isEmpty { return nil }
            return "expected \(reason.name), got \(summary(turn))"
        case .consumed:
            if turn.tally.consumed == 1, turn.outputs.isEmpty, turn.tally.drops.isEmpty {
                return nil
            }
            return "expected consumed, got \(summary(turn))"
        }
    }

    private func copiesDifference(_ copies: [Copy], _ turn: Turn) -> String? {
        let expected = copies.sorted { Turn.isBefore($0.place, $1.place) }
        let actual = turn.outputs.sorted { Turn.isBefore($0.place, $1.place) }
        guard turn.tally.drops.isEmpty, expected.map(\.place) == actual.map(\.place) else {
            return "expected \(expected.map(\.place)), got \(summary(turn))"
        }
        for (wanted, output) in zip(expected, actual) {
            let frame = wanted.frame ?? inner
            guard output.frame != frame else { continue }
            return "\(output.place): frame \(output.frame) is not \(frame)"
        }
        return nil
    }

    /// The frame itself, whatever carried it.
    private var inner: [UInt8] {
        switch arrival.ingress {
        case .device: arrival.bytes
        case .underlay: Array(arrival.bytes.dropFirst(8))
        }
    }

    private func summary(_ turn: Turn) -> String {
        "\(turn.places), drops \(turn.tally.drops), consumed \(turn.tally.consumed)"
    }
}
