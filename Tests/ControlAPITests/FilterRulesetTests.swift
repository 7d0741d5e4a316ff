import Testing
import Wire

@testable import ControlAPI

/// What rules of nftables and iptables do with VXLAN, in the forms that the programs print.
@Suite struct FilterRulesetTests {
    private static let inbound = ProbePacket(
        source: IPv4Address("192.0.2.2")!, destination: IPv4Address("192.0.2.1")!, port: 4789,
        device: "eth0", isInbound: true)
    private static let outbound = ProbePacket(
        source: IPv4Address("192.0.2.1")!, destination: IPv4Address("192.0.2.2")!, port: 4789,
        device: "eth0", isInbound: false)

    // MARK: nftables

    private static func match(_ left: String, _ right: String, _ operation: String = "==") -> String
    {
        #"{"match": {"op": "\#(operation)", "left": \#(left), "right": \#(right)}}"#
    }
    private static let drop = #"{"drop": null}"#
    private static let accept = #"{"accept": null}"#
    private static let port = #"{"payload": {"protocol": "udp", "field": "dport"}}"#
    private static let source = #"{"payload": {"protocol": "ip", "field": "saddr"}}"#
    private static let state = #"{"ct": {"key": "state"}}"#
    private static func meta(_ key: String) -> String { #"{"meta": {"key": "\#(key)"}}"# }
    private static let limit = #"{"limit": {"rate": 5, "per": "second"}}"#
    private static let counter = #"{"counter": {"packets": 0, "bytes": 0}}"#

    /// A table with an input chain of these rules, a chain `sub`, and a set of addresses.
    private static func listing(
        policy: String = "accept", family: String = "inet", hook: String = "input",
        _ rules: [[String]], sub: [[String]] = []
    ) -> String {
        func rule(_ chain: String, _ statements: [String]) -> String {
            #"{"rule": {"family": "\#(family)", "table": "f", "chain": "\#(chain)", "handle": 3, "#
                + #""expr": [\#(statements.joined(separator: ", "))]}}"#
        }
        let items =
            [
                #"{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}"#,
                #"{"table": {"family": "\#(family)", "name": "f", "handle": 1}}"#,
                #"{"set": {"family": "\#(family)", "name": "s", "table": "f", "elem": "#
                    + #"[{"prefix": {"addr": "192.0.2.0", "len": 24}}]}}"#,
                #"{"chain": {"family": "\#(family)", "table": "f", "name": "in", "handle": 1, "#
                    + #""type": "filter", "hook": "\#(hook)", "prio": 0, "policy": "\#(policy)"}}"#,
                #"{"chain": {"family": "\#(family)", "table": "f", "name": "sub", "handle": 2}}"#,
            ] + rules.map { rule("in", $0) } + sub.map { rule("sub", $0) }
        return #"{"nftables": [\#(items.joined(separator: ", "))]}"#
    }

    private static func fate(
        _ text: String, _ packet: ProbePacket = inbound
    ) throws -> FilterRuleset.Fate {
        try #require(NFTRuleset.read(text, trying: packet)).fate(at: packet.hooks)
    }

    @Test(arguments: [
        ([match(port, "4789"), drop], true), ([match(port, "53"), drop], false),
        ([match(port, #"{"set": [53, 4789]}"#), counter, drop], true),
        ([match(port, #"{"range": [4000, 5000]}"#), drop], true),
        ([match(port, #"{"range": [4000, 4788]}"#), drop], false),
        ([match(port, "4789", "!="), drop], false), ([match(port, "4000", ">"), drop], true),
        ([match(meta("l4proto"), #""udp""#), #"{"reject": {"type": "tcp reset"}}"#], true),
        ([match(meta("l4proto"), #""tcp""#), drop], false),
        // A rule about TCP never matches, whatever it compares.
        (
            [match(#"{"payload": {"protocol": "tcp", "field": "dport"}}"#, "22", "!="), drop],
            false
        ),
        ([match(meta("iifname"), #""eth*""#), drop], true),
        ([match(meta("iifname"), #""lo""#), drop], false),
        ([match(meta("iifname"), #""lo""#, "!="), drop], true),
        ([match(meta("oifname"), #""lo""#, "!="), drop], false),
        ([match(source, #""192.0.2.2""#), drop], true),
        ([match(source, #""@s""#), drop], true),
        ([match(source, #"{"prefix": {"addr": "198.51.100.0", "len": 24}}"#), drop], false),
        ([match(source, #"{"range": ["192.0.2.0", "192.0.2.9"]}"#), drop], true),
        ([match(state, #"["established", "related"]"#, "in"), drop], false),
        ([match(state, #"["invalid", "new"]"#, "in"), drop], true),
        ([#"{"jump": {"target": "sub"}}"#], true),
        ([#"{"vmap": {"key": \#(port), "data": {"set": [[4789, {"drop": null}]]}}}"#], true),
        ([#"{"vmap": {"key": \#(port), "data": {"set": [[4788, {"drop": null}]]}}}"#], false),
    ])
    func oneRule(statements: [String], isDropped: Bool) throws {
        let chain = statements[0].contains("jump") ? "inet f sub" : "inet f in"
        let fate = try Self.fate(Self.listing([statements], sub: [[Self.drop]]))
        #expect(fate == (isDropped ? .dropped(chain) : .passes))
    }

    @Test func theOrderOfRulesDecides() throws {
        let accept = [Self.match(Self.port, "4789"), Self.accept]
        let ssh = [
            Self.match(#"{"payload": {"protocol": "tcp", "field": "dport"}}"#, "22"), Self.accept,
        ]
        #expect(try Self.fate(Self.listing([accept, [Self.drop]])) == .passes)
        #expect(try Self.fate(Self.listing([[Self.drop], accept])) == .dropped("inet f in"))
        #expect(try Self.fate(Self.listing(policy: "drop", [ssh, accept])) == .passes)
        #expect(
            try Self.fate(Self.listing(policy: "drop", [ssh])) == .dropped("policy of inet f in"))
        let leave = [Self.match(Self.port, "4789"), #"{"return": null}"#]
        let enter = [#"{"goto": {"target": "sub"}}"#]
        #expect(
            try Self.fate(Self.listing([enter, [Self.drop]], sub: [leave, [Self.drop]])) == .passes)
    }

    @Test func whatTheRulesDoNotSayIsNoCertainty() throws {
        let limited = [Self.match(Self.port, "4789"), Self.limit]
        let unclear = FilterRuleset.Fate.unclear
        #expect(try Self.fate(Self.listing([limited + [Self.drop]])) == unclear("inet f in"))
        #expect(
            try Self.fate(Self.listing(policy: "drop", [limited + [Self.accept]]))
                == unclear("policy of inet f in"))
        #expect(
            try Self.fate(Self.listing([limited + [Self.accept], [Self.drop]]))
                == unclear("inet f in"))
        let mark = Self.match(Self.meta("mark"), "7")
        #expect(
            try Self.fate(
                Self.listing([[mark, #"{"jump": {"target": "sub"}}"#]], sub: [[Self.drop]]))
                == unclear("inet f sub"))
        #expect(try Self.fate(Self.listing([[mark, Self.accept]])) == .passes)
    }

    @Test func onlyChainsOnTheWayCount() throws {
        let rules = [[Self.drop]]
        #expect(try Self.fate(Self.listing(hook: "output", rules)) == .passes)
        #expect(try Self.fate(Self.listing(hook: "forward", rules)) == .passes)
        #expect(try Self.fate(Self.listing(family: "ip6", rules)) == .passes)
        #expect(try Self.fate(Self.listing(family: "bridge", rules)) == .passes)
        #expect(try Self.fate(Self.listing(family: "ip", rules)) == .dropped("ip f in"))
        #expect(
            try Self.fate(Self.listing(hook: "output", rules), Self.outbound)
                == .dropped("inet f in"))
        #expect(NFTRuleset.read("nft: not permitted", trying: Self.inbound) == nil)
    }

    // MARK: iptables

    @Test(arguments: [
        ("-A INPUT -p udp -m udp --dport 4789 -j DROP", true),
        ("-A INPUT -p udp -m udp ! --dport 4789 -j DROP", false),
        ("-A INPUT -p tcp -m tcp --dport 4789 -j DROP", false),
        ("-A INPUT -p udp -m multiport --dports 53,4000:5000 -j REJECT --reject-with x", true),
        ("-A INPUT -p udp -m multiport --dports 53,5000:6000 -j DROP", false),
        ("-A INPUT -i lo -j DROP", false), ("-A INPUT ! -i lo -j DROP", true),
        ("-A INPUT -i eth+ -j DROP", true), ("-A INPUT -o eth0 -j DROP", false),
        ("-A INPUT -s 192.0.2.0/24 -d 192.0.2.1/32 -j DROP", true),
        ("-A INPUT -s 198.51.100.0/24 -j DROP", false),
        ("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j DROP", false),
        ("-A INPUT -m comment --comment \"no -j ACCEPT here\" -j DROP", true),
        ("[4:230] -A INPUT -j LOG --log-prefix \"a -j b\"\n-A INPUT -j DROP", true),
        ("-A INPUT -p udp -j ACCEPT\n-A INPUT -j DROP", false),
        ("-A OUTPUT -j DROP", false), ("-A FORWARD -j DROP", false),
    ])
    func oneLine(rules: String, isDropped: Bool) {
        let text = """
            # Generated by iptables-save v1.8.9
            *filter
            :INPUT ACCEPT [0:0]
            :FORWARD DROP [0:0]
            :OUTPUT ACCEPT [0:0]
            \(rules)
            COMMIT
            """
        let fate = IPTablesRuleset.read(text, trying: Self.inbound).fate(at: Self.inbound.hooks)
        #expect(fate == (isDropped ? .dropped("iptables filter INPUT") : .passes))
    }

    @Test func chainsPoliciesAndTables() {
        func fate(_ text: String, _ packet: ProbePacket = Self.inbound) -> FilterRuleset.Fate {
            IPTablesRuleset.read(text, trying: packet).fate(at: packet.hooks)
        }
        let own = "*filter\n:INPUT DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:vx - [0:0]\n-A INPUT -j vx\n"
        #expect(fate(own) == .dropped("policy of iptables filter INPUT"))
        #expect(fate(own, Self.outbound) == .passes)
        #expect(fate(own + "-A vx -p udp -j ACCEPT\n") == .passes)
        #expect(fate(own + "-A vx -j RETURN\n") == .dropped("policy of iptables filter INPUT"))
        #expect(fate(own + "-A vx -j DROP\n") == .dropped("iptables filter vx"))
        #expect(
            fate(own + "-A vx -m limit --limit 5/sec -j ACCEPT\n")
                == .unclear("policy of iptables filter INPUT"))
        #expect(
            fate("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j DROP\nCOMMIT\n" + own)
                == .dropped("iptables raw PREROUTING"))
        #expect(
            fate("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j DNAT --to-d 10.0.0.1\n")
                == .unclear("iptables nat PREROUTING"))
    }
}
