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

    private func pair() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    /// Every one of 20,000 hosts is asked, and answers with its own MAC address.
    @Test func manyHostsAnswer() throws {
        let (near, far) = try pair()
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
        let (near, far) = try pair()
        let (other, beyond) = try pair()
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

    /// There and back again: a run whose frames are reflected loses none, over two delays.
    @Test func bothWaysAreMeasured() throws {
        let (near, far) = try pair()
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

    /// The kernel of another namespace asks and pings, with and without a VLAN.
    @Test(.enabled(if: Lab.isPermitted, Lab.cause), arguments: [false, true])
    func theKernelFindsThem(isTagged: Bool) throws {
        let lab = try Lab()
        let prefix = "10.66.0.0/16"
        var device = "a0"
        if isTagged {
            try Lab.require("ip -n \(lab.left) link add link a0 name a0.9 type vlan id 9")
            try Lab.require("ip -n \(lab.left) link set a0.9 up")
            device = "a0.9"
        }
        try Lab.require("ip -n \(lab.left) address add 10.66.255.1/16 dev \(device)")
        let port = RunPlan.Port(device: "b0", namespace: lab.right)
        let space = try #require(
            HostSpace(
                IPv4Prefix(prefix)!, firstMAC: MACAddress(bits: 0x0256_5900_0001), limit: 60_000))
        var plan = AnswerPlan(ports: [.device(port)], hosts: space)
        plan.reflects = true
        let hosts = Background(plan)
        for address in ["10.66.0.1", "10.66.17.200", "10.66.234.96"] {
            try Lab.require("ip netns exec \(lab.left) ping -c 2 -i 0.2 -W 2 \(address)")
        }
        #expect(!Lab.run("ip netns exec \(lab.left) ping -c 1 -W 1 10.66.250.1"), "nobody's")
        let totals = try hosts.stop()
        #expect(totals.arpReplies >= 3 && totals.echoReplies == 6)
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
