internal import TestKit

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
        guard let way, ways.contains(way) else {
            return find(.wayOut, "\(tag) leaves by \(way ?? -1), not by \(ways)")
        }
        let flow = sender.index << 16 | host.index
        if let before = flows[flow], before != way {
            find(.flowPath, "\(tag) leaves by \(way), those before by \(before)")
        }
        flows[flow] = way
    }
}
