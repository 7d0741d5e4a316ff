import ArgumentParser
import Control
import ControlAPI
import Glibc
import Wire

/// `vxgate ping`.
struct PingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Ping an address from a VSI-interface, through the dataplane.",
        discussion: """
            The packets are routed as those of a host behind the VSI-interface are, and must not \
            be fragmented. Where peers have the same address (distributed-gateway), a host behind \
            a peer answers to the gateway next to it, and the reply is not seen here.

            Exit status: 0 when at least one reply came, 1 when none did.
            """)

    @Argument(help: "The IPv4 address.") var address: IPv4Address
    @Option(help: "Look the address up in this VRF (default: that of --interface, or default).")
    var vrf: String?
    @Option(help: "Send from this VSI-interface (default: the one the route leaves by).")
    var interface: String?
    @Option(help: "How many echo requests.") var count = 4
    @Option(help: "Seconds from one request to the next.") var interval = 1.0
    @Option(help: "Seconds to wait for each reply.") var timeout = 2.0
    @Option(help: "Bytes of data in each request.") var size = 56
    @OptionGroup var options: ClientOptions

    /// Sequence numbers have 16 bits.
    private static let counts = 1...65_535

    func validate() throws {
        try check("count", count, Self.counts)
        try check("interval", milliseconds(interval), PingRequest.intervalsMilliseconds, 1000)
        try check("timeout", milliseconds(timeout), PingRequest.timeoutsMilliseconds, 1000)
        try check("size", size, PingRequest.sizes)
    }

    func run() throws {
        var series = PingSeries(address: address.description, size: size)
        for sequence in 1...count {
            let began = Self.now()
            let report = try echo(sequence)
            if !options.json {
                if sequence == 1 { try Terminal.print(series.heading(from: report.source)) }
                try Terminal.print(PingSeries.line(report))
            }
            series.add(report)
            let left = milliseconds(interval) - (Self.now() - began)
            if sequence < count, left > 0 { usleep(UInt32(left) * 1000) }
        }
        if options.json {
            try Terminal.print(rowsText(series.reports))
        } else {
            try Terminal.print(series.statistics)
        }
        guard series.replies.isEmpty else { return }
        throw Failure(
            at: "ping", "no reply from \(address): see vxgate show arp and vxgate show drops")
    }

    /// One at a time, so that each is shown when it is there.
    private func echo(_ sequence: Int) throws -> PingReport {
        var request = PingRequest(address: address)
        request.vrf = vrf
        request.interface = interface
        request.count = 1
        request.timeoutMilliseconds = milliseconds(timeout)
        request.size = size
        request.sequence = sequence
        let rows = try options.asking("ping") { client throws(ControlClientError) in
            try client.ping(request)
        }
        guard let row = rows.first else {
            throw Failure(at: "ping", "the daemon did not ping: try again")
        }
        return row
    }

    /// Of an option in seconds; far outside of every limit when it is no sensible number.
    private func milliseconds(_ seconds: Double) -> Int {
        Int(exactly: (seconds * 1000).rounded()).map { min($0, Int(Int32.max)) } ?? -1
    }

    private func check(
        _ name: String, _ value: Int, _ range: ClosedRange<Int>, _ scale: Double = 1
    ) throws {
        guard !range.contains(value) else { return }
        let low = Double(range.lowerBound) / scale
        let high = Double(range.upperBound) / scale
        let text =
            scale == 1 ? "\(range.lowerBound) to \(range.upperBound)" : "\(low) to \(high) seconds"
        throw ValidationError("--\(name) takes \(text)")
    }

    /// Milliseconds of the monotonic clock.
    private static func now() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
