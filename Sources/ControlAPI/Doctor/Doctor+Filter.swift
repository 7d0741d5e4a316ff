internal import Control
internal import Wire

/// Whether the host's packet filter lets VXLAN through, both ways, for every peer.
extension Doctor {
    func packetFilter() -> [Finding] {
        withNetwork(.packetFilter) { network in
            guard let peer = configuration.peers.first else {
                return [Finding(.packetFilter, .notChecked, "no peer is configured")]
            }
            var rows: [Finding] = []
            var looked: [String] = []
            for (program, rules) in [("nft", host.nftables), ("iptables-save", host.iptables)] {
                switch rules {
                case .known(let text):
                    let sample = ProbePacket(
                        source: peer.address, destination: peer.address, port: 0, device: "",
                        isInbound: true)
                    guard program != "nft" || NFTRuleset.read(text, trying: sample) != nil else {
                        let why = "it lists the rules in a form that this version does not know"
                        rows.append(Finding(.packetFilter, .notChecked, program, why))
                        continue
                    }
                    looked.append(program)
                case .unknown(let why):
                    rows.append(Finding(.packetFilter, .notChecked, program, why))
                }
            }
            guard !looked.isEmpty else { return rows }
            let troubles = self.troubles(network)
            let port = configuration.vtep.udpPort
            let text = "no rule that \(looked.joined(separator: " and ")) lists drops UDP \(port)"
            return (troubles.isEmpty ? [Finding(.packetFilter, .ok, text)] : troubles) + rows
        }
    }

    /// One line for each chain and direction, with the peers it is about.
    private func troubles(_ network: HostFacts.Network) -> [Finding] {
        guard let own = Self.vtepAddress(configuration.vtep, network.addresses) else {
            return [Finding(.packetFilter, .notChecked, "the VTEP has no address")]
        }
        let device = vtepDevice(network) ?? ""
        var order: [String] = []
        var lines: [String: (verdict: Finding.Verdict, start: String, peers: [String])] = [:]
        func add(_ verdict: Finding.Verdict, _ start: String, _ peer: String) {
            if lines[start] == nil { order.append(start) }
            lines[start, default: (verdict, start, [])].peers.append(peer)
        }
        let port = configuration.vtep.udpPort
        for peer in configuration.peers {
            for isInbound in [true, false] {
                let packet = ProbePacket(
                    source: isInbound ? peer.address : own,
                    destination: isInbound ? own : peer.address, port: port, device: device,
                    isInbound: isInbound, isRouted: hasTap)
                let way = isInbound ? "from" : "to"
                for fate in fates(packet) {
                    switch fate {
                    case .passes: continue
                    case .dropped(let place):
                        add(.problem, "\(place) drops UDP \(port) \(way)", peer.name)
                    case .unclear(let place):
                        add(.warning, "\(place) may drop UDP \(port) \(way)", peer.name)
                    }
                }
            }
        }
        return order.compactMap { start in
            lines[start].map { line in
                Finding(
                    .packetFilter, line.verdict,
                    "\(line.start) \(Self.list(line.peers)): accept it before")
            }
        }
    }

    private func fates(_ packet: ProbePacket) -> [FilterRuleset.Fate] {
        var rulesets: [FilterRuleset] = []
        if case .known(let text) = host.nftables,
            let ruleset = NFTRuleset.read(text, trying: packet)
        {
            rulesets.append(ruleset)
        }
        if case .known(let text) = host.iptables {
            rulesets.append(IPTablesRuleset.read(text, trying: packet))
        }
        return rulesets.map { $0.fate(at: packet.hooks) }
    }

    /// The first few names.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(4).joined(separator: ", ")
        return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
    }
}
