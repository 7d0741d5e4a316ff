/// What changes when one configuration takes the place of another.
public struct ConfigurationPlan: Sendable, Equatable {
    /// One line for each thing, in the order of the sections. What is new: `+ vsi vpna`, what
    /// goes: `- peer gw2`, what changes: `~ vsi vpna: ageing 300s → 5s`. Empty when the two
    /// configurations say the same.
    public let lines: [String]
    /// What cannot change while the gateway runs, one line each that says to restart. When it is
    /// not empty, nothing of the new configuration may be applied.
    public let restartRequired: [String]

    public init(from old: Configuration, to new: Configuration) {
        lines = Self.lines(from: Fact.things(of: old), to: Fact.things(of: new))
        restartRequired = Self.restartReasons(from: old, to: new)
    }

    public var isEmpty: Bool { lines.isEmpty }

    private static func lines(from old: [Fact.Thing], to new: [Fact.Thing]) -> [String] {
        let known = Dictionary(old.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = Set(new.map(\.id))
        let goes = Dictionary(grouping: old.filter { !wanted.contains($0.id) }, by: \.kind)
        let stays = Dictionary(grouping: new, by: \.kind)
        var result: [String] = []
        for kind in Fact.Kind.allCases {
            result += (goes[kind] ?? []).map { "- \($0.title)" }
            for thing in stays[kind] ?? [] {
                guard let before = known[thing.id] else {
                    result.append("+ \(thing.title)")
                    continue
                }
                let changes = zip(before.facts, thing.facts).filter { $0.0.value != $0.1.value }
                guard !changes.isEmpty else { continue }
                let text = changes.map { "\($1.key) \($0.value) → \($1.value)" }
                result.append("~ \(thing.title): \(text.joined(separator: ", "))")
            }
        }
        return result
    }

    /// The keys that the running gateway is built around.
    private static let fixedKeys: [Fact.Kind: Set<String>] = [
        .system: ["workers"],
        .vtep: ["address", "udp-port", "underlay", "device", "source-ports"],
        .control: ["socket", "group"], .metrics: ["listen"],
    ]

    private static func restartReasons(
        from old: Configuration, to new: Configuration
    ) -> [String] {
        zip(Fact.settings(of: old), Fact.settings(of: new)).flatMap { before, after in
            zip(before.facts, after.facts).compactMap { was, becomes in
                guard was.value != becomes.value,
                    fixedKeys[after.kind]?.contains(becomes.key) == true
                else { return nil }
                return "\(after.kind.rawValue).\(becomes.key) cannot change while running "
                    + "(\(was.value) → \(becomes.value)): restart vxgate with the new file"
            }
        }
    }
}
