internal import Wire

/// Tries the expressions of nftables with one packet.
struct NFTMatcher {
    let packet: ProbePacket
    /// Elements of a named set of the rule's table.
    let set: (String) -> [JSONTree]?

    /// A value of the packet; names are those that nftables writes.
    private enum Value {
        case number(Int, names: [String])
        case address(IPv4Address)
        case name(String)
        /// Of a protocol that the packet is not of: no comparison matches.
        case absent
        case unknown
    }

    /// A `match` statement.
    func matches(_ statement: JSONTree) -> Match {
        guard let left = statement["left"], let right = statement["right"],
            let operation = statement["op"]?.text
        else { return .unknown }
        let value = value(left)
        if case .absent = value { return .no }
        switch operation {
        case "==", "in": return holds(value, right)
        case "!=": return !holds(value, right)
        case "<", ">", "<=", ">=":
            guard case .number(let number, _) = value, let limit = right.integer else {
                return .unknown
            }
            switch operation {
            case "<": return Match(number < limit)
            case ">": return Match(number > limit)
            case "<=": return Match(number <= limit)
            default: return Match(number >= limit)
            }
        default: return .unknown
        }
    }

    /// The verdicts of a `vmap` statement that may be taken.
    func choices(_ statement: JSONTree) -> [(match: Match, verdict: JSONTree)] {
        guard let key = statement["key"], let data = statement["data"] else { return [] }
        let value = value(key)
        if case .absent = value { return [] }
        let named = data.text.flatMap { set(String($0.dropFirst())) }
        let pairs = named ?? data["set"]?.items ?? []
        return pairs.compactMap { pair in
            guard let parts = pair.items, parts.count == 2 else { return nil }
            let match = holds(value, parts[0])
            return match == .no ? nil : (match, parts[1])
        }
    }

    private func value(_ left: JSONTree) -> Value {
        guard let (kind, field) = left.only else { return .unknown }
        switch (kind, field["protocol"]?.text ?? "", (field["field"] ?? field["key"])?.text ?? "") {
        case ("payload", "ip", "saddr"): return .address(packet.source)
        case ("payload", "ip", "daddr"): return .address(packet.destination)
        case ("payload", "ip", "protocol"), ("meta", _, "l4proto"):
            return .number(17, names: ["udp"])
        case ("payload", "ip", _): return .unknown
        case ("payload", "udp", "dport"), ("payload", "th", "dport"):
            return .number(Int(packet.port), names: [])
        case ("payload", "udp", _), ("payload", "th", _), ("payload", "ether", _): return .unknown
        case ("payload", "", _): return .unknown
        case ("payload", _, _): return .absent
        case ("meta", _, "iifname"), ("meta", _, "iif"):
            return packet.isRouted ? .unknown : packet.isInbound ? .name(packet.device) : .absent
        case ("meta", _, "oifname"), ("meta", _, "oif"):
            return packet.isRouted ? .unknown : packet.isInbound ? .absent : .name(packet.device)
        case ("meta", _, "nfproto"): return .number(2, names: ["ipv4"])
        case ("meta", _, "protocol"): return .number(0x0800, names: ["ip"])
        // A datagram that no rule has let pass yet is the first of its flow for ever.
        case ("ct", _, "state"): return .name("new")
        case ("fib", _, _)
        where packet.isInbound && !packet.isRouted && field["result"]?.text == "type":
            return .name("local")
        default: return .unknown
        }
    }

    private func holds(_ value: Value, _ right: JSONTree) -> Match {
        if case .unknown = value { return .unknown }
        if let items = right.items { return .any(items.map { holds(value, $0) }) }
        if let text = right.text {
            if text.hasPrefix("@") {
                guard let items = set(String(text.dropFirst())) else { return .unknown }
                return .any(items.map { holds(value, $0) })
            }
            return equals(value, text)
        }
        if let number = right.integer {
            guard case .number(let own, _) = value else { return .unknown }
            return Match(own == number)
        }
        guard let (kind, inner) = right.only else { return .unknown }
        switch kind {
        case "set": return holds(value, inner)
        case "elem": return inner["val"].map { holds(value, $0) } ?? .unknown
        case "range": return isInside(value, inner.items ?? [])
        case "prefix":
            guard case .address(let own) = value, let text = inner["addr"]?.text,
                let length = inner["len"]?.integer, let prefix = IPv4Prefix("\(text)/\(length)")
            else { return .unknown }
            return Match(prefix.contains(own))
        default: return .unknown
        }
    }

    private func equals(_ value: Value, _ text: String) -> Match {
        switch value {
        case .number(let number, let names):
            return Match(names.contains(text) || text == "\(number)")
        case .address(let own): return IPv4Address(text).map { Match($0 == own) } ?? .unknown
        case .name(let own):
            return Match(text.hasSuffix("*") ? own.hasPrefix(text.dropLast()) : own == text)
        case .absent: return .no
        case .unknown: return .unknown
        }
    }

    private func isInside(_ value: Value, _ ends: [JSONTree]) -> Match {
        guard ends.count == 2 else { return .unknown }
        switch value {
        case .number(let own, _):
            guard let low = ends[0].integer, let high = ends[1].integer else { return .unknown }
            return Match(low <= own && own <= high)
        case .address(let own):
            guard let low = ends[0].text.flatMap({ IPv4Address($0) }),
                let high = ends[1].text.flatMap({ IPv4Address($0) })
            else { return .unknown }
            return Match(low <= own && own <= high)
        default: return .unknown
        }
    }
}
