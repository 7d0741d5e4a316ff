internal import Wire

/// The rules between the values of a configuration: names exist and are unique, addresses and VNIs
/// do not collide, what is said of one thing fits what is said of another. Values with errors of
/// their own are passed over, so that one slip is one error.
struct ConfigurationCheck {
    let configuration: Configuration
    let log: DiagnosticLog
    /// Where each name is, as an index into its list.
    private(set) var vsis: [String: Int] = [:]
    private(set) var peers: [String: Int] = [:]
    private(set) var accessPorts: [String: Int] = [:]
    /// VSI-interfaces and native ports, which share their names.
    let interfaces: [RoutedInterface]
    private(set) var interfaceNames: [String: Int] = [:]
    /// The connected subnets of each VRF.
    private(set) var subnets: [String: SubnetIndex] = [:]
    /// The VRF and address of every address that is the gateway's own.
    private(set) var ownAddresses: Set<RoutedAddress> = []
    /// VRFs with an interface whose addresses have errors: what is outside of the others may be
    /// inside it.
    private(set) var uncertainVRFs: Set<String> = []

    init(_ configuration: Configuration, log: DiagnosticLog) {
        self.configuration = configuration
        self.log = log
        interfaces = RoutedInterface.all(of: configuration)
    }

    mutating func checkAll() {
        checkNames()
        checkVTEP()
        checkPeers()
        checkVSIs()
        checkPorts()
        checkInterfaces()
        let connected = interfaces.flatMap { interface in
            interface.subnets.map { (vrf: interface.vrf, subnet: $0, interface: interface.name) }
        }
        for (vrf, entries) in Dictionary(grouping: connected, by: \.vrf) {
            subnets[vrf] = SubnetIndex(entries.map { ($0.subnet, $0.interface) })
        }
        ownAddresses = Set(
            interfaces.flatMap { interface in
                interface.addresses.map { RoutedAddress(vrf: interface.vrf, address: $0.address) }
            })
        uncertainVRFs = Set(
            interfaces.filter { log.isUncertain("\($0.path).address") }.map(\.vrf))
        checkStaticRoutes()
        checkPolicyRoutes()
        checkStaticARP()
        checkStaticFDB()
    }

    private mutating func checkNames() {
        let configuration = self.configuration
        peers = uniqueNames(configuration.peers.enumerated().map { ($1.name, "peers[\($0)]") })
        vsis = uniqueNames(configuration.vsis.enumerated().map { ($1.name, "vsis[\($0)]") })
        let ports = configuration.accessPorts.enumerated().map { ($1.name, "access-ports[\($0)]") }
        let natives = configuration.nativePorts.enumerated().map {
            ($1.name, "native-ports[\($0)]")
        }
        accessPorts = uniqueNames(ports)
        interfaceNames = uniqueNames(interfaces.map { ($0.name, $0.path) })
        // A native port is shown among the ports as well, where it must not hide an access port.
        _ = uniqueNames(ports + natives)
        _ = uniqueNames(
            configuration.policyRoutes.enumerated().map { ($1.name, "policy-routes[\($0)]") })
    }

    /// The index of each name, under "" that of the first thing whose name could not be read; a
    /// name that comes twice is an error where it comes again.
    private func uniqueNames(_ entries: [(name: String, path: String)]) -> [String: Int] {
        var places: [String: Int] = [:]
        for (index, entry) in entries.enumerated() {
            guard let first = places[entry.name] else {
                places[entry.name] = index
                continue
            }
            guard !entry.name.isEmpty else { continue }
            let other = log.reference(entries[first].path)
            log.refuse("\(entry.path).name", "the name '\(entry.name)' is that of \(other) already")
        }
        return places
    }

