import Control
import Dataplane
import TestKit
import Testing
import Wire

/// What the senders of packets hear that waited for nothing: the rules and the budget are those of
/// every ICMP error (RFC 1812 sections 4.3.2.7 and 4.3.2.8).
@Suite struct HeldErrorTests {
    typealias Site = TestSite

    private func gateway(errorsPerSecond: Int = 100) -> TestGateway {
        let gateway = TestGateway(
            Site.routed.with { configuration in
                configuration.timers = .init(arpRetrySeconds: 1, arpAttempts: 1)
                configuration.limits.icmpErrorsPerSecond = errorsPerSecond
                configuration.limits.unresolvedQueue = 64
            })
        gateway.receive(.device("a1", Site.arpRequest(from: Site.h1, for: Site.gateway10)))
        _ = gateway.serveOrders()
        return gateway
    }

    private func silent(_ number: Int) -> Site.Host {
        Site.Host(mac: Site.gatewayMAC, address: IPv4Address(bits: 0x0A00_14C8 + UInt32(number)))
    }

    /// The ICMP errors that come when nobody has answered for what waits.
    private func errors(_ gateway: TestGateway) -> Int {
        var errors = 0
        for _ in 0..<6 {
            gateway.advance(milliseconds: 250)
            errors += gateway.serveOrders().outputs.count {
                $0.place == .port("a1") && $0.frame.count > 42 && $0.frame[23] == 1
            }
        }
        return errors
    }

    private func icmp(type: UInt8) -> [UInt8] {
        FrameBuilder.ethernet(destination: Site.gatewayMAC, source: Site.h1.mac)
            .ipv4(source: Site.h1.address, destination: silent(0).address)
            .icmp(type: type, code: 0).payload(count: 28).bytes
    }

    @Test func thereIsNoneAboutWhatNeverGetsOne() {
        let never: [(String, [UInt8])] = [
            ("later fragment", Site.udp(from: Site.h1, to: silent(0), fragment: 20)),
            ("unreachable", icmp(type: 3)), ("time exceeded", icmp(type: 11)),
            ("redirect", icmp(type: 5)),
        ]
        for (name, frame) in never {
            let gateway = gateway()
            #expect(gateway.receive(.device("a1", frame)).verdicts == [.held], "\(name)")
            #expect(errors(gateway) == 0, "\(name)")
            #expect(Tally(gateway.counters).drops[.nhFailed] == 1, "\(name)")
            #expect(Tally(gateway.counters).events[.icmpRateLimited, default: 0] == 0)
        }
        let echo = gateway()
        #expect(echo.receive(.device("a1", icmp(type: 8))).verdicts == [.held])
        #expect(errors(echo) == 1)
    }

    @Test func theyComeOutOfTheBudgetOfAllErrors() {
        let gateway = gateway(errorsPerSecond: 1)
        for number in 0..<50 {
            gateway.receive(.device("a1", Site.udp(from: Site.h1, to: silent(number % 2))))
        }
        #expect(errors(gateway) == 11, "ten at once and one a second")
        #expect(Tally(gateway.counters).events[.icmpRateLimited] == 39)
        #expect(Tally(gateway.counters).drops[.nhFailed] == 50)
        // The workers find it spent.
        let expired = gateway.receive(
            .device(
                "a1",
                Site.udp(
                    from: Site.h1, to: Site.h3, destinationMAC: Site.gatewayMAC,
                    timeToLive: 1)))
        #expect(expired.tally.drops == [.ttlExceeded: 1])
        #expect(expired.tally.events[.icmpRateLimited] == 1)
    }

    @Test func theWorkersErrorsSpendItAsWell() {
        let gateway = gateway(errorsPerSecond: 1)
        for _ in 0..<11 {
            gateway.receive(
                .device(
                    "a1",
                    Site.udp(
                        from: Site.h1, to: Site.h3, destinationMAC: Site.gatewayMAC, timeToLive: 1))
            )
        }
        _ = gateway.serveOrders()
        gateway.receive(.device("a1", Site.udp(from: Site.h1, to: silent(0))))
        // In 1.25 s one more is due: that for the first to fail.
        gateway.receive(.device("a1", Site.udp(from: Site.h1, to: silent(0))))
        #expect(errors(gateway) == 1)
        #expect(Tally(gateway.counters).events[.icmpRateLimited] == 1)
    }
}
