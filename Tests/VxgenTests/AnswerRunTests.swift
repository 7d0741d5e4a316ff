import Dispatch
import Foundation
import Generator
import Glibc
import Synchronization
import Testing
import Wire

/// Emulated hosts at work: over wires inside this process, and before the kernel of a namespace.
@Suite(.serialized) struct AnswerRunTests {
    /// Hosts that run beside a test until it is done with them.
    private final class Background: Sendable {
        private let shouldStop = Atomic<Bool>(false)
        private let finished = DispatchGroup()
        private let result = Mutex<AnswerTotals?>(nil)

        init(_ plan: AnswerPlan) {
            finished.enter()
            DispatchQueue(label: "hosts").async { [self] in
                let totals = try? AnswerRun(plan).execute(
                    isInterrupted: { [self] in shouldStop.load(ordering: .relaxed) },
                    live: { _ in })
                result.withLock { $0 = totals }
                finished.leave()
            }
        }

        func stop() throws -> AnswerTotals {
            shouldStop.store(true, ordering: .relaxed)
            finished.wait()
            return try #require(result.withLock { $0 })
        }
    }

    /// Every one of 20,000 hosts is asked, and answers with its own MAC address.
    @Test func manyHostsAnswer() throws {
        let (near, far) = try MemoryWire.pair(4 << 20)
        defer { for end in [near, far] { close(end) } }
        let space = AnswerTests.hosts
        let hosts = Background(AnswerPlan(ports: [.wire(far)], hosts: space))
        var answers: Set<UInt64> = []
        var buffer = [UInt8](repeating: 0, count: 2000)
        func drain() {
            while true {
                let count = unsafe recv(near, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                var frame = Array(buffer[10..<count])
                FrameTests.view(&frame) { frame in
                    let arp = ARPPacket(frame: frame, at: 14)
                    guard arp.operation == ARPPacket.reply,
                        let host = space.host(with: arp.senderIP),
                        arp.senderMAC == space.mac(of: host)
                    else { return }
                    answers.insert(arp.senderMAC.bits)
                }
            }
        }
        for number in 0..<20_000 {
            let frame =
                [UInt8](repeating: 0, count: 10)
                + AnswerTests.request(for: "\(space.address(of: number))")
            for _ in 0..<10_000 {
                if unsafe send(near, frame, frame.count, 0) == frame.count { break }
                drain()
                usleep(50)
            }
            if number % 64 == 0 { drain() }
        }
        for _ in 0..<200 where answers.count < 20_000 {
            drain()
            usleep(10_000)
        }
        let totals = try hosts.stop()
        #expect(answers.count == 20_000)
        #expect(totals.received == 20_000 && totals.arpReplies == 20_000)
        #expect(totals.sent == 20_000 && totals.ignored == 0 && totals.refused == 0)
    }

    /// Announcements at their rate, each host once; then moves, from the port moved to.
    @Test func hostsAnnounceThemselvesAndMove() throws {
        let (near, far) = try MemoryWire.pair(4 << 20)
        let (other, beyond) = try MemoryWire.pair(4 << 20)
        defer { for end in [near, far, other, beyond] { close(end) } }
        let sinks = [FrameSink(near), FrameSink(other)]
        var plan = AnswerPlan(
            ports: [.wire(far), .wire(beyond)],
            hosts: HostSpace(
                IPv4Prefix("10.1.0.0/16")!, firstMAC: MACAddress(bits: 0x0256_5900_0001),
                limit: 1000)!)
        plan.announceRate = 5000
        plan.moveRate = 200
        plan.duration = 1_200_000_000
        let totals = try AnswerRun(plan).execute(isInterrupted: { false }, live: { _ in })
        let frames = sinks.map { $0.stop() }
        #expect(totals.announced == 1000 + totals.moved)
        #expect(totals.moved >= 150 && totals.moved <= 205)
        #expect(frames[0].count + frames[1].count == Int(totals.announced))
        // The first thousand are dealt out evenly, and the last word about a host is its port.
        var ports: [UInt64: [Int]] = [:]
        let all = frames.enumerated().flatMap { port, frames in
            frames.map { (port: port, frame: $0.frame, time: $0.time) }
        }
        for item in all.sorted(by: { $0.time < $1.time }) {
            var bytes = item.frame
            FrameTests.view(&bytes) { frame in
                ports[EthernetHeader(frame: frame, at: 0).source.bits, default: []].append(
                    item.port)
            }
        }
        #expect(ports.count == 1000)
        for (mac, path) in ports {
            #expect(path[0] == Int((mac - 0x0256_5900_0001) % 2))
            #expect(zip(path, path.dropFirst()).allSatisfy { $0 != $1 }, "a move leads elsewhere")
        }
        #expect(ports.values.reduce(0) { $0 + $1.count - 1 } == Int(totals.moved))
    }

    /// A queue that is full for a while keeps nobody from being announced.
    @Test func announcementsThatAreRefusedAreMadeAgain() throws {
        let wire = try MemoryWire(.slow(2000), bufferBytes: 1)
        let sink = FrameSink(wire.output)
        var plan = AnswerPlan(ports: [.wire(wire.input)], hosts: try space(500))
        plan.announceRate = 1e6
        plan.duration = 2_000_000_000
        let totals = try AnswerRun(plan).execute(isInterrupted: { false }, live: { _ in })
        _ = wire.stop()
        let heard = Set(sink.stop().map { Array($0.frame[6..<12]) })
        #expect(heard.count == 500 && totals.announced == 500)
        #expect(totals.sent == 500 && totals.refused > 0)
    }

    /// There and back again: a run whose frames are reflected loses none, over two delays.
    @Test func bothWaysAreMeasured() throws {
        let (near, far) = try MemoryWire.pair(4 << 20)
        defer { for end in [near, far] { close(end) } }
        var space = FlowSpace(
            source: IPv4Prefix("10.9.0.0/24")!, destination: IPv4Prefix("10.1.0.0/16")!, seed: 2)
        space.destinationMACs = MACRange(first: AnswerTests.hosts.firstMAC, count: 65534)
        var answer = AnswerPlan(ports: [.wire(far)], hosts: AnswerTests.hosts)
        answer.reflects = true
        let hosts = Background(answer)
        var stream = StreamPlan(sizes: FrameSizes("64,512")!, space: space)
        stream.flows = 100
        var plan = RunPlan(
            output: .wire(near), streams: [stream], rate: .packetsPerSecond(5000),
            limit: .count(5000))
        plan.input = .wire(near)
        plan.isRoundTrip = true
        let totals = try GeneratorRun(plan).execute(isInterrupted: { false }, live: { _ in })
        let answered = try hosts.stop()
        #expect(totals.received.packets == 5000 && totals.lost == 0 && totals.corrupted == 0)
        #expect(totals.isRoundTrip && totals.latency != nil)
        #expect(RunReport(totals).json.contains(#""latency_kind":"round_trip""#))
        #expect(answered.reflected == 5000 && answered.sent == 5000)
    }

    private func space(_ limit: Int) throws -> HostSpace {
        try #require(
            HostSpace(
                IPv4Prefix("10.66.0.0/16")!, firstMAC: MACAddress(bits: 0x0256_5900_0001),
                limit: limit))
    }