    private func checkVTEP() {
        if configuration.vtep.underlay != .tap, log.isWritten("vtep.device") {
            log.refuse(
                "vtep.device",
                "only underlay 'tap' makes a device: leave it out or write 'underlay: tap'")
        }
        if configuration.vtep.underlay == .tap, case .interface = configuration.vtep.address {
            log.refuse(
                "vtep.interface",
                "underlay 'tap' has a VTEP address that no device of the host has: write 'address'")
        }
    }

    private func checkPeers() {
        var places: [IPv4Address: String] = [:]
        for (index, peer) in configuration.peers.enumerated() {
            let path = "peers[\(index)].address"
            guard !log.hasFailed(path) else { continue }
            if configuration.vtep.address == .address(peer.address) {
                log.refuse(
                    path,
                    "peer \(peer.name) has the address \(peer.address) of this gateway's own VTEP")
            } else if let first = places[peer.address] {
                log.refuse(
                    path, "\(peer.address) is the address of \(log.reference(first)) already")
            }
            places[peer.address] = path
            refuseRepeats(peer.vnis ?? [], of: "peers[\(index)].vnis", what: "VNI")
        }
    }

    private func checkVSIs() {
        var places: [VNI: String] = [:]
        for (index, vsi) in configuration.vsis.enumerated() {
            let path = "vsis[\(index)]"
            if let vni = vsi.vni {
                if let first = places[vni] {
                    let other = log.reference(first)
                    log.refuse(
                        "\(path).vni", "VNI \(vni) belongs to \(other) already: a VNI is one VSI")
                } else {
                    places[vni] = path
                }
            }
            checkFloodList(of: vsi, path: path)
        }
    }

    private func checkFloodList(of vsi: Configuration.VSI, path: String) {
        guard let names = vsi.floodList else { return }
        guard vsi.vni != nil || log.hasFailed("\(path).vni") else {
            log.refuse(
                "\(path).flood-list",
                "VSI \(vsi.name) has no 'vni' and so no remote peers: add one or remove the list")
            return
        }
        refuseRepeats(names, of: "\(path).flood-list", what: "peer")
        let paths = log.itemPaths(of: "\(path).flood-list", count: names.count)
        for (name, itemPath) in zip(names, paths) {
            guard let index = peers[name] else {
                refuseDangling(itemPath, "peer", name, among: peers)
                continue
            }
            let peer = configuration.peers[index]
            guard let vni = vsi.vni, !peer.carries(vni), !log.isUncertain("peers[\(index)].vnis")
            else { continue }
            let place = log.reference("peers[\(index)].vnis")
            log.refuse(itemPath, "peer \(name) does not carry VNI \(vni): add it to \(place)")
        }
    }

    /// A VRF that does not exist; the list of VRFs is short, so it is searched.
    func refuseDanglingVRF(_ path: String, _ name: String) {
        guard !configuration.vrfs.contains(name), !log.isUncertain("vrfs") else { return }
        let names = configuration.vrfs.enumerated().map { ($1, $0) }
        refuseDangling(path, "VRF", name, among: Dictionary(uniqueKeysWithValues: names))
    }

    /// A value that comes twice in a list is an error where it comes again.
    func refuseRepeats<Value: Hashable & CustomStringConvertible>(
        _ values: [Value], of path: String, what: String
    ) {
        var seen: Set<Value> = []
        for (value, itemPath) in zip(values, log.itemPaths(of: path, count: values.count))
        where !seen.insert(value).inserted {
            log.refuse(itemPath, "\(what) \(value) is in this list already: keep one")
        }
    }

    /// `name` does not exist among what it could name. Where something has no readable name, that
    /// may be what is meant, and its own error says enough.
    func refuseDangling(_ path: String, _ what: String, _ name: String, among names: [String: Int])
    {
        guard !name.isEmpty, names[""] == nil else { return }
        log.refuse(
            path,
            "no \(what) is named \(quoted(name))"
                + suggestion(for: name, among: names.keys.sorted()))
    }
}

/// An address in one VRF.
struct RoutedAddress: Hashable {
    let vrf: String
    let address: IPv4Address
}
