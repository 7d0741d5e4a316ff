import Tables
import TestKit
import Testing
import Wire

@testable import Control

/// Who is asked for, and when; the agent alone, with a clock in hand.
@Suite struct AgentResolutionTests {
    typealias Site = TestSite

    private func hold(_ bench: AgentBench, _ number: Int) {
        let packet = HeldPacket(
            bytes: [UInt8](repeating: 0, count: 60), token: [], vsi: bench.vsi("v10"),
            place: bench.port("a1"), worker: 0)
        bench.agent.hold(
            packet, interface: bench.agent.layout.interfaces["g20"]!, nextHop: address(number),
            now: bench.now)
    }

    private func address(_ number: Int) -> IPv4Address {
        IPv4Address(bits: 0x0A00_1400 + UInt32(number))
    }

    /// The addresses asked for since the last call.
    private func questions(_ bench: AgentBench) -> [IPv4Address] {
        bench.agent.takeOrders().compactMap { order in
            guard case .flood(let bytes, _, _, _, _) = order else { return nil }
            return IPv4Address(bits: bytes[38..<42].reduce(0) { $0 << 8 | UInt32($1) })
        }
    }

    /// The sender address of a question about 192.0.2.7, which is a next hop onlink of g20.
    private func sender(
        _ source: Configuration.SenderSource, hasAddress: Bool
    ) throws -> IPv4Address {
        var configuration = Site.routed
        configuration.vsiInterfaces[1].source = source
        if !hasAddress { configuration.vsiInterfaces[1].addresses = [] }
        let via = IPv4Address(bits: 0xC000_0207)
        configuration.staticRoutes = [
            .init(
                prefix: IPv4Prefix(address: .any, length: 0), via: [via], interface: "g20",
                vrf: "red", onlink: true)
        ]
        let bench = AgentBench(configuration)
        let packet = HeldPacket(
            bytes: [UInt8](repeating: 0, count: 60), token: [], vsi: bench.vsi("v10"),
            place: bench.port("a1"), worker: 0)
        bench.agent.hold(
            packet, interface: bench.agent.layout.interfaces["g20"]!, nextHop: via, now: bench.now)
        let sent = bench.agent.takeOrders().compactMap { order -> [UInt8]? in
            guard case .flood(let bytes, _, _, _, _) = order else { return nil }
            return bytes
        }
        try #require(sent.count == 1)
        return IPv4Address(bits: sent[0][28..<32].reduce(0) { $0 << 8 | UInt32($1) })
    }

    @Test(arguments: [true, false])
    func aQuestionHasTheBorrowedAddress(hasAddress: Bool) throws {
        #expect(try sender(.vtep, hasAddress: hasAddress) == Site.vtep)
        #expect(try sender(.interface("g10"), hasAddress: hasAddress) == Site.gateway10)
        #expect(try sender(.own, hasAddress: hasAddress) == (hasAddress ? Site.gateway20 : .any))
    }

    /// RFC 1122 section 2.3.2.1: however many packets there are, one question a second.
    @Test func anAbsentHostIsAskedForOnceASecond() {
        var bench = AgentBench(Site.routed)
        var moments: [UInt64] = []
        let start = bench.now
        for _ in 0..<3000 {
            for _ in 0..<5 { hold(bench, 200) }
            moments += questions(bench).map { _ in (bench.now - start) / 1_000_000 }
            bench.advance(milliseconds: 10)
            moments += questions(bench).map { _ in (bench.now - start) / 1_000_000 }
        }
        // Three questions, five seconds of silence after the third has had its second, and again.
        #expect(moments.prefix(6) == [0, 1000, 2000, 8000, 9000, 10_000])
        #expect(zip(moments, moments.dropFirst()).allSatisfy { $1 - $0 >= 1000 })
        #expect(moments.count == 12)
    }

