/// A search as text for people, and as JSON and CSV for scripts.
public struct SearchReport: Sendable {
    private let records: [SearchRecord]

    public init(_ records: [SearchRecord]) { self.records = records }

    /// A line for each size and goal.
    public var text: String {
        records.flatMap { record in
            record.results.map { "\(record.size) bytes  \(Self.text($0, record))" }
                + [
                    "\(record.size) bytes  RFC 2544 throughput "
                        + (record.throughput.map { "\(RunReport.short($0))pps" } ?? "none")
                        + ", \(record.trials.count) trials"
                ]
        }.joined(separator: "\n")
    }

    private static func text(_ result: SearchResult, _ record: SearchRecord) -> String {
        let name =
            "\(result.goal.name) (loss <= \(RunReport.fixed(result.goal.lossRatio * 100, 4)) %)"
        guard let lower = result.lower else {
            return "\(name): no load tried meets it"
        }
        let bits = lower.load * record.meanByteCount * 8
        var line = "\(name): \(RunReport.short(lower.load))pps, \(RunReport.short(bits))bit/s"
        if let upper = result.upper {
            line += ", below \(RunReport.short(upper.load))pps"
        } else {
            line += ", the highest load tried"
            if let limit = result.limit { line += " (limit of the \(limit.rawValue))" }
        }
        line += ", confidence \(RunReport.fixed(result.confidence * 100, 1)) %"
        if let latency = result.latency { line += ", latency us \(RunReport.text(latency))" }
        return result.isConverged ? line : line + ", not finished"
    }

    /// One line.
    public var json: String {
        "{\"search\":[\(records.map { Self.json($0) }.joined(separator: ","))]}"
    }

    private static func json(_ record: SearchRecord) -> String {
        "{\"size\":\(JSONText.quoted(record.size)),"
            + "\"mean_bytes\":\(RunReport.fixed(record.meanByteCount, 3)),"
            + "\"throughput_pps\":\(number(record.throughput)),"
            + "\"goals\":[\(record.results.map { json($0) }.joined(separator: ","))],"
            + "\"trials\":[\(record.trials.map { json($0) }.joined(separator: ","))]}"
    }

    private static func json(_ result: SearchResult) -> String {
        "{\"goal\":\(JSONText.quoted(result.goal.name)),"
            + "\"loss_ratio\":\(RunReport.fixed(result.goal.lossRatio, 8)),"
            + "\"pps\":\(number(result.lower?.load)),\"lower\":\(json(result.lower)),"
            + "\"upper\":\(json(result.upper)),"
            + "\"confidence\":\(RunReport.fixed(result.confidence, 4)),"
            + "\"converged\":\(result.isConverged),"
            + "\"latency_us\":\(RunReport.json(result.latency)),"
            + "\"limited_by\":\(result.limit.map { "\"\($0.rawValue)\"" } ?? "null")}"
    }

    private static func json(_ bound: SearchResult.Bound?) -> String {
        guard let bound else { return "null" }
        return "{\"pps\":\(number(bound.load)),\"good\":\(bound.good),\"bad\":\(bound.bad),"
            + "\"confidence\":\(RunReport.fixed(bound.confidence, 4))}"
    }

    static func json(_ trial: Trial) -> String {
        "{\"load_pps\":\(number(trial.load)),\"achieved_pps\":\(number(trial.achieved)),"
            + "\"sent\":\(trial.sent),\"received\":\(trial.received),"
            + "\"loss_ratio\":\(RunReport.fixed(trial.lossRatio, 8)),"
            + "\"p50_us\":\(microseconds(trial.latency?.p50)),"
            + "\"p99_us\":\(microseconds(trial.latency?.p99)),"
            + "\"max_us\":\(microseconds(trial.latency?.max)),"
            + "\"fault\":\(trial.fault.map { "\"\($0.rawValue)\"" } ?? "null")}"
    }

    /// While the search goes on: what a trial has found.
    public static func liveJSON(size: String, _ trial: Trial) -> String {
        "{\"live\":true,\"size\":\(JSONText.quoted(size)),\"trial\":\(json(trial))}"
    }

    /// The same for people.
    public static func liveText(size: String, _ trial: Trial) -> String {
        var line = "\(size) bytes  \(RunReport.short(trial.load))pps: lost "
        line += "\(RunReport.fixed(trial.lossRatio * 100, 4)) %"
        if let latency = trial.latency {
            line += ", p99 \(RunReport.fixed(Double(latency.p99) / 1000, 1)) us"
        }
        if let fault = trial.fault { line += " (does not count: limit of the \(fault.rawValue))" }
        return line
    }

    /// A line for each trial, after one of names (RFC 4180).
    public var csv: String {
        let names =
            "size,load_pps,achieved_pps,sent,received,loss_ratio,p50_us,p90_us,p99_us,p99_9_us,"
            + "p99_99_us,max_us,fault"
        let lines = records.flatMap { record in
            record.trials.map { trial in
                let latency = trial.latency
                let fields =
                    [
                        "\"\(record.size)\"", Self.number(trial.load),
                        Self.number(trial.achieved), "\(trial.sent)", "\(trial.received)",
                        RunReport.fixed(trial.lossRatio, 8),
                    ]
                    + [
                        latency?.p50, latency?.p90, latency?.p99, latency?.p999, latency?.p9999,
                        latency?.max,
                    ].map { $0 == nil ? "" : Self.microseconds($0) }
                return (fields + [trial.fault?.rawValue ?? ""]).joined(separator: ",")
            }
        }
        return ([names] + lines).joined(separator: "\r\n") + "\r\n"
    }

    private static func number(_ value: Double?) -> String {
        value.map { RunReport.fixed($0, 1) } ?? "null"
    }

    private static func microseconds(_ nanoseconds: UInt64?) -> String {
        nanoseconds.map { RunReport.fixed(Double($0) / 1000, 3) } ?? "null"
    }
}
