import Control
import Dataplane
import TestKit
import Testing
import Wire

/// Random gateways under random packets, time and changes: what must hold whatever comes.
@Suite struct WholeStepTests {
    /// 10 gateways with 2,000 packets each.
    @Test func invariantsHoldWhateverComes() {
        var random = SeededRandom.forTest("WholeStep")
        for _ in 0..<10 {
            let faults = StepRun(seed: random.next()).run(packets: 2000)
            #expect(faults.prefix(5).isEmpty)
        }
    }

    @Test func theSameSeedGivesTheSameOutputs() {
        var random = SeededRandom.forTest("WholeStep twice")
        for _ in 0..<3 {
            let seed = random.next()
            let first = StepRun(seed: seed)
            let second = StepRun(seed: seed)
            _ = first.run(packets: 600)
            _ = second.run(packets: 600)
            #expect(first.digest == second.digest)
            let other = StepRun(seed: seed &+ 1)
            _ = other.run(packets: 600)
            #expect(first.digest != other.digest)
        }
    }
}

/// One random gateway and its life.
final class StepRun {
    private var random: SeededRandom
    private let site: RandomSite
    private var traffic: RandomTraffic
    private let gateway: TestGateway
    private var reference: StepReference
    private var faults: [String] = []
    /// Of everything that left, in order.
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        site = RandomSite(using: &random)
        traffic = RandomTraffic(site)
        gateway = TestGateway(site.configuration)
        reference = StepReference(configuration: site.configuration)
    }

    /// Says what went wrong, with the seed.
    func run(packets: Int) -> [String] {
        var left = packets
        while left > 0 {
            let count = min(left, random.int(in: 1...64))
            let arrivals = (0..<count).map { _ in traffic.next(&random) }
            check(arrivals, gateway.receive(arrivals))
            left -= count
            change()
        }
        let bugs = Tally(gateway.counters).drops[.internalUnknownVerdict] ?? 0
        if bugs > 0 { fault("\(bugs) lanes without a fate") }
        return faults
    }

    private func fault(_ text: String) { faults.append("seed \(random.seed): \(text)") }

    // MARK: Changes

    private func change() {
        gateway.advance(milliseconds: random.int(in: 0...3) * 250)
        switch random.int(in: 0...29) {
        case 0: _ = try? gateway.agent.clearFDB(Selection(), includingStatic: false)
        case 1: _ = try? gateway.agent.clearARP(Selection())
        case 2: flap()
        case 3: gateway.apply(varied())
        default: break
        }
        checkLimits()
    }

    /// Some device goes down or all come up.
    private func flap() {
        var environment = gateway.agent.environment
        let all = gateway.agent.configuration.accessPorts.map(DeviceKey.init)
        environment.devicesUp = Set(all.filter { _ in random.int(in: 0...4) > 0 })
        gateway.agent.update(environment, now: gateway.now)
    }

    /// The site's configuration with some ports and peers away and others in another VSI.
    private func varied() -> Configuration {
        var configuration = site.configuration
        configuration.accessPorts.removeAll { _ in random.int(in: 0...4) == 0 }
        for index in configuration.accessPorts.indices where random.int(in: 0...4) == 0 {
            configuration.accessPorts[index].vsi =
                configuration.vsis.randomElement(using: &random)!.name
        }
        configuration.staticFDB = []
        for index in configuration.vsis.indices {
            configuration.vsis[index].innerVLAN =
                Configuration.InnerVLAN.allCases.randomElement(using: &random)!
            // At a lower limit what is there may stay, so limits do not change.
        }
        reference = StepReference(configuration: configuration)
        return configuration
    }

    private func checkLimits() {
        guard let rows = try? gateway.agent.fdbReport(Selection(), now: gateway.now) else {
            return fault("the FDB cannot be shown")
        }
        for vsi in gateway.agent.configuration.vsis where vsi.macLimit > 0 {
            let count = rows.count { $0.vsi == vsi.name && $0.kind == .dynamic }
            if count > vsi.macLimit { fault("\(vsi.name) has learnt \(count)") }
        }
        for row in rows where row.kind == .dynamic {
            if row.mac == RandomSite.gatewayMAC.description,
                gateway.agent.configuration.vsiInterfaces.contains(where: { $0.vsi == row.vsi })
            {
                fault("the gateway's own MAC was learnt in \(row.vsi)")
            }
        }
    }

    // MARK: Packets

    private func check(_ arrivals: [Arrival], _ turn: Turn) {
        if !turn.isBalanced { fault("out of balance: \(turn.tally), \(turn.outputs.count) out") }
        var seen: Set<String> = []
        for output in turn.outputs {
            add(output)
            let arrival = arrivals[output.arrival]
            if !seen.insert("\(output.arrival) \(output.place)").inserted {
                fault("two copies of \(arrival) to \(output.place)")
            }
            guard let origin = reference.origin(of: arrival) else {
                fault("\(arrival) belongs to no VSI and left for \(output.place)")
                continue
            }
            if let text = fault(origin, output) { fault("\(text): \(arrival) gave \(output)") }
        }
    }

    private func fault(_ origin: StepReference.Origin, _ output: Output) -> String? {
        guard let vsi = reference.vsi(of: output) else { return "it left for no VSI" }
        if case .peer = output.place, output.frame.count + 36 > 1500 { return "it is too long" }
        // The gateway routes what is for its own MAC, from anywhere to anywhere in the VRF.
        if reference.mayRoute(origin, to: vsi) { return nil }
        if vsi.name != origin.vsi.name { return "it crossed into \(vsi.name)" }
        if origin.isARP, StepReference.Origin.mac(output.frame, 0) == origin.source,
            output.place == origin.place || origin.place == nil
        {
            return nil
        }
        if output.place == origin.place { return "it went back" }
        if case .peer = output.place, origin.place == nil { return "it went into a tunnel again" }
        if case .peer = output.place, case .peer = origin.place {
            return "it went into a tunnel again"
        }
        let end = min(8, origin.frame.count - 14)
        if !origin.isARP, output.bytes.suffix(end) != origin.frame.suffix(end) {
            return "its end changed"
        }
        return nil
    }

    private func add(_ output: Output) {
        var bytes = Array("\(output.place)".utf8) + output.bytes
        if let outer = output.outer {
            bytes += [
                UInt8(truncatingIfNeeded: outer.sourcePort), outer.typeOfService,
                outer.timeToLive, outer.doNotFragment ? 1 : 0,
            ]
        }
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
