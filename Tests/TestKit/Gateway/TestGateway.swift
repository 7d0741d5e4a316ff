public import Control
public import Dataplane
internal import Memory
internal import Tables
internal import Wire

/// A whole gateway without a kernel: agent, tables and one worker's stages, driven frame by frame.
///
/// What a worker does around the stages is done here in the plainest way: lanes in, outputs written
/// as they leave, reports of the stages handed to the agent. Time stands still unless `advance`
/// moves it.
public final class TestGateway {
    public let agent: Agent
    public let counters: Counters
    /// Nanoseconds. Begins late enough that no age underflows.
    public private(set) var now: UInt64
    /// Hands what the stages report to the agent after each turn, as a fast agent would.
    public var agentFollows = true

    private let region: PageRegion
    private var accountedHeld: UInt64 = 0
    private var accountedFailed: UInt64 = 0
    private var accountedLimited: UInt64 = 0
    private var pipeline: Pipeline
    private let events: SPSCRing<PuntEvent>
    /// What came back for pings of the gateway's own, or may have.
    public private(set) var echoAnswers: [[UInt8]] = []
    private let frames: FrameRing<PuntHeader>
    private var arena = FrameArena()

    public static let start: UInt64 = 1_000_000_000_000

    /// - Parameters:
    ///   - environment: nil is the VTEP of the configuration, 1500 bytes and every link up.
    ///   - reportCapacity: room for reports to the agent, a power of two.
    public init(
        _ configuration: Configuration, environment: Environment? = nil,
        now: UInt64 = TestGateway.start, reportCapacity: Int = 4096
    ) {
        self.now = now
        agent = Agent(
            configuration: configuration,
            environment: environment ?? Self.environment(of: configuration), workers: 1, now: now)
        region = PageRegion(byteCount: CounterLayout.count * 8)
        counters = Counters(region: region)
        // The agent has published a set in its initializer.
        let tables = unsafe agent.snapshot.observe(0)!.assumingMemoryBound(to: TableSet.self)
        events = SPSCRing(capacity: reportCapacity, filler: .filler)
        frames = FrameRing(capacity: 1 << 20)
        pipeline = unsafe Pipeline(
            batch: PacketBatch(), counters: counters,
            punts: PuntPort(events: events, frames: frames),
            policers: Column(count: Pipeline.policerCount, repeating: 0),
            tables: TableView(tables))
        agent.icmpPolicer = Policer(words: pipeline.policers, index: Pipeline.icmpPolicer)
        agent.snapshot.rest(0)
    }

    deinit {
        pipeline.batch.deallocate()
        pipeline.punts.deallocate()
        events.deallocate()
        frames.deallocate()
        pipeline.policers.deallocate()
    }

    /// The VTEP of the configuration on an Ethernet underlay, 16 source ports, every link up.
    public static func environment(of configuration: Configuration) -> Environment {
        var address = IPv4Address(bits: 0xC633_6401)
        if case .address(let given) = configuration.vtep.address { address = given }
        return Environment(
            vtepAddress: address, underlayMTU: 1500, sourcePortCount: 16,
            devicesUp: Set(configuration.accessPorts.map(DeviceKey.init)))
    }

    // MARK: Packets

    /// Takes packets in, as many turns as they need, and gives what became of them.
    @discardableResult
    public func receive(_ arrivals: [Arrival]) -> Turn {
        let before = Tally(counters)
        var turn = Turn()
        var rest = arrivals[...]
        while !rest.isEmpty {
            runTurn(rest.prefix(PacketBatch.laneCapacity), &turn)
            rest = rest.dropFirst(PacketBatch.laneCapacity)
        }
        turn.tally = Tally(counters).since(before)
        if agentFollows { deliverReports() }
        return turn
    }

    @discardableResult
    public func receive(_ arrival: Arrival) -> Turn { receive([arrival]) }

