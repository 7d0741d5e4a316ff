internal import Wire

/// Reads what `iptables-save` prints.
struct IPTablesRuleset {
    private let packet: ProbePacket
    private var ruleset = FilterRuleset()
    private var table = ""
    /// Index of each chain in `ruleset`, by its whole name.
    private var chains: [String: Int] = [:]

    static func read(_ text: String, trying packet: ProbePacket) -> FilterRuleset {
        var reader = IPTablesRuleset(packet: packet)
        // Chains are declared before rules name them.
        let lines = text.split(separator: "\n").map { words(String($0)) }
        for words in lines { reader.declare(words) }
        for words in lines { reader.take(words) }
        return reader.ruleset
    }

    private init(packet: ProbePacket) { self.packet = packet }

    private static let hooks: Set<String> = [
        "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING",
    ]
    /// Targets that let the packet go on to the next rule.
    private static let neutral: Set<String> = [
        "LOG", "NFLOG", "MARK", "CONNMARK", "NOTRACK", "CT", "TCPMSS", "CHECKSUM", "TRACE", "DSCP",
        "TOS", "CLASSIFY", "TTL",
    ]

    private mutating func declare(_ words: [String]) {
        guard let first = words.first else { return }
        if first.hasPrefix("*") { table = String(first.dropFirst()) }
        guard first.hasPrefix(":") else { return }
        let name = String(first.dropFirst())
        let isBase = Self.hooks.contains(name)
        chains["\(table) \(name)"] = ruleset.chains.count
        ruleset.chains.append(
            FilterRuleset.Chain(
                name: whole(name), hook: isBase ? name.lowercased() : nil,
                dropsByPolicy: isBase && words.count > 1 && words[1] == "DROP"))
    }

    private func whole(_ name: String) -> String { "iptables \(table) \(name)" }

    private mutating func take(_ words: [String]) {
        guard let first = words.first else { return }
        if first.hasPrefix("*") { table = String(first.dropFirst()) }
        guard let place = words.firstIndex(of: "-A"), place + 1 < words.count,
            let chain = chains["\(table) \(words[place + 1])"]
        else { return }
        var match = Match.yes
        var verdict: RuleVerdict?
        var isNegated = false
        var index = place + 2
        while index < words.count {
            let word = words[index]
            index += 1
            if word == "!" {
                isNegated = true
                continue
            }
            var values: [String] = []
            while index < words.count, words[index] != "!", !words[index].hasPrefix("-") {
                values.append(words[index])
                index += 1
            }
            if word == "-j" || word == "-g" {
                verdict = self.verdict(values.first ?? "", isFinal: word == "-g")
            } else if verdict == nil {
                let found = matches(word, values.first ?? "")
                match = match && (isNegated ? !found : found)
            }
            isNegated = false
        }
        guard let verdict else { return }
        ruleset.chains[chain].rules.append(FilterRuleset.Rule(match: match, verdict: verdict))
    }

    private func verdict(_ target: String, isFinal: Bool) -> RuleVerdict? {
        switch target {
        case "ACCEPT": .accept
        case "DROP", "REJECT": .drop
        case "RETURN": .leave
        case _ where Self.neutral.contains(target): nil
        case _ where chains["\(table) \(target)"] == nil: .unclear
        default: isFinal ? .go(whole(target)) : .jump(whole(target))
        }
    }

    private func matches(_ option: String, _ value: String) -> Match {
        switch option {
        // A module says nothing by itself, except one that takes no option.
        case "-m": return Match(value != "tcp" && value != "icmp")
        case "--comment": return .yes
        case "-p": return Match(["udp", "17", "all", "0"].contains(value))
        case "-s": return address(packet.source, value)
        case "-d": return address(packet.destination, value)
        case "-i": return device(value, counts: packet.isInbound)
        case "-o": return device(value, counts: !packet.isInbound)
        case "--dport", "--dports", "--destination-ports":
            return .any(value.split(separator: ",").map { port(String($0)) })
        case "--ctstate", "--state":
            return Match(value.split(separator: ",").contains("NEW"))
        case "--dst-type" where packet.isInbound && !packet.isRouted: return Match(value == "LOCAL")
        default: return .unknown
        }
    }

    private func address(_ address: IPv4Address, _ value: String) -> Match {
        guard let prefix = IPv4Prefix(value) else { return .unknown }
        return Match(prefix.contains(address))
    }

    /// `eth+` is every device whose name begins with `eth`.
    private func device(_ value: String, counts: Bool) -> Match {
        guard !packet.isRouted else { return .unknown }
        guard counts else { return .no }
        guard value.hasSuffix("+") else { return Match(value == packet.device) }
        return Match(packet.device.hasPrefix(value.dropLast()))
    }

    private func port(_ value: String) -> Match {
        let ends = value.split(separator: ":", omittingEmptySubsequences: false)
        let low = ends[0].isEmpty ? 0 : UInt16(ends[0])
        let high = ends.count < 2 ? low : ends[1].isEmpty ? UInt16.max : UInt16(ends[1])
        guard let low, let high else { return .unknown }
        return Match(low <= packet.port && packet.port <= high)
    }

    /// Words with what stands in double quotes as one.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == " " && !isQuoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
