internal import Wire

/// Rules about VSI-interfaces and native ports: what they refer to and how their subnets lie.
extension ConfigurationCheck {
    func checkInterfaces() {
        var bound: [String: String] = [:]
        for interface in interfaces {
            refuseDanglingVRF("\(interface.path).vrf", interface.vrf)
            guard let vsi = interface.vsi else { continue }
            if vsis[vsi] == nil {
                refuseDangling("\(interface.path).vsi", "VSI", vsi, among: vsis)
            } else if let first = bound[vsi] {
                log.refuse(
                    "\(interface.path).vsi",
                    "VSI \(vsi) has an interface, \(log.reference(first)): add the address there"
                )
            }
            bound[vsi] = interface.path
        }
        warnOfTwoProxies()
        checkSources()
        checkSubnets()
    }

    /// Who is borrowed from has an address of its own, in the same VRF.
    private func checkSources() {
        let byName = Dictionary(
            interfaces.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, interface) in configuration.vsiInterfaces.enumerated() {
            guard case .interface(let name) = interface.source else { continue }
            let path = "vsi-interfaces[\(index)].source"
            guard let lender = byName[name], name != interface.name else {
                let what = name == interface.name ? "is this interface" : "does not exist"
                log.refuse(
                    path, "\(name) \(what): write vtep, or another VSI-interface or native port")
                continue
            }
            guard lender.vrf == interface.vrf else {
                log.refuse(
                    path, "\(name) is in VRF \(lender.vrf), and not in \(interface.vrf)")
                continue
            }
            if lender.addresses.isEmpty, !log.isUncertain("\(lender.path).address") {
                log.refuse(path, "\(name) has no address of its own to borrow")
            }
        }
    }

    private func warnOfTwoProxies() {
        for (index, interface) in configuration.vsiInterfaces.enumerated()
        where interface.localProxyARP {
            guard let vsi = vsis[interface.vsi], configuration.vsis[vsi].arpSuppression else {
                continue
            }
            let other = log.reference("vsis[\(vsi)].arp-suppression")
            log.warn(
                "vsi-interfaces[\(index)].local-proxy-arp",
                "\(other) is on as well: only local-proxy-arp acts")
        }
    }

    private struct Connected {
        let prefix: IPv4Prefix
        let interface: RoutedInterface
        let path: String
    }

    /// Two connected subnets of a VRF do not overlap, /32 excepted, and no address is there twice.
    private func checkSubnets() {
        var connected: [String: [Connected]] = [:]
        for interface in interfaces {
            let paths = log.itemPaths(
                of: "\(interface.path).address", count: interface.addresses.count)
            for (prefix, path) in zip(interface.addresses, paths) {
                let entry = Connected(prefix: prefix, interface: interface, path: path)
                connected[interface.vrf, default: []].append(entry)
            }
        }
        for (_, entries) in connected.sorted(by: { $0.key < $1.key }) {
            checkOverlap(entries.filter { $0.prefix.length < 32 })
            checkSameAddress(entries)
        }
    }

    /// Prefixes nest or are apart, so in the order of their networks each needs to be compared only
    /// with the one that reaches furthest so far.
    private func checkOverlap(_ entries: [Connected]) {
        let sorted = entries.sorted {
            ($0.prefix.network, $0.prefix.length) < ($1.prefix.network, $1.prefix.length)
        }
        var cover: Connected?
        for entry in sorted {
            guard let widest = cover, entry.prefix.network <= widest.prefix.lastAddress else {
                cover = entry
                continue
            }
            // Further addresses of one interface in one subnet are no second subnet.
            let isSame =
                entry.interface.path == widest.interface.path
                && entry.prefix.length == widest.prefix.length
            if !isSame { refuseOverlap(entry, widest) }
        }
    }

    private func refuseOverlap(_ one: Connected, _ other: Connected) {
        let isLater = log.mark(one.path) > log.mark(other.path)
        let (later, earlier) = isLater ? (one, other) : (other, one)
        log.refuse(
            later.path,
            "\(later.prefix) overlaps \(earlier.prefix) of interface \(earlier.interface.name) at "
                + "\(log.reference(earlier.path)) in VRF \(later.interface.vrf): "
                + "use another subnet, a /32 or another VRF")
    }

    private func checkSameAddress(_ entries: [Connected]) {
        var places: [IPv4Address: Connected] = [:]
        for entry in entries {
            if let first = places[entry.prefix.address] {
                log.refuse(
                    entry.path,
                    "\(entry.prefix.address) is that of interface \(first.interface.name) at "
                        + "\(log.reference(first.path)) already")
            } else {
                places[entry.prefix.address] = entry
            }
        }
    }
}