    private func runTurn(_ arrivals: ArraySlice<Arrival>, _ turn: inout Turn) {
        let batch = pipeline.batch
        // Frames live until the outputs are written; a new arena frees those of the last turn.
        arena = FrameArena()
        let tables = unsafe agent.snapshot.observe(0)!.assumingMemoryBound(to: TableSet.self)
        pipeline.tables = unsafe TableView(tables)
        batch.now.value = now
        batch.coarseTime.value = Agent.ticks(now)
        for arrival in arrivals { append(arrival) }
        counters.add(UInt64(arrivals.count), .received)
        pipeline.process()
        finishTurn(&turn)
    }

    private func finishTurn(_ turn: inout Turn) {
        let batch = pipeline.batch
        var cursor = ReplicateStage.Cursor()
        var isComplete = false
        while !isComplete {
            isComplete = pipeline.makeOutputs(&cursor)
            turn.outputRounds += 1
            collect(&turn)
        }
        for lane in 0..<batch.laneCount.value {
            let verdict = batch.verdict[lane]
            if verdict == .consumed { counters.add(1, .consumed) }
            turn.verdicts.append(verdict)
        }
        turn.lanesBefore += batch.laneCount.value
        batch.removeAll()
        agent.snapshot.rest(0)
    }

    private func append(_ arrival: Arrival) {
        var device = PacketBatch.underlay
        var tag: UInt32 = 0
        var source: UInt32 = 0
        var tos: UInt8 = 0
        switch arrival.ingress {
        case .device(let name, let beside):
            device = deviceIndex(name)
            tag = beside
        case .underlay(let address, let typeOfService):
            source = address.bits
            tos = typeOfService
        }
        let isAppended = pipeline.batch.append(
            arena.frame(arrival.bytes), slot: 0, device: device,
            segmentation: arrival.segmentation, vlan: tag, outerSource: source, outerTOS: tos)
        precondition(isAppended, "a turn holds what it was given")
    }

    private func deviceIndex(_ name: String) -> UInt16 {
        // A device that no port has is one that left since the frame was received.
        for (key, index) in agent.devices where key.device == name { return UInt16(index) }
        return PacketBatch.underlay - 1
    }

    private func collect(_ turn: inout Turn) {
        let batch = pipeline.batch
        guard batch.outputCount.value > 0 else { return }
        let writer = OutputWriter(pipeline: pipeline, agent: agent, arena: arena)
        for output in 0..<batch.outputCount.value {
            turn.outputs.append(writer.write(output, lanesBefore: turn.lanesBefore))
        }
        counters.add(UInt64(batch.outputCount.value), .transmitted)
    }

    // MARK: The agent

