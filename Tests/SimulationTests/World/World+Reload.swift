internal import Control
internal import TestKit
internal import Wire

/// A new configuration in the middle of the traffic. What it does not touch must not notice: the
/// same packet leaves the same way before and after, and what was learnt stays.
extension World {
    /// A packet that a gateway has just forwarded.
    struct Sample {
        var arrival: Arrival
        var sender: Int
        var epoch: Int
        var target: Int
    }

    private static let sampleLimit = 6

    /// Remembers packets of hosts that leave for one place.
    func sample(_ arrival: Arrival, _ outputs: [Output], at index: Int) {
        guard plan.reloadCount > 0, outputs.count == 1 else { return }
        let frame = arrival.frame
        guard TaggedFrame.isICMP(frame), let tag = TaggedFrame.tag(frame), tag.target != 0xFFFF,
            tag.kind == 8 || tag.kind == 0
        else { return }
        let isQuestion = tag.kind == 8
        let sender = Int(isQuestion ? tag.origin : tag.target)
        let target = Int(isQuestion ? tag.target : tag.origin)
        samples[index].append(
            Sample(arrival: arrival, sender: sender, epoch: hosts[sender].epoch, target: target))
        if samples[index].count > Self.sampleLimit { samples[index].removeFirst() }
    }

    /// A gateway at random is given another configuration; a gentle one takes nothing away.
    func reload(isGentle: Bool) {
        let index = random.int(in: 0...plan.gatewayCount - 1)
        var variant = Site.Variant()
        if random.bool() { variant.order = random.next() }
        variant.hasSpare = random.bool()
        if random.bool() { variant.spareRoutes = random.int(in: 1...20) }
        let isTaking = random.bool() && !isGentle
        let vsi = random.int(in: 0...plan.vsiCount - 1)
        let host = random.int(in: 0...hosts.count - 1)
        let peer = random.int(in: 0...plan.gatewayCount - 1)
        if isTaking {
            switch random.int(in: 0...3) {
            case 0, 1: variant.withdrawnVSI = vsi
            case 2: variant.withdrawnPort = hosts[host].port
            default: if peer != index { variant.withdrawnPeer = peer }
            }
        }
        if isTaking, random.bool() { makeWait(index) }
        reconfigure(index, variant)
    }

    /// An operator clears ARP, and packets wait for answers when their segment goes.
    private func makeWait(_ index: Int) {
        let gateway = gateways[index]
        gateway.wait(nanoseconds: now - gateway.now)
        _ = try? gateway.agent.clearARP(Selection())
        for packet in packets(at: index, untouchedBy: Touched()) { gateway.receive(packet) }
        // The agent may have heard of them or not.
        if random.bool() { gateway.deliverReports() }
    }

    func reconfigure(_ index: Int, _ variant: Site.Variant) {
        trace?("RELOAD g\(index) \(variant)")
        let gateway = gateways[index]
        gateway.wait(nanoseconds: now - gateway.now)
        let touched = Touched(variants[index], variant)
        let packets = packets(at: index, untouchedBy: touched)
        let before = packets.map { gateway.receive($0).outputs }
        let known = knowledge(of: index, untouchedBy: touched)
        let lost = gateway.agent.events
        var down = gateway.agent.configuration.deviceKeys
        down.subtract(gateway.agent.environment.devicesUp)
        variants[index] = variant
        let configuration = configuration(of: index)
        var environment = TestGateway.environment(of: configuration)
        environment.devicesUp.subtract(down)
        gateway.apply(configuration, environment: environment)
        spoilReload(index)
        for (packet, outputs) in zip(packets, before) {
            let after = gateway.receive(packet).outputs
            guard !outputs.isEmpty, !outputs.contains(where: touched.reaches) else { continue }
            // A flood follows the order of the file.
            let isKept =
                outputs.allSatisfy { after.contains($0) }
                && (outputs.count == after.count || !touched.isEmpty)
            if !isKept {
                find(.reloadLoss, "g\(index): \(outputs.map(\.place)), now \(after.map(\.place))")
            }
        }
        let rest = knowledge(of: index, untouchedBy: touched)
        if known != rest {
            let difference = known.symmetricDifference(rest).sorted()
            find(.reloadTables, "g\(index): \(difference.prefix(4))")
        }
        if touched.isEmpty, lost != gateway.agent.events {
            find(.reloadLoss, "g\(index) dropped what waited: \(gateway.agent.events)")
        }
        callAgent(index)
    }

