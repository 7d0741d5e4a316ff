internal import FoundationEssentials

/// Reads what `nft -j list ruleset` prints (libnftables-json).
struct NFTRuleset {
    private let packet: ProbePacket
    private var ruleset = FilterRuleset()
    /// Elements of each named set, by the whole name.
    private var sets: [String: [JSONTree]] = [:]

    /// nil when the text is no such listing.
    static func read(_ text: String, trying packet: ProbePacket) -> FilterRuleset? {
        guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(text.utf8)),
            let items = tree["nftables"]?.items
        else { return nil }
        var reader = NFTRuleset(packet: packet)
        for item in items { reader.declare(item) }
        for item in items { reader.take(item) }
        return reader.ruleset
    }

    private init(packet: ProbePacket) { self.packet = packet }

    /// Statements after which the next one is looked at.
    private static let neutral: Set<String> = [
        "counter", "log", "mangle", "notrack", "ct helper", "flow", "secmark", "dup", "last",
    ]

    private static func whole(_ item: JSONTree, _ name: JSONTree?) -> String {
        [item["family"], item["table"], name].map { $0?.text ?? "" }.joined(separator: " ")
    }

    private mutating func declare(_ item: JSONTree) {
        guard let (kind, value) = item.only else { return }
        // Rules for bridges, ARP and IPv6 do not see the outer packet.
        guard let family = value["family"]?.text, ["ip", "inet", "netdev"].contains(family)
        else { return }
        switch kind {
        case "chain":
            let isElsewhere = value["dev"]?.text.map { $0 != packet.device } ?? false
            ruleset.chains.append(
                FilterRuleset.Chain(
                    name: Self.whole(value, value["name"]),
                    hook: isElsewhere ? nil : value["hook"]?.text,
                    dropsByPolicy: value["policy"]?.text == "drop"))
        case "set", "map":
            sets[Self.whole(value, value["name"])] = value["elem"]?.items ?? []
        default: break
        }
    }

    private mutating func take(_ item: JSONTree) {
        guard let rule = item["rule"] else { return }
        let name = Self.whole(rule, rule["chain"])
        guard let chain = ruleset.chains.firstIndex(where: { $0.name == name }) else { return }
        let table = Self.whole(rule, .string(""))
        let matcher = NFTMatcher(packet: packet) { [sets] in sets[table + $0] }
        var match = Match.yes
        for statement in rule["expr"]?.items ?? [] {
            guard let (key, value) = statement.only else { continue }
            if Self.neutral.contains(key) { continue }
            if key == "match" {
                match = match && matcher.matches(value)
            } else if key == "vmap" {
                let found = matcher.choices(value)
                guard !found.isEmpty else {
                    match = .no
                    continue
                }
                for (each, tree) in found {
                    guard let (key, value) = tree.only,
                        let verdict = Self.verdict(key, value, table)
                    else { continue }
                    ruleset.chains[chain].rules.append(
                        FilterRuleset.Rule(match: match && each, verdict: verdict))
                }
            } else if let verdict = Self.verdict(key, value, table) {
                ruleset.chains[chain].rules.append(
                    FilterRuleset.Rule(match: match, verdict: verdict))
                return
            } else {
                // A rate, a quota, a match of iptables: the rule may match.
                match = match && .unknown
            }
        }
    }

    private static func verdict(
        _ key: String, _ value: JSONTree, _ table: String
    ) -> RuleVerdict? {
        switch key {
        case "accept": .accept
        case "drop", "reject": .drop
        case "return": .leave
        case "continue": nil
        case "jump": .jump(table + (value["target"]?.text ?? ""))
        case "goto": .go(table + (value["target"]?.text ?? ""))
        case "snat", "dnat", "masquerade", "redirect", "queue", "tproxy", "synproxy", "fwd":
            .unclear
        default: nil
        }
    }
}
