public import Wire

/// The packet that rules are tried with: one VXLAN datagram between a peer and the VTEP.
public struct ProbePacket: Sendable, Equatable {
    public var source: IPv4Address
    public var destination: IPv4Address
    public var port: UInt16
    /// The device of the underlay.
    public var device: String
    /// It arrives here; else it leaves.
    public var isInbound: Bool
    /// On its way it crosses the host, from one device to another that is not known.
    public var isRouted: Bool

    public init(
        source: IPv4Address, destination: IPv4Address, port: UInt16, device: String,
        isInbound: Bool, isRouted: Bool = false
    ) {
        self.source = source
        self.destination = destination
        self.port = port
        self.device = device
        self.isInbound = isInbound
        self.isRouted = isRouted
    }

    /// Where netfilter looks at it on its way.
    var hooks: Set<String> {
        guard !isRouted else {
            return ["ingress", "prerouting", "forward", "postrouting", "egress"]
        }
        return isInbound
            ? ["ingress", "prerouting", "input"] : ["output", "postrouting", "egress"]
    }
}

/// Whether a rule matches the probe packet. `unknown` where the answer depends on what a file of
/// rules does not say, as a mark or a rate.
enum Match: Equatable {
    case yes, no, unknown

    static func && (left: Match, right: Match) -> Match {
        if left == .no || right == .no { return .no }
        return left == .yes && right == .yes ? .yes : .unknown
    }

    static prefix func ! (match: Match) -> Match {
        switch match {
        case .yes: .no
        case .no: .yes
        case .unknown: .unknown
        }
    }

    /// One of them.
    static func any(_ matches: some Sequence<Match>) -> Match {
        var result = Match.no
        for match in matches {
            if match == .yes { return .yes }
            if match == .unknown { result = .unknown }
        }
        return result
    }

    init(_ isTrue: Bool) { self = isTrue ? .yes : .no }
}

/// What a matching rule does with the packet.
enum RuleVerdict: Equatable {
    case accept, drop, leave
    case jump(String)
    case go(String)
    /// Rewritten or handed to a program: what becomes of it is not in the rules.
    case unclear
}

/// Rules in one form, from nftables or iptables, already tried with one probe packet.
struct FilterRuleset: Equatable {
    struct Rule: Equatable {
        var match: Match
        var verdict: RuleVerdict
    }

    struct Chain: Equatable {
        /// As an operator looks for it: `inet filter input`.
        var name: String
        /// nil for a chain that others jump to.
        var hook: String?
        var dropsByPolicy = false
        var rules: [Rule] = []
    }

    enum Fate: Equatable {
        case passes
        /// Dropped by this chain.
        case dropped(String)
        /// Perhaps.
        case unclear(String)
    }

    var chains: [Chain] = []

    /// Every chain of a hook on the way may drop; to be accepted by one is not enough.
    func fate(at hooks: Set<String>) -> Fate {
        var doubt: String?
        for chain in chains where chain.hook.map(hooks.contains) == true {
            switch fate(in: chain) {
            case .passes: continue
            case .dropped(let place): return .dropped(place)
            case .unclear(let place): doubt = doubt ?? place
            }
        }
        return doubt.map(Fate.unclear) ?? .passes
    }

    private func fate(in chain: Chain) -> Fate {
        var walk = Walk()
        let end = follow(chain, &walk, depth: 0)
        switch end {
        case .dropped(let place): return walk.mayEscape ? .unclear(place) : .dropped(place)
        case .accepted: break
        case .left where chain.dropsByPolicy:
            let place = "policy of \(chain.name)"
            return walk.mayEscape ? .unclear(walk.doubt ?? place) : .dropped(place)
        case .left: break
        }
        return walk.doubt.map(Fate.unclear) ?? .passes
    }

    private struct Walk {
        /// A rule that may match would have ended the walk before.
        var mayEscape = false
        /// The first chain with a rule that may drop.
        var doubt: String?
    }

    private enum End {
        case accepted, left
        case dropped(String)
    }

    /// A ruleset has no loops; the depth guards against one that a damaged listing makes.
    private func follow(_ chain: Chain, _ walk: inout Walk, depth: Int) -> End {
        guard depth < 32 else { return .left }
        for rule in chain.rules where rule.match != .no {
            let isSure = rule.match == .yes
            switch rule.verdict {
            case .accept:
                if isSure { return .accepted }
                walk.mayEscape = true
            case .drop:
                if isSure { return .dropped(chain.name) }
                walk.doubt = walk.doubt ?? chain.name
            case .leave:
                if isSure { return .left }
                walk.mayEscape = true
            case .unclear:
                if isSure { walk.doubt = walk.doubt ?? chain.name }
            case .jump(let name), .go(let name):
                let end = enter(name, from: chain, isSure, &walk, depth)
                if isSure, let end { return end }
                if isSure, case .go = rule.verdict { return .left }
            }
        }
        return .left
    }

    /// Another chain's rules. nil when the walk goes on behind the jump.
    private func enter(
        _ name: String, from chain: Chain, _ isSure: Bool, _ walk: inout Walk, _ depth: Int
    ) -> End? {
        guard let target = chains.first(where: { $0.name == name }) else {
            walk.doubt = walk.doubt ?? chain.name
            return nil
        }
        switch follow(target, &walk, depth: depth + 1) {
        case .left: return nil
        case .accepted:
            if !isSure { walk.mayEscape = true }
            return .accepted
        case .dropped(let place):
            if !isSure { walk.doubt = walk.doubt ?? place }
            return .dropped(place)
        }
    }
}
