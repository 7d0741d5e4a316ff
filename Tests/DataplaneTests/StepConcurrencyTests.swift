import Control
import Dataplane
import Memory
import Tables
import TestKit
import Testing
import Wire

/// Workers' stages on threads of their own while the agent learns, ages, forgets and takes new
/// configurations on another. Meant for the thread sanitizer as much as for its expectations.
@Suite struct StepConcurrencyTests {
    @Test func workersNeverSeeHalfAChange() {
        var random = SeededRandom.forTest("StepConcurrency")
        var site = RandomSite(using: &random)
        // One with something to do.
        while site.configuration.accessPorts.count < 4
            || site.configuration.vsis.allSatisfy({ $0.vni == nil })
        {
            site = RandomSite(using: &random)
        }
        let side = AgentSide(site, seed: random.next())
        let workers = (0..<2).map { number in
            StepWorker(
                number: number, snapshot: side.agent.snapshot, site: site, seed: random.next())
        }
        let ends = (0..<2).map { _ in SPSCRing(capacity: 1, filler: false) }
        defer { for end in ends { end.deallocate() } }
        Threads.run(
            workers.map { worker in
                { @Sendable in
                    worker.run(turns: 1500)
                    _ = ends[worker.number].push(true)
                }
            } + [
                { @Sendable in
                    while ends.contains(where: \.isEmpty) { side.turn(workers) }
                }
            ])
        for worker in workers {
            #expect(worker.faults == 0)
            #expect(worker.outputs > 1000)
            #expect(worker.isBalanced)
            worker.close()
        }
        #expect(side.turns > 10)
    }
}

/// The agent and what happens to it. Belongs to one thread at a time.
private final class AgentSide: @unchecked Sendable {
    let agent: Agent
    private let site: RandomSite
    private var random: SeededRandom
    private var now = TestGateway.start
    private(set) var turns = 0

    init(_ site: RandomSite, seed: UInt64) {
        self.site = site
        random = SeededRandom(seed: seed)
        agent = Agent(
            configuration: site.configuration,
            environment: TestGateway.environment(of: site.configuration), workers: 2, now: now)
    }

    func turn(_ workers: [StepWorker]) {
        turns += 1
        now += 50_000_000
        for worker in workers { take(worker) }
        agent.tick(now: now)
        switch random.int(in: 0...9) {
        case 0: _ = try? agent.clearFDB(Selection(), includingStatic: false)
        case 1: _ = try? agent.clearARP(Selection())
        case 2...3:
            var configuration = site.configuration
            configuration.staticFDB = []
            configuration.accessPorts.removeAll { _ in random.int(in: 0...3) == 0 }
            for index in configuration.accessPorts.indices where random.bool() {
                configuration.accessPorts[index].vsi =
                    configuration.vsis.randomElement(using: &random)!.name
            }
            agent.apply(
                configuration, TestGateway.environment(of: configuration), now: now)
        case 4: flood()
        default: Threads.pause()
        }
    }

    private func take(_ worker: StepWorker) {
        for _ in 0..<1000 {
            guard let event = worker.workerToAgent.pop() else { return }
            let mac = MACAddress(bits: event.mac)
            let address = IPv4Address(bits: event.address)
            switch event.kind {
            case .macSeen:
                agent.macSeen(
                    mac, vsi: Int(event.vsi), place: event.place, address: address, now: now)
            case .addressSeen, .addressAnnounced:
                agent.addressSeen(
                    address, mac: mac, vsi: Int(event.vsi), place: event.place,
                    isAnnouncement: event.kind == .addressAnnounced, now: now)
            case .pathTooLong: break
            }
        }
    }

    /// Enough addresses to make the table grow while workers read it.
    private func flood() {
        guard let port = agent.portNames.values.min(), let vsi = agent.vsiNames.values.min() else {
            return
        }
        for number in 0..<2000 {
            agent.macSeen(
                MACAddress(bits: 0x0600_0000_0000 + UInt64(turns * 2000 + number)), vsi: vsi,
                place: .port(port), address: .any, now: now)
        }
    }
}

