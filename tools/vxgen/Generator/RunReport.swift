/// The totals of a run as text for people and as JSON for scripts.
public struct RunReport: Sendable {
    private let totals: RunTotals

    public init(_ totals: RunTotals) { self.totals = totals }

    /// One line of JSON; its keys are a contract.
    public var json: String {
        let rate =
            "{\"asked_pps\":\(totals.askedPacketsPerSecond.map { Self.fixed($0, 1) } ?? "null"),"
            + "\"achieved_pps\":\(Self.fixed(totals.achievedPacketsPerSecond, 1)),"
            + "\"stalled_seconds\":\(Self.fixed(totals.stalledSeconds, 6))}"
        return "{" + (totals.isLive ? "\"live\":true," : "")
            + "\"sent\":\(Self.json(totals.sent)),\"received\":\(Self.json(totals.received)),"
            + "\"lost\":\(totals.lost),\"reordered\":\(totals.reordered),"
            + "\"duplicated\":\(totals.duplicated),\"corrupted\":\(totals.corrupted),"
            + "\"rate\":\(rate),\"latency_us\":\(Self.json(totals.latency)),"
            + "\"seconds\":\(Self.fixed(totals.seconds, 6)),\"overruns\":\(totals.overruns),"
            + "\"asked\":\(totals.asked.map { String($0) } ?? "null"),"
            + "\"offered\":\(totals.offered),"
            + "\"latency_kind\":\"\(totals.isRoundTrip ? "round_trip" : "one_way")\","
            + "\"streams\":[\(totals.streams.map { json($0) }.joined(separator: ","))]}"
    }

    private func json(_ stream: RunTotals.Stream) -> String {
        let lost = totals.isReceiving ? stream.lost : 0
        return "{\"name\":\(JSONText.quoted(stream.name)),\"sent\":\(stream.sent),"
            + "\"received\":\(stream.received),\"lost\":\(lost),"
            + "\"reordered\":\(stream.reordered),\"duplicated\":\(stream.duplicated),"
            + "\"corrupted\":\(stream.corrupted),"
            + "\"latency_us\":\(Self.json(stream.latency))}"
    }

    /// One line while the run goes on.
    public var liveText: String {
        var line =
            "\(Self.fixed(totals.seconds, 1)) s: sent \(totals.sent.packets) "
            + "(\(Self.short(totals.sent.packetsPerSecond))pps)"
        if totals.isReceiving {
            line +=
                ", received \(totals.received.packets) "
                + "(\(Self.short(totals.received.packetsPerSecond))pps)"
        }
        return line
    }

    /// The end of a run, several lines.
    public var text: String {
        var lines = [
            "sent        \(Self.text(totals.sent)) (asked "
                + "\(totals.asked.map { String($0) } ?? "max"), offered \(totals.offered))",
            "rate        asked \(asked), achieved \(Self.short(totals.achievedPacketsPerSecond))pps"
                + ", stalled \(Self.fixed(totals.stalledSeconds, 3)) s of "
                + "\(Self.fixed(totals.seconds, 3)) s",
        ]
        guard totals.isReceiving else {
            lines.append("received    not measured: no --receive")
            return lines.joined(separator: "\n")
        }
        let share =
            totals.sent.packets == 0 ? 0 : Double(totals.lost) / Double(totals.sent.packets) * 100
        lines += [
            "received    \(Self.text(totals.received))",
            "lost        \(totals.lost) (\(Self.fixed(share, 4)) %)",
            "reordered   \(totals.reordered)",
            "duplicated  \(totals.duplicated)",
            "corrupted   \(totals.corrupted)",
        ]
        if let latency = totals.latency {
            lines.append(
                "latency us  \(Self.text(latency))" + (totals.isRoundTrip ? " (both ways)" : ""))
        }
        if totals.streams.count > 1 { lines += totals.streams.map { text($0) } }
        return lines.joined(separator: "\n")
    }

    private func text(_ stream: RunTotals.Stream) -> String {
        var line = "stream \(stream.name): sent \(stream.sent)"
        guard totals.isReceiving else { return line }
        line +=
            ", received \(stream.received), lost \(stream.lost), reordered \(stream.reordered)"
            + ", duplicated \(stream.duplicated), corrupted \(stream.corrupted)"
        if let latency = stream.latency { line += ", latency us \(Self.text(latency))" }
        return line
    }

    static func text(_ latency: LatencyHistogram.Percentiles) -> String {
        named(latency).map { "\($0) \(microseconds($1))" }.joined(separator: ", ")
    }

    /// What a reader of the totals has to know before believing them; one line each.
    public var warnings: [String] {
        var lines: [String] = []
        if let percent = totals.shortfallPercent {
            lines.append(
                "rate: achieved \(Self.fixed(totals.achievedPacketsPerSecond, 0)) pps of "
                    + "\(Self.fixed(totals.askedPacketsPerSecond ?? 0, 0)) asked, "
                    + "\(Self.fixed(percent, 1)) % less (the device took no more for "
                    + "\(Self.fixed(totals.stalledSeconds, 3)) s): lower --rate or raise --workers")
        }
        if totals.overruns > 0 {
            lines.append(
                "receive: the receiving socket itself lost \(totals.overruns) frames, which may "
                    + "be among the lost: lower --rate or give the machine more CPU")
        }
        if totals.isSilent {
            lines.append(
                "receive: nothing of the run has arrived: see that the way from the output leads"
                    + " there, or try --learn")
        }
        return lines
    }

    private var asked: String {
        totals.askedPacketsPerSecond.map { "\(Self.short($0))pps" } ?? "max"
    }

    static func json(_ latency: LatencyHistogram.Percentiles?) -> String {
        guard let latency else { return "null" }
        let members = named(latency).map { "\"\($0)\":\(microseconds($1))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func named(
        _ latency: LatencyHistogram.Percentiles
    ) -> [(name: String, nanoseconds: UInt64)] {
        [
            ("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99),
            ("p99_9", latency.p999), ("p99_99", latency.p9999), ("max", latency.max),
        ]
    }

    private static func json(_ traffic: RunTotals.Traffic) -> String {
        "{\"packets\":\(traffic.packets),\"bytes\":\(traffic.bytes),"
            + "\"pps\":\(fixed(traffic.packetsPerSecond, 1))}"
    }

    private static func text(_ traffic: RunTotals.Traffic) -> String {
        "\(traffic.packets) packets, \(traffic.bytes) bytes, "
            + "\(short(traffic.packetsPerSecond))pps"
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String {
        fixed(Double(nanoseconds) / 1000, 3)
    }

    /// Three significant places and a prefix: `1.24 M`, `950 `.
    static func short(_ value: Double) -> String {
        let scales: [(Double, String)] = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
        for (scale, prefix) in scales where value >= scale * 0.9995 {
            let scaled = value / scale
            return "\(fixed(scaled, scaled < 10 ? 3 : scaled < 100 ? 2 : 1)) \(prefix)"
        }
        return "\(fixed(value, value < 10 ? 2 : 0)) "
    }

    /// A number with `digits` decimal places; 0 for what is no number.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = (value * Double(scale)).rounded()
        guard abs(scaled) < 9e18 else { return "0" }
        let number = Int64(scaled)
        let whole = "\(number < 0 ? "-" : "")\(abs(number) / Int64(scale))"
        guard digits > 0 else { return whole }
        let rest = String(abs(number) % Int64(scale))
        return "\(whole).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }
}
