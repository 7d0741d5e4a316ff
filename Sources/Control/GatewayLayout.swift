internal import Wire

/// The indexes that names have in the tables, and what a configuration says in terms of them.
///
/// Thread-safety: a value. The agent edits its own; reports are made of copies.
struct GatewayLayout: Sendable {
    // Capacities are those that counters and workers have room for.
    var vsis = IndexRegistry<String>(capacity: 65_535)
    var ports = IndexRegistry<String>(capacity: 8192)
    var devices = IndexRegistry<DeviceKey>(capacity: 4096)
    /// By VTEP address: a peer keeps its index when only its name changes.
    var peers = IndexRegistry<IPv4Address>(capacity: 65_535)
    var interfaces = IndexRegistry<String>(capacity: 65_535)
    var vrfs = IndexRegistry<String>(capacity: 65_535)

    var vsiOf: [Int: Configuration.VSI] = [:]
    var portOf: [Int: Configuration.AccessPort] = [:]
    var interfaceOf: [Int: Configuration.VSIInterface] = [:]
    /// The index of the interface of a VSI.
    var interfaceOfVSI: [Int: Int] = [:]
    /// The configured peers; one that only traffic made known is in `peers` alone.
    var peerOf: [Int: Configuration.Peer] = [:]
    var peerNamed: [String: Int] = [:]
    var policyNames = IndexRegistry<String>(capacity: 65_535)
    /// In the order they are tried.
    var policies: [(route: Configuration.PolicyRoute, counter: Int)] = []

    /// Takes the names of `configuration`; those it lacks lose their index, but for VTEPs that only
    /// traffic made known, which stay as long as the configuration accepts such.
    mutating func adopt(_ configuration: Configuration, now: UInt64) {
        vsis.retain(configuration.vsis.map(\.name), now: now)
        ports.retain(configuration.accessPorts.map(\.name), now: now)
        devices.retain(configuration.accessPorts.map(DeviceKey.init), now: now)
        // Strangers keep what was learnt behind them while they are welcome.
        let strangers =
            configuration.vtep.acceptUnknownPeers ? Array(peers.indexes.keys) : []
        peers.retain(configuration.peers.map(\.address) + strangers, now: now)
        interfaces.retain(configuration.vsiInterfaces.map(\.name), now: now)
        vrfs.retain(configuration.vrfs, now: now)
        vsiOf = Self.dictionary(configuration.vsis) { vsis[$0.name] }
        portOf = Self.dictionary(configuration.accessPorts) { ports[$0.name] }
        interfaceOf = Self.dictionary(configuration.vsiInterfaces) { interfaces[$0.name] }
        interfaceOfVSI = [:]
        for (index, entry) in interfaceOf {
            if let vsi = vsis[entry.vsi] { interfaceOfVSI[vsi] = index }
        }
        peerOf = Self.dictionary(configuration.peers) { peers[$0.address] }
        policyNames.retain(configuration.policyRoutes.map(\.name), now: now)
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

    private static func dictionary<Element>(
        _ elements: [Element], index: (Element) -> Int?
    ) -> [Int: Element] {
        var result: [Int: Element] = [:]
        for element in elements { result[index(element)!] = element }
        return result
    }
}
