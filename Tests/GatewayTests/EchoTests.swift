import Control
import TestKit
import Testing
import Wire

@testable import Gateway

/// Echo requests as bytes, what comes back for them, and which request it belongs to.
@Suite struct EchoTests {
    private static let own = IPv4Address(bits: 0x0A01_0101)
    private static let host = IPv4Address(bits: 0x0A01_010B)
    private static let router = IPv4Address(bits: 0x0A01_0163)
    private static let mac = MACAddress(bits: 0x0200_0000_0110)

    private func echo(_ sequence: UInt16 = 1, size: Int = 56, sent: UInt64 = 1000) -> EchoFrame {
        EchoFrame(
            origin: Self.mac, source: Self.own, destination: Self.host, identifier: 7,
            sequence: sequence, timestamp: sent, size: size)
    }

    private func reply(to echo: EchoFrame, data: [UInt8]? = nil, from: IPv4Address? = nil)
        -> [UInt8]
    {
        FrameBuilder.ethernet(destination: Self.mac, source: Self.mac)
            .ipv4(source: from ?? echo.destination, destination: echo.source, timeToLive: 61)
            .icmp(type: 0, rest: UInt32(echo.identifier) << 16 | UInt32(echo.sequence))
            .payload(data ?? echo.data).bytes
    }

