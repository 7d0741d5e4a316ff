internal import Control
internal import Dataplane
internal import Memory
internal import Tables
internal import TestKit
internal import Wire

/// Planted faults in what gateways know and count.
extension World {
    func configuration(of index: Int) -> Configuration {
        var result = site.configuration(index, variants[index])
        switch plant {
        case .forgetsLimit:
            for position in result.vsis.indices { result.vsis[position].macLimit = 0 }
        case .learnsOwnMAC, .hasOtherMAC:
            for position in result.vsiInterfaces.indices {
                result.vsiInterfaces[position].mac = MACAddress(bits: 0x02EE_0000_0002)
            }
        case .bindsOwnAddress:
            for position in result.vsiInterfaces.indices {
                let own = result.vsiInterfaces[position].addresses[0]
                result.vsiInterfaces[position].addresses = [
                    IPv4Prefix(
                        address: IPv4Address(bits: own.address.bits + 76), length: own.length)
                ]
            }
        case .ignoresPolicy: result.policyRoutes = []
        case .ignoresBlackhole: result.staticRoutes.removeAll { $0.blackhole }
        default: break
        }
        return result
    }

    /// Before the tables of a gateway are looked at.
    func spoilTables(_ index: Int) {
        guard let plant else { return }
        let gateway = gateways[index]
        switch plant {
        case .learnsOwnMAC:
            tell(index) { host, vsi, place in
                gateway.agent.macSeen(
                    self.own(index, host), vsi: vsi, place: place, address: .any, now: self.now)
            }
        case .bindsOwnMAC: bindAll(index) { ($0.address, self.own(index, $0)) }
        case .believesAnybody: bindAll(index) { host in (host.address, Self.nobody) }
        case .believesPeer: bindAll(index, behindPeer: true) { ($0.address, Self.nobody) }
        case .bindsOwnAddress: bindAll(index) { host in (host.router, Self.nobody) }
        case .losesCount: gateway.counters.add(1, .received)
        case .releasesTwice: gateway.counters.add(1, .released)
        case .leavesLaneWithoutFate: gateway.counters.count(.internalUnknownVerdict)
        default: break
        }
    }

    /// After a gateway has taken a new configuration.
    func spoilReload(_ index: Int) {
        let gateway = gateways[index]
        switch plant {
        case .forgetsAtReload:
            _ = try? gateway.agent.clearFDB(Selection(), includingStatic: false)
            _ = try? gateway.agent.clearARP(Selection())
        case .closesPortsAtReload:
            var environment = gateway.agent.environment
            environment.devicesUp = []
            gateway.agent.update(environment, now: now)
        default: break
        }
    }

    /// After the faults, a gateway goes on to believe that a host is where it has left.
    func spoilNeighbors(_ index: Int) {
        guard plant == .keepsStaleNeighbor, !isFaulty else { return }
        bindAll(index) { host in
            host.gateway == index ? nil : (host.address, MACAddress(bits: host.mac))
        }
    }

    private static let nobody = MACAddress(bits: 0x02EE_0000_0001)

    /// Binds an address for each host, behind a port of the host or behind a peer.
    private func bindAll(
        _ index: Int, behindPeer: Bool = false,
        _ binding: (SimulatedHost) -> (address: UInt32, mac: MACAddress)?
    ) {
        tell(index) { host, vsi, place in
            guard let (address, mac) = binding(host) else { return }
            let peer = gateways[index].agent.peerIndexes.values.min() ?? 0
            gateways[index].agent.addressSeen(
                IPv4Address(bits: address), mac: mac, vsi: vsi,
                place: behindPeer ? .peer(peer) : place, isAnnouncement: false, now: now)
        }
    }

    private func own(_ index: Int, _ host: SimulatedHost) -> MACAddress {
        MACAddress(bits: site.gatewayMAC(index, host.home.vsi))
    }

    /// Every host with its VSI and its port at a gateway that has an address there.
    private func tell(_ index: Int, _ change: (SimulatedHost, Int, Destination) -> Void) {
        let agent = gateways[index].agent
        for host in hosts where host.home.vsi >= 0 && site.hasInterface(index, host.home.vsi) {
            guard let vsi = agent.vsiNames["v\(host.home.vsi)"],
                let port = agent.portNames[Site.ports(host.index)[0]]
            else { continue }
            change(host, vsi, .port(port))
        }
    }
}
