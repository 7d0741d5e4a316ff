internal import Control
internal import Dataplane
internal import Memory

/// The counters of all workers as operators see them: sums, less what they were at the last clear
/// or when an index got its present owner.
struct Accounts {
    private let links: [WorkerLink]
    private let agent: Counters
    private var baseline: [Int: UInt64] = [:]
    private var agentBaseline = Agent.Events()

    init(links: [WorkerLink], agent: Counters) {
        self.links = links
        self.agent = agent
    }

    /// The sum of a word over all workers since the last clear.
    func value(_ index: Int) -> UInt64 { sum(index) &- (baseline[index] ?? 0) }

    private func sum(_ index: Int) -> UInt64 {
        links.reduce(agent.page.read(index)) { $0 &+ $1.counters.page.read(index) }
    }

    /// Begins to count a word from zero.
    mutating func reset(_ index: Int) { baseline[index] = sum(index) }

    mutating func resetPort(_ port: Int) {
        for field in CounterLayout.PortField.allCases {
            reset(CounterLayout.index(port: port, field))
        }
    }

    mutating func resetPeer(_ peer: Int) {
        for field in CounterLayout.PeerField.allCases {
            reset(CounterLayout.index(peer: peer, field))
        }
    }

    mutating func resetVSI(_ vsi: Int) {
        for field in CounterLayout.VSIField.allCases {
            reset(CounterLayout.index(vsi: vsi, field))
        }
    }

    /// The indexes of what is counted one by one.
    struct Owners {
        var ports: Set<Int> = []
        var peers: Set<Int> = []
        var vsis: Set<Int> = []
        /// Hit counters of policy routes.
        var policies: Set<Int> = []

        func subtracting(_ other: Owners) -> Owners {
            Owners(
                ports: ports.subtracting(other.ports), peers: peers.subtracting(other.peers),
                vsis: vsis.subtracting(other.vsis), policies: policies.subtracting(other.policies))
        }
    }

    /// What has just got its index begins at zero.
    mutating func reset(_ owners: Owners) {
        for port in owners.ports { resetPort(port) }
        for peer in owners.peers { resetPeer(peer) }
        for vsi in owners.vsis { resetVSI(vsi) }
        for policy in owners.policies { reset(CounterLayout.index(policy: policy)) }
    }

    /// Begins to count everything from zero, but for packets that are under way: those that wait
    /// are held still, and all of them count as received after the clear, where their ends will be
    /// counted.
    mutating func resetAll(_ owners: Owners, events: Agent.Events) {
        for stage in Stage.allCases {
            for field in CounterLayout.StageField.allCases {
                reset(CounterLayout.index(stage, field))
            }
        }
        for reason in DropReason.allCases { reset(CounterLayout.index(reason)) }
        for total in [CounterLayout.Total.transmitted, .consumed, .replicated, .originated] {
            reset(CounterLayout.index(total))
        }
        baseline[CounterLayout.index(.received)] = finished
        for event in CounterLayout.Event.allCases { reset(CounterLayout.index(event)) }
        reset(owners)
        agentBaseline = events
    }

    /// Packets received that had come to their end when the totals were reset.
    private var finished: UInt64 {
        let ends =
            DropReason.allCases.map { CounterLayout.index($0) }
            + [CounterLayout.index(.transmitted), CounterLayout.index(.consumed)]
        let ended = ends.reduce(0) { $0 &+ (baseline[$1] ?? 0) }
        return ended &- (baseline[CounterLayout.index(.replicated)] ?? 0)
    }

    // MARK: Reports

    func report(_ events: Agent.Events) -> CountersReport {
        var report = counters { value($0) }
        report.events["fdb_limit"] = events.fdbLimit &- agentBaseline.fdbLimit
        report.events["fdb_moves"] = events.fdbMoves &- agentBaseline.fdbMoves
        report.events["fdb_frozen"] = events.fdbFrozen &- agentBaseline.fdbFrozen
        report.events["arp_moves"] = events.arpMoves &- agentBaseline.arpMoves
        report.events["arp_frozen"] = events.arpFrozen &- agentBaseline.arpFrozen
        report.events["icmp_rate_limited", default: 0] &+=
            events.icmpRateLimited &- agentBaseline.icmpRateLimited
        report.events["arp_limit"] = events.arpLimit &- agentBaseline.arpLimit
        report.events["arp_refused"] = events.arpRefused &- agentBaseline.arpRefused
        return report
    }

    /// The counters of one worker since the start.
    func report(worker link: WorkerLink) -> CountersReport {
        counters { link.counters.page.read($0) }
    }

    private func counters(_ value: (Int) -> UInt64) -> CountersReport {
        var dropsOf = [UInt64](repeating: 0, count: Stage.allCases.count)
        var totals = TotalsReport()
        for reason in DropReason.allCases {
            let drops = value(CounterLayout.index(reason))
            dropsOf[reason.stage.rawValue] += drops
            totals.dropped += drops
        }
        totals.received = value(CounterLayout.index(.received))
        totals.transmitted = value(CounterLayout.index(.transmitted))
        totals.replicated = value(CounterLayout.index(.replicated))
        totals.consumed = value(CounterLayout.index(.consumed))
        let held = value(CounterLayout.index(.held))
        let released = value(CounterLayout.index(.released))
        // A worker counts what it gives away before the agent or another worker counts its end.
        totals.held = held > released ? held - released : 0
        let stages = Stage.allCases.map { stage in
            StageReport(
                stage: stage.name, packets: value(CounterLayout.index(stage, .packets)),
                bytes: value(CounterLayout.index(stage, .bytes)), drops: dropsOf[stage.rawValue],
                vectors: value(CounterLayout.index(stage, .vectors)),
                clocks: value(CounterLayout.index(stage, .clocks)))
        }
        var events: [String: UInt64] = [:]
        for event in CounterLayout.Event.allCases {
            events[event.name] = value(CounterLayout.index(event))
        }
        return CountersReport(stages: stages, totals: totals, events: events)
    }
}

extension Accounts.Owners {
    /// Everything that has an index at present.
    init(of agent: Agent) {
        ports = Set(agent.portNames.values)
        peers = Set(agent.peerIndexes.values)
        vsis = Set(agent.vsiNames.values)
        policies = Set(agent.policyNames.values)
    }
}