/// One worker's turns over random packets. Belongs to its thread until it has run.
private final class StepWorker: @unchecked Sendable {
    let number: Int
    let workerToAgent = SPSCRing<PuntEvent>(capacity: 1024, filler: .filler)
    private let frames = FrameRing<PuntHeader>(capacity: 1 << 16)
    private(set) var faults = 0
    private(set) var outputs = 0
    private var consumed = 0
    private var received = 0
    private let snapshot: Snapshot
    private var random: SeededRandom
    private var traffic: RandomTraffic
    private let devices: [String]
    private let region = PageRegion(byteCount: CounterLayout.count * 8)
    private var pipeline: Pipeline

    init(number: Int, snapshot: Snapshot, site: RandomSite, seed: UInt64) {
        self.number = number
        self.snapshot = snapshot
        random = SeededRandom(seed: seed)
        traffic = RandomTraffic(site)
        devices = Array(Set(site.configuration.accessPorts.map(\.device))).sorted()
        let tables = unsafe snapshot.observe(number)!.assumingMemoryBound(to: TableSet.self)
        pipeline = unsafe Pipeline(
            batch: PacketBatch(), counters: Counters(region: region),
            punts: PuntPort(events: workerToAgent, frames: frames),
            policers: Column(count: 64, repeating: 0),
            tables: TableView(tables))
        snapshot.rest(number)
    }

    func close() {
        pipeline.batch.deallocate()
        pipeline.policers.deallocate()
        pipeline.punts.deallocate()
        workerToAgent.deallocate()
        frames.deallocate()
    }

    var isBalanced: Bool {
        let tally = Tally(pipeline.counters)
        return received + tally.replicated == outputs + consumed + tally.dropped + tally.held
    }

    func run(turns: Int) {
        for turn in 0..<turns {
            let tables = unsafe snapshot.observe(number)!.assumingMemoryBound(to: TableSet.self)
            pipeline.tables = unsafe TableView(tables)
            pipeline.batch.now.value = TestGateway.start + UInt64(turn) * 1_000_000
            pipeline.batch.coarseTime.value = Agent.ticks(pipeline.batch.now.value)
            let arena = FrameArena()
            for _ in 0..<random.int(in: 1...16) { append(traffic.next(&random), arena) }
            pipeline.process()
            var cursor = ReplicateStage.Cursor()
            var isComplete = false
            while !isComplete {
                isComplete = pipeline.makeOutputs(&cursor)
                check()
            }
            for lane in 0..<pipeline.batch.laneCount.value
            where pipeline.batch.verdict[lane] == .consumed { consumed += 1 }
            pipeline.batch.removeAll()
            if turn % 7 == 0 {
                snapshot.rest(number)
                Threads.pause()
            }
        }
        snapshot.rest(number)
    }

    private func append(_ arrival: Arrival, _ arena: FrameArena) {
        var device = PacketBatch.underlay
        var source: UInt32 = 0
        var tag: UInt32 = 0
        switch arrival.ingress {
        case .device(let name, let beside):
            device = UInt16(devices.firstIndex(of: name)!)
            tag = beside
        case .underlay(let address, _): source = address.bits
        }
        let isAppended = pipeline.batch.append(
            arena.frame(arrival.bytes), slot: 0, device: device,
            segmentation: .none, vlan: tag, outerSource: source, outerTOS: 0)
        received += isAppended ? 1 : 0
    }

    /// What leaves belongs to the VSI it leaves for, by the tables of this very turn.
    private func check() {
        let batch = pipeline.batch
        let tables = pipeline.tables
        for output in 0..<batch.outputCount.value {
            let lane = Int(batch.outputLane[output])
            let place = batch.outputDestination[output]
            let vsi = batch.vsi[lane]
            if place.isPort {
                if tables.ports[place.index].vsi != vsi { faults += 1 }
            } else if !tables.vsis[Int(vsi)].has(.hasVNI) {
                faults += 1
            }
        }
        outputs += batch.outputCount.value
    }
}