    /// Hands over what the stages have reported, as the agent's thread does.
    public func deliverReports() {
        defer { deliverFrames() }
        while let event = events.pop() {
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

    private func deliverFrames() {
        while let record = unsafe frames.next() {
            let header = unsafe record.header
            let bytes = unsafe Array(UnsafeBufferPointer(start: record.bytes, count: record.count))
            frames.advance()
            let vsi = Int(header.vsi)
            let place = agent.place(
                header.place, source: IPv4Address(bits: header.outerSource), vsi: vsi, now: now)
            switch header.kind {
            case .arp:
                agent.proxyARP(bytes, vsi: vsi, place: place, now: now)
            case .answer:
                agent.send(bytes, vsi: vsi, place: place)
            case .hold:
                let packet = HeldPacket(
                    bytes: bytes, token: [], vsi: vsi, place: place, worker: 0)
                agent.hold(
                    packet, interface: Int(header.interface),
                    nextHop: IPv4Address(bits: header.nextHop), now: now)
            case .icmpError:
                agent.icmpError(
                    type: header.icmpType, code: header.icmpCode, mtu: Int(header.mtu),
                    about: bytes, vsi: vsi, place: place)
            case .echoAnswer: echoAnswers.append(bytes)
            }
        }
    }

    /// Sends what the agent wants sent: its own frames, and packets that have waited.
    public func serveOrders() -> Turn {
        let before = Tally(counters)
        var turn = Turn()
        account()
        var orders = agent.takeOrders()[...]
        while !orders.isEmpty {
            runOrders(orders.prefix(PacketBatch.laneCapacity), &turn)
            orders = orders.dropFirst(PacketBatch.laneCapacity)
        }
        turn.tally = Tally(counters).since(before)
        if agentFollows { deliverReports() }
        return turn
    }

    /// Packets that ended with the agent.
    private func account() {
        counters.count(.icmpRateLimited, agent.events.icmpRateLimited - accountedLimited)
        accountedLimited = agent.events.icmpRateLimited
        let ended = agent.events.heldOverflow + agent.events.heldFailed - accountedHeld
        guard ended > 0 else { return }
        accountedHeld += ended
        let failed = agent.events.heldFailed - accountedFailed
        accountedFailed += failed
        counters.count(.nhFailed, failed)
        counters.count(.nhUnresolvedQueueFull, ended - failed)
        counters.add(ended, .released)
    }

    private func runOrders(_ orders: ArraySlice<AgentOrder>, _ turn: inout Turn) {
        let batch = pipeline.batch
        arena = FrameArena()
        let tables = unsafe agent.snapshot.observe(0)!.assumingMemoryBound(to: TableSet.self)
        pipeline.tables = unsafe TableView(tables)
        batch.now.value = now
        batch.coarseTime.value = Agent.ticks(now)
        for order in orders { append(order) }
        pipeline.processOrders()
        finishTurn(&turn)
    }

    private func append(_ order: AgentOrder) {
        let batch = pipeline.batch
        let lane = batch.laneCount.value
        let (bytes, vsi) = order.content
        let view = arena.frame(bytes)
        _ = batch.append(view, slot: 0, device: PacketBatch.underlay, segmentation: .none)
        batch.vsi[lane] = UInt16(vsi)
        batch.etherType[lane] = view.loadUInt16(at: 12)
        batch.destinationMAC[lane] = view.loadMACAddress(at: 0).bits
        batch.sourceMAC[lane] = view.loadMACAddress(at: 6).bits
        batch.ingress[lane] = .own(0)
        if case .resume = order {
            counters.add(1, .released)
        } else {
            counters.add(1, .received)
        }
        switch order {
        case .resume(let packet):
            batch.ingress[lane] = packet.place
            batch.route(lane)
        case .route: batch.route(lane)
        case .send(_, _, let place):
            batch.egress[lane] = place
            batch.verdict[lane] = .forward
        case .flood(_, _, let local, let remote, let origin):
            batch.ingress[lane] = origin
            batch.floodScope[lane] = local && remote ? .all : local ? .local : .remote
            batch.verdict[lane] = .replicate
        }
    }

    /// Takes what the stages have reported instead of the agent.
    public func takeReports() -> [PuntEvent] {
        var reports: [PuntEvent] = []
        while let event = events.pop() { reports.append(event) }
        return reports
    }

    /// Lets time pass without the agent, as between two packets.
    public func wait(nanoseconds: UInt64) { now += nanoseconds }

    /// Moves time forward in the agent's steps of a quarter of a second.
    public func advance(milliseconds: Int) {
        var left = milliseconds
        while left > 0 {
            let step = min(left, 250)
            now += UInt64(step) * 1_000_000
            agent.tick(now: now)
            left -= step
        }
    }

    public func advance(seconds: Int) { advance(milliseconds: seconds * 1000) }

    public func apply(_ configuration: Configuration, environment: Environment? = nil) {
        agent.apply(
            configuration, environment ?? Self.environment(of: configuration), now: now)
    }
}

extension AgentOrder {
    /// The frame, and the VSI it begins in.
    fileprivate var content: ([UInt8], Int) {
        switch self {
        case .send(let bytes, let vsi, _): (bytes, vsi)
        case .flood(let bytes, let vsi, _, _, _): (bytes, vsi)
        case .route(let bytes, let vsi): (bytes, vsi)
        case .resume(let packet): (packet.bytes, packet.vsi)
        }
    }
}
