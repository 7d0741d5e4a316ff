import Control
import Glibc

/// The pings of one command, in the words of ping(8).
struct PingSeries {
    let address: String
    let size: Int
    private(set) var reports: [PingReport] = []

    init(address: String, size: Int) {
        self.address = address
        self.size = size
    }

    var replies: [PingReport] { reports.filter { $0.result == .reply } }

    mutating func add(_ report: PingReport) { reports.append(report) }

    func heading(from source: String) -> String {
        "PING \(address) from \(source): \(size) data bytes\n"
    }

    static func line(_ report: PingReport) -> String {
        let from = report.from.map { "from \($0) " } ?? ""
        let fault = report.reason.map { ", \($0)" } ?? ""
        switch report.result {
        case .reply:
            return "\(report.bytes ?? 0) bytes \(from)icmp_seq=\(report.sequence) "
                + "ttl=\(report.ttl ?? 0) time=\(decimal(report.milliseconds ?? 0)) ms\(fault)\n"
        case .timeout:
            return "no answer: icmp_seq=\(report.sequence)\n"
        case .tooBig:
            let mtu = report.mtu.map { ", mtu=\($0)" } ?? ""
            return "\(from)icmp_seq=\(report.sequence) too big\(mtu)\n"
        case .unreachable, .ttlExceeded:
            return "\(from)icmp_seq=\(report.sequence)\(fault)\n"
        }
    }

    /// Loss in whole per cents; times over the replies, with their standard deviation.
    var statistics: String {
        let times = replies.compactMap(\.milliseconds)
        let loss = (reports.count - replies.count) * 100 / max(reports.count, 1)
        let counts =
            "\n--- \(address) ping statistics ---\n\(reports.count) packets transmitted, "
            + "\(replies.count) received, \(loss)% packet loss\n"
        guard let least = times.min(), let most = times.max() else { return counts }
        let mean = times.reduce(0, +) / Double(times.count)
        let variance = times.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(times.count)
        let numbers = [least, mean, most, variance.squareRoot()].map(Self.decimal)
        return counts + "rtt min/avg/max/mdev = \(numbers.joined(separator: "/")) ms\n"
    }

    /// Three decimals, rounded half up: 0.25 is "0.250".
    static func decimal(_ value: Double) -> String {
        let thousandths = Int((max(value, 0) * 1000).rounded())
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
