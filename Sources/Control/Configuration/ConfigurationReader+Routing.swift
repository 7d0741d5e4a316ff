internal import Wire

/// The layer-3 sections: VRFs, interfaces, native ports, static ARP entries, routes, policies.
extension ConfigurationReader {
    func vrfs() -> [String] {
        let written = root.list("vrfs", .name) ?? []
        let paths = log.itemPaths(of: "vrfs", count: written.count)
        var names = [Configuration.defaultVRF]
        var places: [String: String] = [:]
        for (name, path) in zip(written, paths) {
            if let first = places[name] {
                log.refuse(
                    path, "the VRF '\(name)' is named twice, first at \(log.reference(first))")
            } else if name != Configuration.defaultVRF {
                names.append(name)
            }
            places[name] = path
        }
        return names
    }

    func vsiInterfaces() -> [Configuration.VSIInterface] {
        let keys = [
            "name", "vsi", "vrf", "address", "mac", "distributed-gateway", "local-proxy-arp", "mtu",
            "rpf", "forwarding", "source",
        ]
        return root.items("vsi-interfaces", keys: keys).map { item in
            var interface = Configuration.VSIInterface(
                name: item.required("name", .name, stand: ""),
                vsi: item.required("vsi", .name, stand: ""),
                vrf: item.value("vrf", .name) ?? Configuration.defaultVRF,
                addresses: addresses(item, isOptional: item.has("source")))
            interface.source =
                item.value(
                    "source", .word("vtep", .vtep, or: .name, { .interface($0) })) ?? .own
            interface.mac = item.value("mac", .unicastMAC)
            interface.distributedGateway = item.value("distributed-gateway", .boolean) ?? false
            interface.localProxyARP = item.value("local-proxy-arp", .boolean) ?? false
            interface.mtu = mtu(item)
            interface.rpf = item.value("rpf", .enumeration) ?? .off
            interface.forwarding = item.value("forwarding", .boolean) ?? true
            return interface
        }
    }

    func nativePorts() -> [Configuration.NativePort] {
        let keys = ["name", "type", "device", "netns", "vlan", "vrf", "address", "mac", "mtu"]
        return root.items("native-ports", keys: keys).map { item in
            Configuration.NativePort(
                name: item.required("name", .name, stand: ""),
                type: item.required("type", .enumeration, stand: .packet),
                device: item.required("device", .device, stand: ""),
                netns: item.value("netns", .name), vlan: vlan(item),
                vrf: item.value("vrf", .name) ?? Configuration.defaultVRF,
                addresses: addresses(item), mac: item.value("mac", .unicastMAC), mtu: mtu(item))
        }
    }

    /// At least one address, alone or in a list.
    /// - Parameter isOptional: there need not be any.
    private func addresses(_ item: YAMLSection, isOptional: Bool = false) -> [IPv4Prefix] {
        guard let addresses = item.list("address", .interfaceAddress, takesSingle: true) else {
            if !isOptional { item.missing("address") }
            return []
        }
        return addresses
    }

    /// 68 is the smallest IPv4 MTU (RFC 791 section 3.2).
    private func mtu(_ item: YAMLSection) -> Int? { item.value("mtu", .integer(68...65535)) }

    func staticARP() -> [Configuration.StaticARP] {
        root.items("static-arp", keys: ["interface", "address", "mac"]).map { item in
            Configuration.StaticARP(
                interface: item.required("interface", .name, stand: ""),
                address: item.required("address", .unicastAddress, stand: .any),
                mac: item.required("mac", .unicastMAC, stand: .zero))
        }
    }

    /// - Parameter interfaceVRFs: the VRF of each interface, which a route that names one belongs
    ///   to
    ///   unless it says otherwise.
    func staticRoutes(interfaceVRFs: [String: String]) -> [Configuration.StaticRoute] {
        let keys = ["prefix", "via", "interface", "vrf", "onlink", "blackhole"]
        return root.items("static-routes", keys: keys).map { item in
            let interface = item.value("interface", .name)
            let interfaceVRF = interface.flatMap { interfaceVRFs[$0] }
            return Configuration.StaticRoute(
                prefix: item.required(
                    "prefix", .network, stand: Configuration.PolicyRoute.everything),
                via: item.list("via", .unicastAddress, takesSingle: true) ?? [],
                interface: interface,
                vrf: item.value("vrf", .name) ?? interfaceVRF ?? Configuration.defaultVRF,
                onlink: item.value("onlink", .boolean) ?? false,
                blackhole: item.value("blackhole", .boolean) ?? false)
        }
    }

    func policyRoutes() -> [Configuration.PolicyRoute] {
        let keys = [
            "name", "order", "interface", "source", "destination", "protocol", "source-ports",
            "destination-ports", "next-hop",
        ]
        let anyProtocol = ValueForm<UInt8?>.word("any", nil, or: .ipProtocol, { $0 })
        return root.items("policy-routes", keys: keys).map { item in
            var route = Configuration.PolicyRoute(
                name: item.required("name", .name, stand: ""),
                order: item.value("order", .integer(0...1_000_000)) ?? 0,
                interface: item.required("interface", .name, stand: ""),
                nextHop: item.required("next-hop", .unicastAddress, stand: .any))
            route.source = item.value("source", .network) ?? route.source
            route.destination = item.value("destination", .network) ?? route.destination
            route.protocolNumber = item.value("protocol", anyProtocol) ?? nil
            route.sourcePorts = item.value("source-ports", .ports)
            route.destinationPorts = item.value("destination-ports", .ports)
            return route
        }
    }
}
