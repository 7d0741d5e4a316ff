public import Dataplane
internal import Memory

/// The counters that make up the identity, by name.
public struct Tally: Sendable, Equatable {
    public var received = 0
    public var replicated = 0
    public var consumed = 0
    /// Packets that wait with the agent; less than zero when more came back than were given.
    public var held = 0
    /// Reasons and events that occurred; hundreds of thousands of tallies are made in a simulation.
    public var drops: [DropReason: Int] = [:]
    public var events: [CounterLayout.Event: Int] = [:]

    public init() {}

    public init(_ counters: Counters) {
        received = Self.read(counters, CounterLayout.index(CounterLayout.Total.received))
        replicated = Self.read(counters, CounterLayout.index(CounterLayout.Total.replicated))
        consumed = Self.read(counters, CounterLayout.index(CounterLayout.Total.consumed))
        held =
            Self.read(counters, CounterLayout.index(CounterLayout.Total.held))
            - Self.read(counters, CounterLayout.index(CounterLayout.Total.released))
        for reason in DropReason.allCases {
            let count = Self.read(counters, CounterLayout.index(reason))
            if count != 0 { drops[reason] = count }
        }
        for event in CounterLayout.Event.allCases {
            let count = Self.read(counters, CounterLayout.index(event))
            if count != 0 { events[event] = count }
        }
    }

    public var dropped: Int { drops.values.reduce(0, +) }

    /// Received and replicated are sent, consumed, dropped or held.
    public func isBalanced(_ sent: Int) -> Bool {
        received + replicated == sent + consumed + dropped + held
    }

    /// What was counted since `before`; reasons and events that did not occur are left out.
    public func since(_ before: Tally) -> Tally {
        var result = Tally()
        result.received = received - before.received
        result.replicated = replicated - before.replicated
        result.consumed = consumed - before.consumed
        result.held = held - before.held
        result.drops = drops.merging(before.drops, uniquingKeysWith: -).filter { $0.value != 0 }
        result.events = events.merging(before.events, uniquingKeysWith: -).filter { $0.value != 0 }
        return result
    }

    private static func read(_ counters: Counters, _ index: Int) -> Int {
        Int(counters.page.read(index))
    }
}
