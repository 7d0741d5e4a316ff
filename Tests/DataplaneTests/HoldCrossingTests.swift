import Control
import Dataplane
import Memory
import Tables
import TestKit
import Testing
import Wire

/// A worker's stages and the agent, one step of either at a time in random order: what has waited
/// for its next hop is overtaken by nothing, and nothing is lost or stays.
@Suite struct HoldCrossingTests {
    @Test(arguments: 0..<24)
    func `Nothing overtakes, gets lost or stays`(round: UInt64) {
        var random = SeededRandom(seed: 0x0D0E + round)
        let crossing = Crossing(frameBytes: round % 3 == 0 ? 4096 : 1 << 20)
        for _ in 0..<3000 { crossing.step(&random) }
        crossing.settle()
        #expect(crossing.overtaken == 0)
        #expect(crossing.parked > 0, "the round has tried something")
        crossing.check()
    }

    /// Entries that vanish under way, agents that stand still: the order may go then, packets not.
    @Test(arguments: 0..<12)
    func `Nothing gets lost or stays when entries are taken away`(round: UInt64) {
        var random = SeededRandom(seed: 0xC1EA + round)
        let crossing = Crossing(frameBytes: round % 3 == 0 ? 4096 : 1 << 20)
        for _ in 0..<3000 {
            crossing.step(&random)
            if random.int(in: 0...99) == 0 { crossing.clear() }
            if random.int(in: 0...299) == 0 { crossing.stall() }
        }
        crossing.settle()
        crossing.check()
    }

    /// The planted fault: without the order kept, the same steps do overtake.
    @Test func `The steps find packets that are overtaken`() {
        var overtaken = 0
        for round in 0..<4 {
            var random = SeededRandom(seed: 0x0D0E + UInt64(round))
            let crossing = Crossing(frameBytes: 1 << 20, keepsOrder: false)
            for _ in 0..<3000 { crossing.step(&random) }
            crossing.settle()
            overtaken += crossing.overtaken
        }
        #expect(overtaken > 0)
    }
}

/// The two sides, each of which may be anywhere in its turn.
private final class Crossing {
    private let configuration: Configuration
    private let agent: Agent
    private let counters: Counters
    private let region = PageRegion(byteCount: CounterLayout.count * 8)
    private let events = SPSCRing<PuntEvent>(capacity: 1024, filler: .filler)
    private let toAgent: FrameRing<PuntHeader>
    private let toWorker: FrameRing<OrderHeader>
    private let progress = AgentProgress()
    private let holdOrder: HoldOrder
    private var pipeline: Pipeline
    private var arena = FrameArena()
    private var now = TestGateway.start

    private var steps = 0
    private var turns: UInt64 = 0
    private var isInTurn = false
    private var numbers: [UInt32: UInt16] = [:]
    private var newest: [UInt32: UInt16] = [:]
    private var seen: Set<UInt64> = []
    private var accepted = 0
    private var sent = 0
    private var lostResumes = 0
    private(set) var overtaken = 0
    private(set) var parked = 0

    /// - Parameter frameBytes: of each ring of frames.
    init(frameBytes: Int, keepsOrder: Bool = true) {
        var configuration = TestSite.routed
        configuration.limits.unresolvedQueue = 64
        configuration.limits.arpPuntPerSecond = 1_000_000
        self.configuration = configuration
        agent = Agent(
            configuration: configuration,
            environment: TestGateway.environment(of: configuration), workers: 1, now: now)
        counters = Counters(region: region)
        toAgent = FrameRing(capacity: frameBytes)
        toWorker = FrameRing(capacity: frameBytes)
        holdOrder = HoldOrder(orders: toWorker, progress: progress)
        let tables = unsafe agent.snapshot.observe(0)!.assumingMemoryBound(to: TableSet.self)
        pipeline = unsafe Pipeline(
            batch: PacketBatch(), counters: counters,
            punts: PuntPort(
                events: events, frames: toAgent, holdOrder: keepsOrder ? holdOrder : nil),
            policers: Column(count: Pipeline.policerCount, repeating: 0),
            tables: TableView(tables))
        agent.snapshot.rest(0)
    }

