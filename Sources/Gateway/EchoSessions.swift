internal import Control
internal import Wire

/// Echo requests of the gateway's own that wait for an answer, by identifier and sequence number.
///
/// Each ends once: with an answer, with its time, or with the gateway. Time comes in with every
/// call.
///
/// Thread-safety: the agent's thread alone.
struct EchoSessions {
    typealias Completion = (Result<PingReport, ControlError>) -> Void

    private struct Key: Hashable {
        let identifier: UInt16
        let sequence: UInt16
    }

    private struct Waiting {
        let frame: EchoFrame
        /// Nanoseconds after which it has no answer.
        let end: UInt64
        let complete: Completion
    }

    private var waiting: [Key: Waiting] = [:]
    private var lastIdentifier: UInt16
    private var isClosed = false

    /// All operators together.
    static let maximumWaiting = 1024

    /// - Parameter firstIdentifier: anything; two gateways with one address should not begin alike.
    init(firstIdentifier: UInt16) { lastIdentifier = firstIdentifier }

    /// The identifier of the next series of pings.
    mutating func makeIdentifier() -> UInt16 {
        lastIdentifier &+= 1
        return lastIdentifier
    }

    /// When the first of them ends, nanoseconds.
    var nextDue: UInt64? { waiting.values.map(\.end).min() }

    /// Begins to wait. False when the request must not be sent, and has been completed.
    mutating func begin(
        _ frame: EchoFrame, until end: UInt64, complete: @escaping Completion
    ) -> Bool {
        let key = Key(identifier: frame.identifier, sequence: frame.sequence)
        guard !isClosed else {
            complete(.failure(.unavailable("vxgate is stopping: try again later")))
            return false
        }
        guard waiting.count < Self.maximumWaiting, waiting[key] == nil else {
            complete(.failure(.unavailable("too many pings are under way: try again later")))
            return false
        }
        waiting[key] = Waiting(frame: frame, end: end, complete: complete)
        return true
    }

    /// Something came back. What nobody waits for, or waits for no longer, ends here.
    mutating func take(_ answer: EchoAnswer, now: UInt64) {
        let key = Key(identifier: answer.identifier, sequence: answer.sequence)
        guard let entry = waiting[key], entry.frame.destination == answer.destination else {
            return
        }
        waiting[key] = nil
        var report = PingReport(
            sequence: Int(answer.sequence), result: Self.result(answer),
            source: entry.frame.source.description)
        report.from = answer.from.description
        report.milliseconds = Double((now &- entry.frame.timestamp) / 1000) / 1000
        if report.result == .reply {
            report.bytes = ICMPv4.byteCount + answer.data.count
            report.ttl = Int(answer.timeToLive)
            if answer.data != entry.frame.data { report.reason = "its data is not what was sent" }
        } else {
            report.mtu = answer.mtu > 0 ? answer.mtu : nil
            report.reason = Self.reason(answer)
        }
        entry.complete(.success(report))
    }

    /// Ends what has waited long enough.
    mutating func expire(now: UInt64) {
        for (key, entry) in waiting where entry.end <= now {
            waiting[key] = nil
            entry.complete(.success(Self.timeout(entry)))
        }
    }

    /// Ends a series before its time: nobody wants to know any more.
    mutating func abandon(identifier: UInt16) {
        for (key, entry) in waiting where key.identifier == identifier {
            waiting[key] = nil
            entry.complete(.success(Self.timeout(entry)))
        }
    }

    /// Nothing comes any more.
    mutating func close() {
        isClosed = true
        for entry in waiting.values { entry.complete(.success(Self.timeout(entry))) }
        waiting = [:]
    }

    private static func timeout(_ entry: Waiting) -> PingReport {
        PingReport(
            sequence: Int(entry.frame.sequence), result: .timeout,
            source: entry.frame.source.description)
    }

    private static func result(_ answer: EchoAnswer) -> PingReport.Result {
        switch (answer.type, answer.code) {
        case (ICMPv4.MessageType.echoReply, _): .reply
        case (ICMPv4.MessageType.timeExceeded, _): .ttlExceeded
        case (_, ICMPv4.UnreachableCode.fragmentationNeeded): .tooBig
        default: .unreachable
        }
    }

    /// The codes of RFC 792 and RFC 1812 section 5.2.7.1.
    private static func reason(_ answer: EchoAnswer) -> String {
        guard answer.type == ICMPv4.MessageType.unreachable else { return "time to live exceeded" }
        switch answer.code {
        case ICMPv4.UnreachableCode.network: return "network unreachable"
        case ICMPv4.UnreachableCode.host: return "host unreachable"
        case 2: return "protocol unreachable"
        case 3: return "port unreachable"
        case ICMPv4.UnreachableCode.fragmentationNeeded: return "fragmentation needed"
        case 9, 10, ICMPv4.UnreachableCode.prohibited: return "administratively prohibited"
        default: return "unreachable, code \(answer.code)"
        }
    }
}
