/// An emulation of hosts as text for people and as JSON for scripts.
public struct AnswerReport: Sendable {
    private let totals: AnswerTotals

    public init(_ totals: AnswerTotals) { self.totals = totals }

    /// Names and values, as both forms have them.
    private var values: [(name: String, value: UInt64)] {
        [
            ("received", totals.received), ("ignored", totals.ignored),
            ("arp_replies", totals.arpReplies), ("echo_replies", totals.echoReplies),
            ("reflected", totals.reflected), ("conflicts", totals.conflicts),
            ("announced", totals.announced), ("moved", totals.moved), ("sent", totals.sent),
            ("refused", totals.refused), ("overruns", totals.overruns),
        ]
    }

    /// One line.
    public var json: String {
        "{" + (totals.isLive ? "\"live\":true," : "") + "\"hosts\":\(totals.hosts),"
            + values.map { "\"\($0)\":\($1)" }.joined(separator: ",")
            + ",\"seconds\":\(RunReport.fixed(totals.seconds, 6))}"
    }

    /// One line as well.
    public var text: String {
        "\(RunReport.fixed(totals.seconds, 1)) s, \(totals.hosts) hosts: "
            + values.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }
            .joined(separator: ", ")
    }
}