    deinit {
        pipeline.batch.deallocate()
        pipeline.punts.deallocate()
        pipeline.policers.deallocate()
        holdOrder.deallocate()
        progress.deallocate()
        events.deallocate()
        toAgent.deallocate()
        toWorker.deallocate()
    }

    func step(_ random: inout SeededRandom) {
        // All of them together are shorter than the worker's patience.
        now += UInt64(random.int(in: 1_000...20_000))
        steps += 1
        switch random.int(in: 0...9) {
        case 0...3: receive(random.int(in: 1...6), &random)
        case 4: answer(address(&random))
        case 5: takeOrders(random.int(in: 1...8))
        case 6: takeParked(random.int(in: 1...8))
        default: agentStep(&random)
        }
    }

    /// As long as there is something to do.
    func settle() {
        for host in 0..<Self.hosts { answer(Self.firstHost + UInt32(host)) }
        for _ in 0..<200 {
            now += 10_000
            if !isInTurn { begin() }
            while takeOne() {}
            end()
            while !toWorker.isEmpty { takeOrders(64) }
            takeParked(64)
        }
    }

    func check() {
        let dropped = Int(agent.events.heldOverflow + agent.events.heldFailed) + lostResumes
        let tally = Tally(counters)
        let full = Int(tally.drops[.nhUnresolvedQueueFull] ?? 0)
        #expect(!holdOrder.hasParked)
        #expect(sent + dropped + full == accepted)
        #expect(seen.count == sent, "none comes twice")
    }

    func clear() { _ = try? agent.clearARP(Selection()) }

    func stall() { now += 150_000_000 }

    // MARK: The worker

    private static let firstHost: UInt32 = 0x0A00_1410
    private static let hosts = 60

    /// One of a few, and of others later, so that there are always some that nobody knows yet.
    private func address(_ random: inout SeededRandom) -> UInt32 {
        Self.firstHost + UInt32((steps / 60 + random.int(in: 0...3)) % Self.hosts)
    }

    private func host(_ address: UInt32) -> TestSite.Host {
        TestSite.Host(
            mac: MACAddress(bits: 0x02CC_0000_0000 + UInt64(address)),
            address: IPv4Address(bits: address))
    }

    private func receive(_ count: Int, _ random: inout SeededRandom) {
        let frames = (0..<count).map { _ in
            let address = address(&random)
            numbers[address, default: 0] += 1
            return TestSite.udp(
                from: TestSite.h1, to: host(address), destinationMAC: TestSite.gatewayMAC,
                sourcePort: numbers[address]!)
        }
        accepted += count
        take(frames, "a1")
    }

    /// The host at an address speaks.
    private func answer(_ address: UInt32) {
        let host = host(address)
        take(
            [
                TestSite.arp(
                    2, host.mac, host.address, TestSite.gatewayMAC, TestSite.gateway20,
                    to: TestSite.gatewayMAC)
            ], "a3")
    }

    private func take(_ frames: [[UInt8]], _ device: String) {
        begin(worker: ())
        for frame in frames {
            let index = agent.devices.first { $0.key.device == device }!.value
            _ = pipeline.batch.append(
                arena.frame(frame), slot: 0, device: UInt16(index), segmentation: .none)
        }
        pipeline.process()
        finish()
    }

    private func begin(worker: Void) {
        arena = FrameArena()
        let tables = unsafe agent.snapshot.observe(0)!.assumingMemoryBound(to: TableSet.self)
        pipeline.tables = unsafe TableView(tables)
        pipeline.batch.now.value = now
        pipeline.batch.coarseTime.value = Agent.ticks(now)
    }

    private func finish() {
        let batch = pipeline.batch
        var cursor = ReplicateStage.Cursor()
        var isComplete = false
        while !isComplete {
            isComplete = pipeline.makeOutputs(&cursor)
            for output in 0..<batch.outputCount.value {
                note(batch.frame(Int(batch.outputLane[output])))
            }
        }
        batch.removeAll()
        agent.snapshot.rest(0)
    }

