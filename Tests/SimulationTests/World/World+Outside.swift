internal import Control
internal import TestKit
internal import Wire

/// The segment behind the native ports: a switch that knows who is where.
extension World {
    /// - Parameters:
    ///   - gateway: whose native port sends, nil for a host.
    ///   - sender: the host that sends.
    func sendOutside(_ bytes: [UInt8], from gateway: Int?, sender: SimulatedHost? = nil) {
        guard bytes.count >= 14 else { return }
        let destination = TaggedFrame.mac(bytes, 0)
        let isForAll = destination == 0xFFFF_FFFF_FFFF
        for other in plan.outsideGateways where other != gateway {
            guard isForAll || destination == site.gatewayMAC(other, -1) else { continue }
            queue.add(.gateway(other, .device("wan", bytes)), at: now + 50_000)
        }
        for host in hosts where host.home.vsi < 0 && host !== sender {
            guard isForAll || destination == host.mac else { continue }
            queue.add(.host(host.index, epoch: host.epoch, bytes), at: now + 50_000)
        }
    }

    /// A packet from inside comes by the gateway that the sender's gateways are told to use, and
    /// all packets of a flow by the same.
    func checkWayOut(_ tag: TaggedFrame.Tag, _ bytes: [UInt8], _ host: SimulatedHost) {
        let sender = hosts[Int(tag.kind == 8 ? tag.origin : tag.target)]
        guard host.home.vsi < 0, sender.home.vsi >= 0 else { return }
        let router = TaggedFrame.mac(bytes, 6)
        let way = plan.outsideGateways.first { site.gatewayMAC($0, -1) == router }
        let ways = site.waysOut(from: sender.home, to: host.home)
        guard let way, ways.contains(way) || isDetour(from: sender.gateway, ways) else {
            return find(.wayOut, "\(tag) leaves by \(way ?? -1), not by \(ways)")
        }
        let key = sender.index << 16 | host.index
        let flow = Flow(way: way, gateway: sender.gateway, seen: now)
        if let before = flows[key], before.way != way, !mayHaveTurned(flow, since: before) {
            find(.flowPath, "\(tag) leaves by \(way), those before by \(before.way)")
        }
        flows[key] = flow
    }

    /// By which way a flow left when it was last seen.
    struct Flow {
        var way: Int
        /// The gateway of its host inside.
        var gateway: Int
        var seen: UInt64
    }

    /// What a policy sends to a border that does not answer takes the route instead.
    private func isDetour(from gateway: Int, _ ways: [Int]) -> Bool {
        guard plan.wayOut == .both, !ways.isEmpty, let unknown = lastUnknownWay[gateway] else {
            return false
        }
        return unknown + Self.second >= now
    }

    /// A border that does not answer loses its flows to the others, and gets them back.
    private func mayHaveTurned(_ flow: Flow, since before: Flow) -> Bool {
        [flow.gateway, before.gateway].contains { gateway in
            // What was last seen here was sent a little before.
            lastUnknownWay[gateway].map { $0 + Self.second >= before.seen } ?? false
        }
    }

    /// Looks whether a gateway knows every way out, before it gets a packet.
    func noteWaysOut(at index: Int) {
        guard plan.outsideGateways.count > 1, plan.wayOut != .policy,
            !plan.outsideGateways.contains(index)
        else { return }
        var selection = Selection()
        selection.interface = "i0"
        let rows = (try? gateways[index].agent.arpReport(selection, now: now)) ?? []
        let known = Set(
            rows.filter { $0.state == .reachable || $0.state == .stale }.map(\.address))
        let ways = plan.outsideGateways.map {
            IPv4Address(bits: site.gatewayAddress($0, 0)).description
        }
        if !known.isSuperset(of: ways) { lastUnknownWay[index] = now }
    }
}
