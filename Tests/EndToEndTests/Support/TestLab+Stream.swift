import Glibc
import Programs
import Testing

extension TestLab {
    /// What an iperf3 client says that the receiver got, bit/s. A server that is still at the end
    /// of its last test sends the next client away, which then says so with status 0.
    /// - Parameter words: a command with `-J`.
    func stream(_ client: String, _ words: String) throws -> Double {
        var report = StreamReport()
        for _ in 0..<5 {
            let done = try run(client, words, seconds: 15)
            try #require(done.status == 0, "\(words): \(done.output.suffix(300))")
            report = try Shown.decode(done.output)
            guard report.error?.contains("busy") == true else { break }
            print("iperf3: \(report.error ?? "")")
            usleep(200_000)
        }
        let sum = try #require(report.end?.sumReceived, "\(words): \(report.error ?? "")")
        return sum.bitsPerSecond
    }

    private struct StreamReport: Decodable {
        struct End: Decodable { var sumReceived: Sum? }
        struct Sum: Decodable { var bitsPerSecond: Double }
        var error: String?
        var end: End?
    }
}