    private func error(
        about echo: EchoFrame, type: UInt8, code: UInt8, rest: UInt32 = 0, quoted: Int = 28
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: Self.mac, source: Self.mac)
            .ipv4(source: Self.router, destination: echo.source)
            .icmp(type: type, code: code, rest: rest)
            .payload(Array(echo.bytes.dropFirst(14).prefix(quoted))).bytes
    }

    /// Reports of a session, in the order they come.
    private final class Log {
        var results: [Result<PingReport, ControlError>] = []
        var reports: [PingReport] { results.compactMap { try? $0.get() } }
    }

    private func session(_ frames: EchoFrame..., log: Log) -> EchoSessions {
        var sessions = EchoSessions(firstIdentifier: 0)
        for frame in frames {
            #expect(sessions.begin(frame, until: 2_000_000_000) { log.results.append($0) })
        }
        return sessions
    }

    @Test(arguments: [0, 1, 7, 8, 56, 1472, 8972])
    func aRequestIsSound(size: Int) {
        let frame = echo(size: size)
        let built = FrameBuilder.ethernet(destination: Self.mac, source: Self.mac)
            .ipv4(
                source: Self.own, destination: Self.host, timeToLive: 65, identification: 1,
                fragment: 0x4000
            )
            .icmp(type: 8, rest: 0x0007_0001).payload(frame.data).bytes
        #expect(frame.data.count == size && frame.bytes == built)
    }

    @Test func aReplyIsReadAndNothingBroken() throws {
        let bytes = reply(to: echo())
        let answer = try #require(EchoAnswer(frame: bytes))
        #expect(answer.from == Self.host && answer.identifier == 7 && answer.sequence == 1)
        #expect(answer.timeToLive == 61 && answer.data == echo().data)
        for count in 0..<bytes.count where EchoAnswer(frame: Array(bytes.prefix(count))) != nil {
            Issue.record("cut to \(count) bytes")
        }
        for index in 34..<bytes.count {
            var flipped = bytes
            flipped[index] ^= 4
            #expect(EchoAnswer(frame: flipped) == nil, "byte \(index)")
        }
    }

    @Test func anErrorBelongsToWhatItQuotes() throws {
        let bytes = error(about: echo(), type: 3, code: 4, rest: 1400)
        let answer = try #require(EchoAnswer(frame: bytes))
        #expect(answer.from == Self.router && answer.destination == Self.host)
        #expect(answer.mtu == 1400 && answer.identifier == 7 && answer.sequence == 1)
        for quoted in 0..<28 {
            let short = error(about: echo(), type: 11, code: 0, quoted: quoted)
            #expect(EchoAnswer(frame: short) == nil, "\(quoted) bytes quoted")
        }
        #expect(EchoAnswer(frame: echo().bytes) == nil, "a request is no answer")
    }

    @Test func repliesOfAnyOrderFindTheirRequests() {
        let log = Log()
        var sessions = session(echo(1), echo(2, sent: 5000), log: log)
        sessions.take(EchoAnswer(frame: reply(to: echo(2)))!, now: 2_005_000)
        sessions.take(EchoAnswer(frame: reply(to: echo(1)))!, now: 3_001_000)
        sessions.take(EchoAnswer(frame: reply(to: echo(1)))!, now: 3_001_000)
        #expect(log.reports.map(\.sequence) == [2, 1], "a second reply is not told")
        #expect(log.reports.map(\.milliseconds) == [2, 3])
        #expect(log.reports[0].bytes == 64 && log.reports[0].ttl == 61)
        // Sent at another moment, so the data differs from that of `echo(2)`.
        #expect(log.reports[0].reason == "its data is not what was sent")
        #expect(log.reports[1].reason == nil && log.reports[1].from == "10.1.1.11")
    }

    @Test func repliesOfOthersAreNotTaken() {
        let log = Log()
        var sessions = session(echo(), log: log)
        sessions.take(EchoAnswer(frame: reply(to: echo(), from: Self.router))!, now: 2000)
        sessions.take(EchoAnswer(frame: reply(to: echo(9)))!, now: 2000)
        #expect(log.results.isEmpty)
        sessions.expire(now: 1_999_999_999)
        #expect(log.results.isEmpty && sessions.nextDue == 2_000_000_000)
        sessions.expire(now: 2_000_000_000)
        #expect(log.reports.map(\.result) == [.timeout] && sessions.nextDue == nil)
        sessions.take(EchoAnswer(frame: reply(to: echo()))!, now: 2_000_000_001)
        #expect(log.results.count == 1, "too late")
    }

    @Test(arguments: [
        (UInt8(3), UInt8(0), PingReport.Result.unreachable, "network unreachable"),
        (3, 1, .unreachable, "host unreachable"),
        (3, 4, .tooBig, "fragmentation needed"),
        (3, 13, .unreachable, "administratively prohibited"),
        (11, 0, .ttlExceeded, "time to live exceeded"),
    ])
    func errorsSayWhatHappened(
        type: UInt8, code: UInt8, result: PingReport.Result, reason: String
    ) {
        let log = Log()
        var sessions = session(echo(1), echo(2), log: log)
        let far = error(about: echo(1), type: type, code: code)
        sessions.take(EchoAnswer(frame: far)!, now: 2000)
        let near = EchoAnswer(refused: echo(2).bytes, type: type, code: code, mtu: 0)
        sessions.take(near!, now: 2000)
        #expect(log.reports.map(\.result) == [result, result])
        #expect(log.reports.map(\.reason) == [reason, reason])
        #expect(log.reports.map(\.from) == ["10.1.1.99", "10.1.1.1"])
    }

    @Test func aSeriesIsAbandonedAsAWhole() {
        let log = Log()
        var other = echo(1)
        other.identifier = 8
        var sessions = session(echo(1), echo(2), other, log: log)
        sessions.abandon(identifier: 7)
        #expect(log.reports.map(\.result) == [.timeout, .timeout])
        #expect(sessions.nextDue == 2_000_000_000, "the other still waits")
    }

    @Test func theEndOfTheGatewayEndsEveryPing() {
        let log = Log()
        var sessions = session(echo(1), echo(2), log: log)
        sessions.close()
        #expect(log.reports.map(\.result) == [.timeout, .timeout])
        let began = sessions.begin(echo(3), until: 9) { log.results.append($0) }
        #expect(!began && log.results.count == 3 && log.reports.count == 2)
    }

    @Test func thereIsALimit() {
        let log = Log()
        var sessions = EchoSessions(firstIdentifier: .max)
        #expect(sessions.makeIdentifier() == 0)
        var begun = 0
        for sequence in 0..<2000
        where sessions.begin(
            echo(UInt16(sequence)), until: 9, complete: { log.results.append($0) })
        {
            begun += 1
        }
        #expect(begun == EchoSessions.maximumWaiting && log.results.count == 2000 - begun)
    }
}