    /// At random times, many hosts: against a list of who was asked when.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func nobodyIsAskedForTooOften(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bench = AgentBench(Site.routed)
        var last: [IPv4Address: UInt64] = [:]
        for _ in 0..<4000 {
            let number = random.int(in: 100...140)
            if random.int(in: 0...20) == 0 {
                bench.see(address(number), AgentBench.mac(number), at: bench.port("a3"), vsi: "v20")
                last[address(number)] = nil
            } else if random.int(in: 0...100) == 0 {
                var selection = Selection()
                selection.interface = "g20"
                _ = try? bench.agent.clearARP(selection)
                last = [:]
            } else {
                hold(bench, number)
            }
            for pause in [0, random.bool() ? random.int(in: 1...60) : 0] {
                if pause > 0 { bench.advance(milliseconds: pause) }
                for asked in questions(bench) {
                    if let before = last[asked] { #expect(bench.now - before >= 1_000_000_000) }
                    last[asked] = bench.now
                }
            }
            let due = bench.agent.resolutions.values.map(\.due).min()
            #expect(due.map { $0 >= bench.agent.nextDue ?? .max } ?? true)
        }
        bench.advance(seconds: 20)
        #expect(bench.agent.resolutions.isEmpty)
        #expect(bench.agent.failures.isEmpty)
        #expect(bench.agent.questions.count == 0 && bench.agent.failureEnds.count == 0)
        #expect(bench.agent.heldBytes == 0)
        #expect(bench.agent.nextDue == nil)
    }

    /// A host that asks over and over is answered each time; the others hear of it once a second.
    @Test func aHostsQuestionGoesOnOnceASecond() {
        var bench = AgentBench(Site.routed.changed { $0.vsiInterfaces[0].localProxyARP = true })
        func ask(_ host: TestSite.Host, _ number: Int, _ port: String) -> (Int, Int) {
            let frame = ARPFrame.request(
                source: host.mac, senderIP: host.address,
                targetIP: IPv4Address(bits: 0x0A00_0A00 + UInt32(number)))
            bench.agent.proxyARP(
                frame, vsi: bench.vsi("v10"), place: bench.port(port), now: bench.now)
            let orders = bench.agent.takeOrders()
            let floods = orders.count { if case .flood = $0 { true } else { false } }
            return (orders.count - floods, floods)
        }
        var passedOn = 0
        for _ in 0..<300 {
            let (answers, floods) = ask(Site.h1, 200, "a1")
            #expect(answers == 1)
            passedOn += floods
            bench.advance(milliseconds: 10)
        }
        #expect(passedOn == 3)
        // Another target, another host: questions of their own.
        #expect(ask(Site.h1, 201, "a1") == (1, 1))
        #expect(ask(Site.h2, 201, "a2") == (1, 1))
        #expect(ask(Site.h2, 201, "a2") == (1, 0))
        bench.advance(seconds: 2)
        #expect(bench.agent.passedOn.count == 0)
    }

    @Test func remembersOnlySoManyQuestions() {
        var limiter = QuestionLimiter()
        var admitted = 0
        for number in 0..<UInt64(QuestionLimiter.maximumQuestions + 10) {
            let question = QuestionLimiter.Question(
                target: number, sender: .any, place: .port(0))
            if limiter.admits(question, for: 1000, now: number / 100) { admitted += 1 }
        }
        #expect(admitted == QuestionLimiter.maximumQuestions + 10)
        #expect(limiter.count == QuestionLimiter.maximumQuestions)
        limiter.forget(now: 5000)
        #expect(limiter.count == 0)
    }

    @Test func askersAreForgottenThreeSecondsAfterTheyLastAsked() {
        var bench = AgentBench(Site.routed.changed { $0.vsiInterfaces[0].localProxyARP = true })
        func ask(_ number: Int) {
            let asker = Site.r1
            let frame = ARPFrame.request(
                source: asker.mac, senderIP: asker.address,
                targetIP: IPv4Address(bits: 0x0A00_0A00 + UInt32(number)))
            bench.agent.proxyARP(
                frame, vsi: bench.vsi("v10"), place: bench.peer(Site.p1), now: bench.now)
        }
        for number in 2...90 { ask(number) }
        for _ in 0..<8 {
            bench.advance(seconds: 1)
            ask(50)
        }
        #expect(bench.agent.pending.count == 1)
        #expect(bench.agent.pendingEnds.count == 1)
        bench.advance(seconds: 3)
        #expect(bench.agent.pending.isEmpty && bench.agent.pendingEnds.count == 0)
    }
}