    /// The kernel of another namespace asks and pings.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func theKernelFindsThem() throws {
        let lab = try Lab()
        try Lab.require("ip -n \(lab.left) address add 10.66.255.1/16 dev a0")
        let port = RunPlan.Port(device: "b0", namespace: lab.right)
        let hosts = Background(AnswerPlan(ports: [.device(port)], hosts: try space(60_000)))
        for address in ["10.66.0.1", "10.66.17.200", "10.66.234.96"] {
            try Lab.require("ip netns exec \(lab.left) ping -c 2 -i 0.2 -W 2 \(address)")
        }
        #expect(!Lab.run("ip netns exec \(lab.left) ping -c 1 -W 1 10.66.250.1"), "nobody's")
        let totals = try hosts.stop()
        #expect(totals.arpReplies >= 3 && totals.echoReplies == 6)
    }

    /// The kernel takes tags out of frames and hands them over beside; the answer has them again.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func taggedFramesComeBackTagged() throws {
        let lab = try Lab()
        let port = RunPlan.Port(device: "b0", namespace: lab.right)
        var answer = AnswerPlan(ports: [.device(port)], hosts: try space(250))
        answer.reflects = true
        let hosts = Background(answer)
        var stream = StreamPlan.standard(size: "68,400", flows: 20)
        stream.space.destination = IPv4Prefix("10.66.0.0/25")!
        stream.space.destinationMACs = MACRange(
            first: MACAddress(bits: 0x0256_5900_0001), count: 250)
        stream.space.vlans = 9...12
        let own = RunPlan.Port(device: "a0", namespace: lab.left)
        var plan = RunPlan(
            output: .device(own), streams: [stream], rate: .packetsPerSecond(2000),
            limit: .count(2000))
        plan.input = .device(own)
        let totals = try GeneratorRun(plan).execute(isInterrupted: { false }, live: { _ in })
        let answered = try hosts.stop()
        #expect(answered.reflected == 2000)
        #expect(totals.received.packets == 2000 && totals.received.bytes == totals.sent.bytes)
        #expect(totals.isRoundTrip && totals.corrupted == 0)
    }

    @Test(.enabled(if: Lab.isPermitted, Lab.cause)) func aTapHasHostsToo() throws {
        let lab = try Lab()
        let program = try GeneratorProgram(
            [
                "answer", "--tap", "t0", "--netns", lab.left, "--hosts", "10.66.0.0/24", "--json",
                "--announce", "1kpps",
            ], interruptAfter: 1.5)
        #expect(program.status == 0, "\(program.errors)")
        let last = try #require(program.output.last)
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(report["hosts"] as? Int == 254 && report["announced"] as? Int == 254)
        #expect(report["sent"] as? Int == 254 && report["live"] == nil)
    }

    @Test(arguments: [
        "answer --device a", "answer --hosts 10.0.0.0/24", "answer --device a --hosts 10.0.0.0/7",
        "answer --device a --hosts 10.0.0.0/24 --count 255", "answer --device a --hosts x",
        "answer --device a --hosts 10.0.0.0/24 --move 5pps",
        "answer --device a --hosts 10.0.0.0/24 --announce max",
        "answer --device a --hosts 10.0.0.0/24 --first-mac 01:00:00:00:00:00",
    ])
    func wrongUsageIsOneLineAndStatusTwo(line: String) throws {
        let program = try GeneratorProgram(line.split(separator: " ").map { String($0) })
        #expect(program.status == 2 && program.output.isEmpty && program.errors.count == 1)
        #expect(program.errors.first?.hasSuffix("see vxgen answer --help") == true)
    }
}
