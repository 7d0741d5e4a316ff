internal import Wire

/// The indexes that names have in the tables, and what a configuration says in terms of them.
///
/// Thread-safety: the agent alone.
struct GatewayLayout {
    var vsis = IndexRegistry<String>()
    var ports = IndexRegistry<String>()
    var devices = IndexRegistry<DeviceKey>()
    /// By VTEP address: a peer keeps its index when only its name changes.
    var peers = IndexRegistry<IPv4Address>()
    var interfaces = IndexRegistry<String>()
    var vrfs = IndexRegistry<String>()

    var vsiOf: [Int: Configuration.VSI] = [:]
    var portOf: [Int: Configuration.AccessPort] = [:]
    var interfaceOf: [Int: Configuration.VSIInterface] = [:]
    /// The index of the interface of a VSI.
    var interfaceOfVSI: [Int: Int] = [:]
    /// The configured peers; one that only traffic made known is in `peers` alone.
    var peerOf: [Int: Configuration.Peer] = [:]
    var peerNamed: [String: Int] = [:]
    var policyNames = IndexRegistry<String>()
    /// In the order they are tried.
    var policies: [(route: Configuration.PolicyRoute, counter: Int)] = []

    /// Takes the names of `configuration`; those it lacks lose their index, but for VTEPs that only
    /// traffic made known, which stay as long as the configuration accepts such.
    mutating func adopt(_ configuration: Configuration) {
        Self.retain(&vsis, configuration.vsis.map(\.name))
        Self.retain(&ports, configuration.accessPorts.map(\.name))
        Self.retain(&devices, configuration.accessPorts.map(DeviceKey.init))
        // Strangers keep what was learnt behind them while they are welcome.
        let strangers =
            configuration.vtep.acceptUnknownPeers ? Array(peers.indexes.keys) : []
        Self.retain(&peers, configuration.peers.map(\.address) + strangers)
        Self.retain(&interfaces, configuration.vsiInterfaces.map(\.name))
        Self.retain(&vrfs, configuration.vrfs)
        vsiOf = Self.dictionary(configuration.vsis) { vsis[$0.name] }
        portOf = Self.dictionary(configuration.accessPorts) { ports[$0.name] }
        interfaceOf = Self.dictionary(configuration.vsiInterfaces) { interfaces[$0.name] }
        interfaceOfVSI = [:]
        for (index, entry) in interfaceOf {
            if let vsi = vsis[entry.vsi] { interfaceOfVSI[vsi] = index }
        }
        peerOf = Self.dictionary(configuration.peers) { peers[$0.address] }
        Self.retain(&policyNames, configuration.policyRoutes.map(\.name))
        policies = configuration.policyRoutes.enumerated().sorted {
            ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
        }.map { ($0.element, policyNames[$0.element.name]!) }
        peerNamed = [:]
        for (index, peer) in peerOf { peerNamed[peer.name] = index }
    }

    /// The name of a peer, or the address of one that no configuration names.
    func peerName(_ index: Int) -> String? {
        peerOf[index]?.name ?? peers.name(of: index)?.description
    }

    func vsi(ofPort index: Int) -> Int? { portOf[index].flatMap { vsis[$0.vsi] } }

    /// A configured peer carries the VNI of the VSI; a peer known from traffic carries any.
    func peer(_ index: Int, carries vsi: Int) -> Bool {
        guard peers.name(of: index) != nil, let vni = vsiOf[vsi]?.vni else { return false }
        return peerOf[index]?.carries(vni) ?? true
    }

    /// The VSI-interface a next hop is on: the one named, or the one of the VRF whose subnet has
    /// it.
    func interface(
        of route: Configuration.StaticRoute, via: IPv4Address
    ) -> Configuration.VSIInterface? {
        if let name = route.interface { return interfaces[name].flatMap { interfaceOf[$0] } }
        return interface(holding: via, vrf: route.vrf)
    }

    func interface(holding address: IPv4Address, vrf: String) -> Configuration.VSIInterface? {
        // A /32 may lie inside another subnet: the closest holds the address.
        var best: (length: UInt8, interface: Configuration.VSIInterface)?
        for index in interfaceOf.keys.sorted() {
            guard let interface = interfaceOf[index], interface.vrf == vrf else { continue }
            for prefix in interface.addresses where prefix.contains(address) {
                if let best, best.length >= prefix.length { continue }
                best = (prefix.length, interface)
            }
        }
        return best?.interface
    }

    private static func retain<Name: Hashable>(
        _ registry: inout IndexRegistry<Name>, _ names: [Name]
    ) {
        let wanted = Set(names)
        for name in registry.indexes.keys where !wanted.contains(name) { registry.remove(name) }
        for name in names { _ = registry.assign(name) }
    }

    private static func dictionary<Element>(
        _ elements: [Element], index: (Element) -> Int?
    ) -> [Int: Element] {
        var result: [Int: Element] = [:]
        for element in elements { result[index(element)!] = element }
        return result
    }
}