    /// Segments, ports and peers that a reload takes or gives back.
    private struct Touched {
        var vsis: Set<Int> = []
        var ports: Set<String> = []
        var peers: Set<Int> = []

        init() {}

        init(_ old: Site.Variant, _ new: Site.Variant) {
            if old.withdrawnVSI != new.withdrawnVSI {
                vsis = Set([old.withdrawnVSI, new.withdrawnVSI].compactMap(\.self))
            }
            if old.withdrawnPort != new.withdrawnPort {
                ports = Set([old.withdrawnPort, new.withdrawnPort].compactMap(\.self))
            }
            if old.withdrawnPeer != new.withdrawnPeer {
                peers = Set([old.withdrawnPeer, new.withdrawnPeer].compactMap(\.self))
            }
        }

        var isEmpty: Bool { vsis.isEmpty && ports.isEmpty && peers.isEmpty }

        func reaches(_ output: Output) -> Bool {
            switch output.place {
            case .port(let name): ports.contains(name)
            case .peer(let name): reaches(peer: name)
            }
        }

        func reaches(peer name: String?) -> Bool { peers.contains { "g\($0)" == name } }

        func reaches(_ arrival: Arrival) -> Bool {
            guard case .underlay(let source, _) = arrival.ingress else { return false }
            return peers.contains { Site.vtep($0) == source.bits }
        }

        func reaches(_ host: SimulatedHost) -> Bool {
            // The way to the outside leads across the first segment.
            vsis.contains(max(host.home.vsi, 0)) || ports.contains(host.port)
        }
    }

    /// Packets as hosts sent them just before, for nobody in particular.
    private func packets(at index: Int, untouchedBy touched: Touched) -> [Arrival] {
        samples[index].compactMap { sample in
            let sender = hosts[sample.sender]
            guard sender.epoch == sample.epoch, !touched.reaches(sample.arrival),
                !touched.reaches(sender), !touched.reaches(hosts[sample.target])
            else { return nil }
            var arrival = sample.arrival
            let frame = arrival.frame
            let quiet = TaggedFrame.echo(
                source: TaggedFrame.mac(frame, 6), destination: TaggedFrame.mac(frame, 0),
                from: TaggedFrame.word(frame, 26), to: TaggedFrame.word(frame, 30),
                tag: sender.tag(8))
            arrival.bytes = arrival.bytes.dropLast(frame.count) + quiet
            return arrival
        }
    }

    /// The tables as an operator sees them, but for what is touched.
    private func knowledge(of index: Int, untouchedBy touched: Touched) -> Set<String> {
        let agent = gateways[index].agent
        let vsis = Set(touched.vsis.map { "v\($0)" } + [Site.spare])
        let interfaces = Set(touched.vsis.map { "i\($0)" } + [Site.spare])
        var result: Set<String> = []
        for row in (try? agent.fdbReport(Selection(), now: now)) ?? []
        where row.kind != .flood && !vsis.contains(row.vsi)
            && !touched.ports.contains(row.port ?? "") && !touched.reaches(peer: row.peer)
        {
            result.insert("\(row)")
        }
        for row in (try? agent.arpReport(Selection(), now: now)) ?? []
        where !interfaces.contains(row.interface) && !vsis.contains(row.interface)
            && !touched.ports.contains(row.port ?? "") && !touched.reaches(peer: row.peer)
        {
            result.insert("\(row)")
        }
        return result
    }
}

extension Arrival {
    /// Without what carried it through a tunnel.
    var frame: [UInt8] {
        switch ingress {
        case .device: bytes
        case .underlay: Array(bytes.dropFirst(8))
        }
    }
}
