import Generator
import Glibc
import Testing
import Uring
import Wire

/// Whole runs over veth pairs between network namespaces. Totals are exact whatever else the
/// machine does; rates are judged over seconds.
@Suite(.serialized, .enabled(if: Lab.isPermitted, Lab.cause)) struct RunTests {
    private func plan(
        _ lab: Lab, size: String = "64", rate: Rate, count: UInt64? = nil, seconds: Int = 1
    ) -> RunPlan {
        var plan = RunPlan(
            output: .device(RunPlan.Port(device: "a0", namespace: lab.left)),
            streams: [.standard(size: size, flows: 32)], rate: rate,
            limit: count.map { .count($0) } ?? .duration(RunDuration("\(seconds)s")!))
        plan.input = .device(RunPlan.Port(device: "b0", namespace: lab.right))
        return plan
    }

    private func tunnel(_ lab: Lab, ports: Int) -> TunnelPlan {
        var tunnel = TunnelPlan(address: IPv4Address("10.77.0.2")!)
        tunnel.sourcePorts = ports
        tunnel.namespace = lab.left
        return tunnel
    }

    private func run(_ plan: RunPlan) throws -> RunTotals {
        let totals = try GeneratorRun(plan).execute(isInterrupted: { false }, live: { _ in })
        print(RunReport(totals).json)
        return totals
    }

    private func expectNoFaults(
        _ totals: RunTotals, location: SourceLocation = #_sourceLocation
    ) {
        #expect(totals.received.packets == totals.sent.packets, sourceLocation: location)
        #expect(totals.received.bytes == totals.sent.bytes, sourceLocation: location)
        #expect(totals.lost == 0 && totals.reordered == 0, sourceLocation: location)
        #expect(totals.duplicated == 0 && totals.corrupted == 0, sourceLocation: location)
    }

    @Test(arguments: ["64", "imix", "64,512,1518", "9216"])
    func aWireLosesNothing(size: String) throws {
        let lab = try Lab()
        let totals = try run(plan(lab, size: size, rate: .packetsPerSecond(5000), count: 5000))
        expectNoFaults(totals)
        #expect(totals.sent.packets == 5000)
        let sizes = try #require(FrameSizes(size))
        let bytes = (0..<5000).reduce(0) { $0 + sizes.pattern[$1 % sizes.pattern.count] }
        #expect(totals.sent.bytes == UInt64(bytes))
        let latency = try #require(totals.latency)
        #expect(latency.p50 > 0 && latency.p50 <= latency.p99 && latency.p99 <= latency.max)
    }

    @Test func theRateIsKeptWithinOnePercent() throws {
        let lab = try Lab()
        var best = RunTotals()
        // A machine that is busy with something else gets a second and a third chance.
        for _ in 0..<3 where best.shortfallPercent != nil || best.sent.packets == 0 {
            best = try run(plan(lab, rate: .packetsPerSecond(10_000), seconds: 3))
        }
        expectNoFaults(best)
        #expect(abs(best.achievedPacketsPerSecond - 10_000) <= 100)
        #expect(best.seconds >= 2.99 && best.seconds < 3.1)
    }

    @Test func severalWorkersShareCountAndRate() throws {
        let lab = try Lab()
        var plan = plan(lab, rate: .packetsPerSecond(20_000), count: 10_001)
        plan.workers = 3
        plan.streams[0].flows = 100
        let totals = try run(plan)
        expectNoFaults(totals)
        #expect(totals.sent.packets == 10_001)
    }

    @Test func asFastAsPossibleHasNoRateToMiss() throws {
        let lab = try Lab()
        let totals = try run(plan(lab, rate: .unlimited))
        #expect(totals.sent.packets > 10_000)
        #expect(totals.askedPacketsPerSecond == nil && totals.shortfallPercent == nil)
        // A wire of this machine can be outrun; what it lost is then exactly what is missing.
        #expect(totals.lost == totals.sent.packets - totals.received.packets)
        #expect(totals.duplicated == 0 && totals.corrupted == 0)
    }

    /// The kernel's own VXLAN device takes the frames out of the tunnel.
    @Test(arguments: [("64", 1), ("imix", 16), ("1518", 7), ("64,65", 64)])
    func framesCrossATunnel(size: String, ports: Int) throws {
        let lab = try Lab()
        try lab.addTunnel(vni: 77)
        var plan = plan(lab, size: size, rate: .packetsPerSecond(20_000), count: 20_000)
        plan.streams[0].flows = 50
        plan.burst = 8
        plan.output = .tunnel(tunnel(lab, ports: ports))
        plan.streams[0].space.vnis = 77...77
        plan.input = .device(RunPlan.Port(device: "vx0", namespace: lab.right))
        let totals = try run(plan)
        expectNoFaults(totals)
        #expect(totals.sent.packets == 20_000)
    }

    /// Tunnels of several networks end at a socket of the generator, which takes the frames out.
    @Test(arguments: [1, 2]) func framesCrossATunnelToASocket(receivers: Int) throws {
        let lab = try Lab()
        var plan = plan(lab, size: "imix", rate: .packetsPerSecond(20_000), count: 20_000)
        plan.burst = 8
        plan.output = .tunnel(tunnel(lab, ports: 8))
        plan.streams[0].space.vnis = 100...109
        plan.receiveWorkers = receivers
        plan.input = .tunnel(
            TunnelEnd(address: IPv4Address("10.77.0.2")!, namespace: lab.right))
        plan.learns = true
        expectNoFaults(try run(plan))
    }

    /// Tags cross as the device's own or beside the frame; both count.
    @Test func taggedStreamsOfManyHostsAreWhole() throws {
        let lab = try Lab()
        var plan = plan(lab, size: "68,1522", rate: .packetsPerSecond(5000), count: 2000)
        plan.streams[0].space.vlans = 10...19
        plan.streams[0].space.sourceMACs.count = 50
        plan.streams[0].typeOfService = 46 << 2
        expectNoFaults(try run(plan))
    }

    /// A frame written into a tap arrives at its device, and one that leaves there is read.
    @Test(arguments: [true, false]) func tapsAreWrittenAndRead(isOutput: Bool) throws {
        let lab = try Lab()
        var plan = plan(lab, size: "imix", rate: .packetsPerSecond(2000), count: 1000)
        let port = RunPlan.Port(device: "t0", namespace: lab.left)
        plan.output = isOutput ? .tap(port) : .device(port)
        plan.input = isOutput ? .device(port) : .tap(port)
        expectNoFaults(try run(plan))
    }

    /// What the wire did is what the report says, frame by frame.
    @Test(arguments: FaultyWire.Fault.allCases)
    func faultsOfAWireAreReported(fault: FaultyWire.Fault) throws {
        let lab = try Lab()
        try lab.connect("c0", lab.right, "d0", lab.left)
        let wire = try FaultyWire("b0", "c0", in: lab.right, fault, period: 100)
        defer { wire.stop() }
        var plan = plan(lab, rate: .packetsPerSecond(4000), count: 8000)
        plan.input = .device(RunPlan.Port(device: "d0", namespace: lab.left))
        plan.streams[0].flows = 1
        let totals = try run(plan)
        let (passed, faults) = wire.counts
        #expect(passed == 8000 && faults == (fault == .none ? 0 : 80))
        let hit = UInt64(faults)
        // The very last frame is the eightieth to be held back: nothing follows that frees it.
        #expect(totals.lost == (fault == .drop ? 80 : fault == .delay ? 1 : 0))
        #expect(totals.duplicated == (fault == .duplicate ? hit : 0))
        #expect(totals.reordered == (fault == .delay ? hit - 1 : 0))
        #expect(totals.corrupted == (fault == .damage ? hit : 0))
    }

    @Test func aRunThatIsInterruptedHasTotals() throws {
        let lab = try Lab()
        var asked = 0
        let run = try GeneratorRun(plan(lab, rate: .packetsPerSecond(1000), seconds: 60))
        let totals = try run.execute(
            isInterrupted: {
                asked += 1
                return asked > 100
            }, live: { _ in })
        #expect(totals.seconds < 30 && totals.sent.packets > 0)
        #expect(totals.received.packets == totals.sent.packets)
        #expect(totals.shortfallPercent ?? 0 < 50, "the time it ran is the time that counts")
    }

    @Test func whatIsMissingIsSaidBeforeTheFirstFrame() throws {
        let lab = try Lab()
        var wrong = plan(lab, rate: .unlimited)
        wrong.output = .device(RunPlan.Port(device: "nodev", namespace: lab.left))
        expectRefusal(wrong, "device nodev: network device nodev does not exist")
        wrong = plan(lab, rate: .unlimited)
        wrong.input = .device(RunPlan.Port(device: "b0", namespace: "vxg-none"))
        expectRefusal(wrong, "receive b0: network namespace vxg-none does not exist")
        Lab.run("ip -n \(lab.left) link set a0 mtu 1400")
        expectRefusal(
            plan(lab, size: "64,1518", rate: .unlimited),
            "device a0: frames of 1518 bytes need an MTU of 1500, it has 1400")
        wrong.input = nil
        wrong.streams[0].sizes = FrameSizes("1368")!
        wrong.output = .tunnel(tunnel(lab, ports: 2))
        wrong.streams[0].sizes = FrameSizes("1369")!
        expectRefusal(
            wrong, "vxlan 10.77.0.2: frames of 1369 bytes need an underlay MTU of 1401")
        Lab.run("ip -n \(lab.left) link set a0 down")
        expectRefusal(plan(lab, rate: .unlimited), "device a0: it is down")
    }

    private func expectRefusal(
        _ plan: RunPlan, _ text: String, location: SourceLocation = #_sourceLocation
    ) {
        do {
            _ = try GeneratorRun(plan)
            Issue.record("nothing was refused", sourceLocation: location)
        } catch {
            #expect("\(error)".hasPrefix(text), "\(error)", sourceLocation: location)
        }
    }

    /// A tap that nobody reads is full after its queue's length.
    @Test func aFullQueueIsWaitedForAndSaid() throws {
        let lab = try Lab()
        let tap = try TapDevice(name: "t0", namespace: lab.left)
        try Lab.require("ip -n \(lab.left) link set t0 txqueuelen 200 up")
        var plan = plan(lab, rate: .packetsPerSecond(1000), seconds: 1)
        plan.output = .device(RunPlan.Port(device: "t0", namespace: lab.left))
        plan.input = nil
        let totals = try run(plan)
        withExtendedLifetime(tap) {}
        #expect(totals.sent.packets >= 150 && totals.sent.packets <= 300)
        #expect(totals.stalledSeconds > 0.5 && totals.stalledSeconds < 1.2)
        #expect(totals.shortfallPercent ?? 0 > 50)
    }

    /// Who reads the other end of the wire sees the learning frames before all others.
    @Test func learningFramesComeFromTheReceivingSide() throws {
        let lab = try Lab()
        let socket = try NetworkNamespace.run(in: lab.left) { () throws(UringError) in
            try PacketSocket.open(device: "a0", count: 1, receiveBufferBytes: 1 << 20)[0]
        }
        var plan = plan(lab, rate: .packetsPerSecond(1000), count: 10)
        plan.learns = true
        plan.streams[0].space.destinationMACs = MACRange(
            first: MACAddress(bits: 0x0200_0000_0A0B))
        expectNoFaults(try run(plan))
        var frames: [[UInt8]] = []
        while let frame = receive(socket) { frames.append(frame) }
        #expect(frames.count == 3)
        for frame in frames {
            #expect(frame.count == 60)
            #expect(
                Array(frame.prefix(14)) == [
                    255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 10, 11, 0x80, 0x35,
                ])
            #expect(Array(frame[14..<22]) == [0, 1, 8, 0, 6, 4, 0, 3])
        }
    }

    /// A frame that waits, without its offload header.
    private func receive(_ socket: PacketSocket) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 2000)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(socket.descriptor, $0.baseAddress, $0.count, 0)
        }
        return count > 10 ? Array(bytes[10..<count]) : nil
    }

    /// A device that goes down on the way.
    @Test func aDeviceThatGoesDownEndsTheRun() throws {
        let lab = try Lab()
        let run = try GeneratorRun(plan(lab, rate: .packetsPerSecond(1000), seconds: 60))
        var asked = 0
        #expect(throws: GeneratorError.self) {
            _ = try run.execute(
                isInterrupted: {
                    asked += 1
                    if asked == 50 { Lab.run("ip -n \(lab.left) link set a0 down") }
                    return asked > 5000
                }, live: { _ in })
        }
        #expect(asked <= 5000)
    }
}