    /// A frame that leaves.
    private func note(_ frame: FrameView) {
        guard frame.count > 36, frame.loadUInt16(at: 12) == 0x0800,
            frame.bytes(at: 23, 1) == [17]
        else { return }
        let address = frame.loadUInt32(at: 30)
        let number = frame.loadUInt16(at: 34)
        sent += 1
        seen.insert(UInt64(address) << 16 | UInt64(number))
        if number < newest[address, default: 0] { overtaken += 1 }
        newest[address] = max(number, newest[address, default: 0])
    }

    private func takeOrders(_ count: Int) {
        guard !toWorker.isEmpty else { return }
        begin(worker: ())
        for _ in 0..<count {
            guard let order = unsafe toWorker.next() else { break }
            unsafe append(order.header, order.bytes, order.count)
            toWorker.advance()
        }
        pipeline.processOrders()
        finish()
    }

    private func takeParked(_ count: Int) {
        guard holdOrder.hasParked else { return }
        parked += 1
        begin(worker: ())
        while toWorker.isEmpty, pipeline.batch.laneCount.value < count,
            let packet = unsafe holdOrder.next(now: now)
        {
            unsafe append(packet.header, packet.bytes, packet.count)
            holdOrder.advance()
        }
        pipeline.processOrders()
        finish()
    }

    private func append(_ header: OrderHeader, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let batch = pipeline.batch
        let lane = batch.laneCount.value
        let frame = unsafe arena.frame(Array(UnsafeBufferPointer(start: bytes, count: count)))
        _ = batch.append(frame, slot: 0, device: PacketBatch.underlay, segmentation: .none)
        batch.vsi[lane] = header.vsi
        batch.etherType[lane] = 0x0800
        batch.destinationMAC[lane] = frame.loadMACAddress(at: 0).bits
        batch.sourceMAC[lane] = frame.loadMACAddress(at: 6).bits
        batch.ingress[lane] = header.destination
        batch.route(lane)
    }

    // MARK: The agent

    /// A part of its turn: to begin, to take one thing, to send one order, to end.
    private func agentStep(_ random: inout SeededRandom) {
        guard isInTurn else { return begin() }
        for _ in 0..<random.int(in: 1...12) {
            guard takeOne() else { return end() }
        }
        if random.int(in: 0...4) == 0 { end() }
    }

    private func begin() {
        turns += 1
        progress.begin(turns)
        isInTurn = true
    }

    private func takeOne() -> Bool {
        if let event = events.pop() {
            agent.addressSeen(
                IPv4Address(bits: event.address), mac: MACAddress(bits: event.mac),
                vsi: Int(event.vsi), place: event.place,
                isAnnouncement: event.kind == .addressAnnounced, now: now)
            return true
        }
        guard let record = unsafe toAgent.next() else { return false }
        let header = unsafe record.header
        let bytes = unsafe Array(UnsafeBufferPointer(start: record.bytes, count: record.count))
        toAgent.advance()
        guard header.kind == .hold else { return true }
        agent.hold(
            HeldPacket(
                bytes: bytes, token: [], vsi: Int(header.vsi), place: header.place, worker: 0),
            interface: Int(header.interface), nextHop: IPv4Address(bits: header.nextHop), now: now)
        return true
    }

    private func end() {
        agent.tick(now: now)
        for order in agent.takeOrders() {
            guard case .resume(let packet) = order else { continue }
            let header = OrderHeader(
                kind: .resume, vsi: UInt16(packet.vsi), destination: packet.place)
            let isSent = unsafe packet.bytes.withUnsafeBufferPointer {
                unsafe toWorker.push(header, $0.baseAddress!, count: $0.count)
            }
            if !isSent { lostResumes += 1 }
        }
        progress.end(turns, takenBytes: toAgent.takenBytes)
        isInTurn = false
    }
}
