internal import Control
internal import Wire

/// What the gateway needs of its host.
extension Doctor {
    /// The oldest kernel that the README promises; features that are newer have a line each.
    static let neededKernel = (major: 6, minor: 1)

    func kernel() -> [Finding] {
        let numbers = host.kernelRelease.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else {
            return [Finding(.kernel, .notChecked, "no version in \(host.kernelRelease)")]
        }
        let needed = Self.neededKernel
        guard (numbers[0], numbers[1]) >= (needed.major, needed.minor) else {
            return [
                Finding(
                    .kernel, .problem,
                    "Linux \(host.kernelRelease): install \(needed.major).\(needed.minor) or newer")
            ]
        }
        return [Finding(.kernel, .ok, "Linux \(host.kernelRelease)")]
    }

    func ioUring() -> [Finding] {
        switch host.features {
        case .unknown(let why): return [Finding(.ioUring, .problem, why)]
        case .known(let features):
            let off = features.filter { $0.value != "on" }.sorted { $0.key < $1.key }
            guard !off.isEmpty else {
                return [Finding(.ioUring, .ok, "all \(features.count) features are on")]
            }
            return off.map { Finding(.ioUring, .warning, $0.key, $0.value) }
        }
    }

    func vtepAddress() -> [Finding] {
        withNetwork(.vtepAddress) { network in
            guard !hasTap else { return routedAddress(network) }
            let own = Self.vtepAddress(configuration.vtep, network.addresses)
            guard let own else {
                let text = "\(source) has no IPv4 address: give it one"
                return [Finding(.vtepAddress, .problem, text)]
            }
            guard let device = network.addresses.first(where: { $0.address == own })?.device else {
                let text = "no device has it: ip address add \(own)/32 dev lo, or correct the file"
                return [Finding(.vtepAddress, .problem, "\(own)", text)]
            }
            guard network.devices[device] == true else {
                let text = "\(device) is down: ip link set \(device) up, and check its carrier"
                return [Finding(.vtepAddress, .problem, "\(own)", text)]
            }
            return [Finding(.vtepAddress, .ok, "\(own)", "on \(device), which is up")]
        }
    }

    private var source: String {
        switch configuration.vtep.address {
        case .address(let address): "\(address)"
        case .interface(let device): device
        }
    }

    func peers() -> [Finding] {
        withNetwork(.peers) { network in
            let troubles = configuration.peers.compactMap { trouble($0, network) }
            guard troubles.isEmpty else { return troubles }
            let count = configuration.peers.count
            guard count > 0 else { return [Finding(.peers, .ok, "no peer is configured")] }
            return [Finding(.peers, .ok, "a route to each, \(count) in all")]
        }
    }

    private func trouble(
        _ peer: Configuration.Peer, _ network: HostFacts.Network
    ) -> Finding? {
        if let own = network.addresses.first(where: { $0.address == peer.address }) {
            let text = "\(peer.address) is this host's own (\(own.device)): correct the file"
            return Finding(.peers, .problem, peer.name, text)
        }
        switch network.ways[peer.address] {
        case .mtu: return nil
        case .refused(let why):
            return Finding(
                .peers, .problem, peer.name,
                "no way to \(peer.address): \(why): check ip route get \(peer.address)")
        case nil: return Finding(.peers, .notChecked, peer.name, "its route was not asked for")
        }
    }

    /// RFC 7348 section 4.3: VTEPs do not fragment, so an inner packet and its headers must fit.
    func underlayMTU() -> [Finding] {
        let overhead = OuterHeader.packetOverhead
        return withNetwork(.underlayMTU) { network in
            let ways = configuration.peers.compactMap { peer -> (name: String, mtu: Int)? in
                guard case .mtu(let mtu)? = network.ways[peer.address] else { return nil }
                return (peer.name, mtu)
            }
            guard let narrowest = ways.min(by: { $0.mtu < $1.mtu }) else {
                return [Finding(.underlayMTU, .notChecked, "no peer has a route")]
            }
            let tunnelled = Set(configuration.vsis.filter { $0.vni != nil }.map(\.name))
            let troubles = configuration.vsiInterfaces.compactMap { interface -> Finding? in
                guard let mtu = interface.mtu, tunnelled.contains(interface.vsi),
                    mtu + overhead > narrowest.mtu
                else { return nil }
                return Finding(
                    .underlayMTU, .problem, interface.name,
                    "mtu \(mtu) needs \(mtu + overhead) to \(narrowest.name), which has "
                        + "\(narrowest.mtu): raise that or set mtu to \(narrowest.mtu - overhead)")
            }
            guard troubles.isEmpty else { return troubles }
            let text =
                "\(narrowest.mtu) to \(narrowest.name): "
                + "hosts may send \(narrowest.mtu - overhead)"
            return [Finding(.underlayMTU, .ok, text)]
        }
    }
}
