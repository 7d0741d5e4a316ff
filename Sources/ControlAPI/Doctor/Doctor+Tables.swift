internal import Control
internal import Wire

/// What the tables of a running daemon contradict each other in.
extension Doctor {
    func ports() -> [Finding] {
        var troubles: [Finding] = []
        if case .known(let network) = host.network {
            // A tap is the daemon's to make; the device of a packet port must be there before.
            for port in configuration.accessPorts
            where port.type == .packet && network.devices[port.device] == nil {
                let text = "device \(port.device) does not exist: create it or correct the file"
                troubles.append(Finding(.ports, .problem, port.name, text))
            }
        }
        let named = Set(troubles.compactMap(\.subject))
        for port in daemon?.ports ?? [] where port.state != "up" && !named.contains(port.name) {
            let text = "\(port.device) is down: set it up at both ends, or start the machine on it"
            troubles.append(Finding(.ports, .warning, port.name, text))
        }
        guard troubles.isEmpty else { return troubles }
        if let daemon { return [Finding(.ports, .ok, "\(daemon.ports.count) ports are up")] }
        return withNetwork(.ports) { _ in
            let text = "the devices of packet ports exist; whether all are up was not asked"
            return [Finding(.ports, .ok, text)]
        }
    }

    /// A routed packet needs the place of its next hop's ARP entry and of the FDB entry of its MAC
    /// address to be one; else it is dropped as `l3_l2_egress_mismatch`.
    func contradictions() -> [Finding] {
        guard let daemon else { return [Finding(.fdbARP, .notChecked, "no daemon was asked")] }
        let vsiOf = Dictionary(
            configuration.vsiInterfaces.map { ($0.name, $0.vsi) },
            uniquingKeysWith: { first, _ in first })
        var places: [String: FDBReport] = [:]
        for entry in daemon.fdb where entry.kind != .flood {
            places["\(entry.vsi) \(entry.mac)"] = entry
        }
        let troubles = daemon.arp.compactMap { neighbor -> Finding? in
            // Without a place of its own the entry follows the FDB.
            guard neighbor.kind != .own, let mac = neighbor.mac,
                neighbor.port != nil || neighbor.peer != nil,
                let entry = places["\(vsiOf[neighbor.interface] ?? neighbor.interface) \(mac)"],
                entry.port != neighbor.port || entry.peer != neighbor.peer
            else { return nil }
            let here = Self.place(neighbor.port, neighbor.peer)
            let there =
                entry.kind == .own
                ? "is the gateway's own" : "is at \(Self.place(entry.port, entry.peer))"
            return Finding(
                .fdbARP, .problem, "\(neighbor.interface) \(neighbor.address)",
                "ARP has \(mac) at \(here), but the \(entry.kind.rawValue) FDB entry of "
                    + "\(entry.vsi) \(there): packets to it are dropped "
                    + "(l3_l2_egress_mismatch); correct the entry: vxgate fdb delete")
        }
        guard troubles.isEmpty else { return troubles }
        return [Finding(.fdbARP, .ok, "\(daemon.arp.count) ARP entries agree with the FDB")]
    }

    private static func place(_ port: String?, _ peer: String?) -> String {
        port.map { "port \($0)" } ?? peer.map { "peer \($0)" } ?? "no place"
    }

    /// Next hops of static and policy routes. One that no packet has needed yet was not asked for.
    func nextHops() -> [Finding] {
        guard let daemon else { return [Finding(.routes, .notChecked, "no daemon was asked")] }
        var states: [String: ARPReport.State] = [:]
        for entry in daemon.arp { states["\(entry.vrf) \(entry.address)"] = entry.state }
        let vrfOf = Dictionary(
            configuration.vsiInterfaces.map { ($0.name, $0.vrf) }
                + configuration.nativePorts.map { ($0.name, $0.vrf) },
            uniquingKeysWith: { first, _ in first })
        let hops =
            daemon.routes.compactMap { route in
                route.via.map { (name: route.prefix, vrf: route.vrf, via: $0) }
            }
            + configuration.policyRoutes.map {
                (
                    name: "policy \($0.name)",
                    vrf: vrfOf[$0.interface] ?? Configuration.defaultVRF,
                    via: $0.nextHop.description
                )
            }
        let troubles = hops.compactMap { hop -> Finding? in
            switch states["\(hop.vrf) \(hop.via)"] {
            case .failed:
                let text = "next hop \(hop.via) does not answer ARP: is it there, and its VTEP?"
                return Finding(.routes, .problem, "\(hop.vrf) \(hop.name)", text)
            case .incomplete:
                let text = "next hop \(hop.via) has not answered ARP yet: ask again in a moment"
                return Finding(.routes, .warning, "\(hop.vrf) \(hop.name)", text)
            default: return nil
            }
        }
        guard troubles.isEmpty else { return troubles }
        let unasked = hops.filter { states["\($0.vrf) \($0.via)"] == nil }.count
        let text = "\(hops.count) next hops, none has failed, \(unasked) not needed yet"
        return [Finding(.routes, .ok, text)]
    }
}
