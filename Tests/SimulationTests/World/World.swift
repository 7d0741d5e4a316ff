internal import TestKit

/// A network in which everything is simulated but the gateways: hosts, wires, time and misfortune,
/// all of it from one seed.
///
/// First everything goes wrong that the plan allows, and at every step it is checked that no frame
/// is where it must not be. Then the faults stop, and after a while every pair that may talk must.
public final class World {
    public let plan: Plan
    /// What was found, at most `findingLimit` lines.
    public private(set) var findings: [String] = []
    /// Which checks found something.
    public private(set) var violated: Set<Check> = []
    /// Of everything that crossed a wire, in order.
    public private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    public internal(set) var figures = Figures()
    /// Tells of every frame, for reading what led to a finding.
    public var trace: ((String) -> Void)?

    let site: Site
    let plant: Plant?
    var random: SeededRandom
    var queue = EventQueue()
    var now = TestGateway.start
    /// Ten times what the busiest plan needs; a loop would never end.
    public var frameLimit = 300_000
    var gateways: [TestGateway] = []
    var hosts: [SimulatedHost] = []
    var isFaulty = true
    /// Pairs of gateways with a cut wire, one way.
    var cuts: Set<Int> = []
    var agentIsDue: [Bool]
    var probes: [Probe] = []
    var ledger = Ledger()
    /// What a reload has made of each gateway.
    var variants: [Site.Variant]
    var samples: [[Sample]]
    /// The gateway by which packets from one host to another leave, by both.
    var flows: [Int: Flow] = [:]
    /// When each gateway last had a packet while it did not know one of several ways out.
    var lastUnknownWay: [Int: UInt64] = [:]
    /// Outputs a plant has spoilt.
    var spoiltCount = 0
    private var pingCount: UInt32 = 0
    private var isOver = false

    /// What a run was made of.
    public struct Figures: Sendable {
        public var gatewayFrames = 0
        public var hostFrames = 0
        public var underlayFrames = 0
        public var answeredPings = 0
        public var pings = 0
        public var checkedPairs = 0
        public var mostHops = 0
        public var faults = 0

        public init() {}

        public mutating func add(_ other: Figures) {
            gatewayFrames += other.gatewayFrames
            hostFrames += other.hostFrames
            underlayFrames += other.underlayFrames
            answeredPings += other.answeredPings
            pings += other.pings
            checkedPairs += other.checkedPairs
            mostHops = max(mostHops, other.mostHops)
            faults += other.faults
        }
    }

    struct Probe {
        var from: Int
        var to: Int
        var numbers: [UInt32] = []
        /// The one question after everybody had been answered.
        var last: UInt32?
    }

    private static let findingLimit = 20
    static let tickNanoseconds: UInt64 = 250_000_000
    static let second: UInt64 = 1_000_000_000

    /// - Parameter plant: a fault that a check must find; nil for the gateway as it is.
    public init(_ plan: Plan, plant: Plant? = nil) {
        self.plan = plan
        self.plant = plant
        site = Site(plan: plan)
        random = SeededRandom(seed: plan.seed &* 2 &+ 2)
        agentIsDue = Array(repeating: false, count: plan.gatewayCount)
        variants = Array(repeating: Site.Variant(), count: plan.gatewayCount)
        samples = Array(repeating: [], count: plan.gatewayCount)
        hosts = plan.homes.enumerated().map {
            SimulatedHost(index: $0.offset, home: $0.element, site: site)
        }
        gateways = (0..<plan.gatewayCount).map { makeGateway($0) }
        schedule()
    }

    func makeGateway(_ index: Int) -> TestGateway {
        let gateway = TestGateway(configuration(of: index), now: now)
        gateway.agentFollows = false
        return gateway
    }

    /// Runs to the end, or until the check of the plant has found it, and gives what was found.
    @discardableResult
    public func run() -> [String] {
        while !isOver, let (time, event) = queue.next() {
            now = time
            handle(event)
            if let plant, violated.contains(plant.check) { return findings }
            guard figures.gatewayFrames < frameLimit else {
                find(.storm, "\(figures.gatewayFrames) frames")
                break
            }
        }
        finish()
        return findings
    }

    func find(_ check: Check, _ text: String) {
        violated.insert(check)
        let seconds = Double(now - TestGateway.start) / 1e9
        guard findings.count < Self.findingLimit else { return }
        findings.append("seed \(plan.seed) at \(seconds) s: \(check): \(text)")
        if let trace { trace("FINDING \(check): \(text)") }
    }

    // MARK: Events

    private func handle(_ event: EventQueue.Event) {
        switch event {
        case .gateway(let gateway, let arrival): deliver(arrival, toGateway: gateway)
        case .host(let host, let epoch, let bytes): deliver(bytes, toHost: host, epoch: epoch)
        case .agent(let gateway): runAgent(gateway)
        case .tick(let gateway): tick(gateway)
        case .hostTimers:
            for host in hosts {
                host.timers(now: now)
                flush(host)
            }
            queue.add(.hostTimers, at: now + 500_000_000)
        case .traffic: traffic()
        case .attack: attack()
        case .fault(let fault): carryOut(fault)
        case .heal: heal()
        case .check:
            for gateway in gateways.indices {
                spoilTables(gateway)
                checkTables(gateway)
            }
            queue.add(.check, at: now + 2 * Self.second)
        case .probe: probeAll()
        case .again(let probe):
            probes[probe].last = ping(hosts[probes[probe].from], hosts[probes[probe].to])
        case .end: isOver = true
        }
    }

    private func traffic() {
        ping(hosts.randomElement(using: &random)!, hosts.randomElement(using: &random)!)
        let mean = isFaulty ? 80 : 400
        queue.add(.traffic, at: now + UInt64(random.int(in: 1...2 * mean)) * 1_000_000)
    }

    /// Gives the number of the question, nil when it may not be asked.
    @discardableResult
    func ping(_ from: SimulatedHost, _ to: SimulatedHost) -> UInt32? {
        guard from !== to, plan.mayTalk(from.home.vsi, to.home.vsi) else { return nil }
        pingCount += 1
        figures.pings += 1
        from.ping(to, number: pingCount, now: now)
        flush(from)
        return pingCount
    }

    /// Sends what a host has to send.
    func flush(_ host: SimulatedHost) {
        guard !host.outbox.isEmpty else { return }
        let frames = host.outbox
        host.outbox = []
        for bytes in frames {
            guard host.home.vsi >= 0 else {
                sendOutside(bytes, from: nil, sender: host)
                continue
            }
            queue.add(
                .gateway(host.gateway, .device(host.port, bytes)), at: now + 50_000)
        }
    }

    func record(_ place: UInt64, _ bytes: [UInt8]) {
        digest = (digest ^ place) &* 0x100_0000_01B3
        digest = (digest ^ now) &* 0x100_0000_01B3
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    func count(_ change: (inout Figures) -> Void) { change(&figures) }
}
