internal import Glibc

/// A replay as text for people and as JSON for scripts.
public struct ReplayReport: Sendable {
    private let totals: ReplayTotals

    public init(_ totals: ReplayTotals) { self.totals = totals }

    /// One line.
    public var json: String {
        "{" + (totals.isLive ? "\"live\":true," : "")
            + "\"frames\":\(totals.frames),\"skipped\":{\"truncated\":\(totals.truncated),"
            + "\"not_ethernet\":\(totals.foreign)},"
            + "\"sent\":{\"packets\":\(totals.sent),\"bytes\":\(totals.bytes),"
            + "\"pps\":\(RunReport.fixed(totals.packetsPerSecond, 1))},"
            + "\"refused\":\(totals.refused),\"loops\":\(totals.loops),"
            + "\"seconds\":\(RunReport.fixed(totals.seconds, 6)),"
            + "\"stalled_seconds\":\(RunReport.fixed(totals.stalledSeconds, 6)),"
            + "\"late_us\":\(RunReport.json(totals.lateness))}"
    }

    public var liveText: String {
        "\(RunReport.fixed(totals.seconds, 1)) s: sent \(totals.sent) "
            + "(\(RunReport.short(totals.packetsPerSecond))pps), loop \(totals.loops + 1)"
    }

    public var text: String {
        var lines = [
            "capture     \(totals.frames) frames, \(totals.truncated) cut ones and "
                + "\(totals.foreign) of other links left out",
            "sent        \(totals.sent) packets, \(totals.bytes) bytes, "
                + "\(RunReport.short(totals.packetsPerSecond))pps, \(totals.loops) loops in "
                + "\(RunReport.fixed(totals.seconds, 3)) s, stalled "
                + "\(RunReport.fixed(totals.stalledSeconds, 3)) s",
        ]
        if let lateness = totals.lateness {
            lines.append("late us     \(RunReport.text(lateness))")
        }
        return lines.joined(separator: "\n")
    }

    /// What a reader has to know before believing the totals; one line each.
    public var warnings: [String] {
        guard totals.refused > 0 else { return [] }
        let text =
            unsafe strerror(totals.refusal).map { unsafe String(cString: $0) }
            ?? "error \(totals.refusal)"
        return [
            "replay: the kernel refused \(totals.refused) frames: \(text): compare the longest"
                + " frames with the MTU"
        ]
    }
}
