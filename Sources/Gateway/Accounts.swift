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

    /// Begins to count everything from zero.
    mutating func resetAll(ports: [Int], peers: [Int], vsis: [Int], events: Agent.Events) {
        for stage in Stage.allCases {
            for field in CounterLayout.StageField.allCases {
                reset(CounterLayout.index(stage, field))
            }
        }
        for reason in DropReason.allCases { reset(CounterLayout.index(reason)) }
        for total in CounterLayout.Total.allCases { reset(CounterLayout.index(total)) }
        for event in CounterLayout.Event.allCases { reset(CounterLayout.index(event)) }
        for port in ports { resetPort(port) }
        for peer in peers { resetPeer(peer) }
        for vsi in vsis { resetVSI(vsi) }
        agentBaseline = events
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
