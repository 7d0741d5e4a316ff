/// The contract's JSON shows a value that is absent as `null`, while synthesized encoding leaves
/// its key out; rows with optional values therefore write themselves.
extension FDBReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(vsi, forKey: .vsi)
        try row.encode(vni, forKey: .vni)
        try row.encode(mac, forKey: .mac)
        try row.encode(kind, forKey: .kind)
        try row.encode(port, forKey: .port)
        try row.encode(peer, forKey: .peer)
        try row.encode(address, forKey: .address)
        try row.encode(ageSeconds, forKey: .ageSeconds)
        try row.encode(moves, forKey: .moves)
        try row.encode(isFrozen, forKey: .isFrozen)
    }
}

extension ARPReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(vrf, forKey: .vrf)
        try row.encode(interface, forKey: .interface)
        try row.encode(address, forKey: .address)
        try row.encode(mac, forKey: .mac)
        try row.encode(kind, forKey: .kind)
        try row.encode(state, forKey: .state)
        try row.encode(port, forKey: .port)
        try row.encode(peer, forKey: .peer)
        try row.encode(ageSeconds, forKey: .ageSeconds)
        try row.encode(isFrozen, forKey: .isFrozen)
    }
}

extension RouteReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(vrf, forKey: .vrf)
        try row.encode(prefix, forKey: .prefix)
        try row.encode(kind, forKey: .kind)
        try row.encode(via, forKey: .via)
        try row.encode(interface, forKey: .interface)
        try row.encode(onlink, forKey: .onlink)
    }
}

extension PortReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(name, forKey: .name)
        try row.encode(type, forKey: .type)
        try row.encode(device, forKey: .device)
        try row.encode(vlan, forKey: .vlan)
        try row.encode(vsi, forKey: .vsi)
        try row.encode(state, forKey: .state)
        try row.encode(rxPackets, forKey: .rxPackets)
        try row.encode(rxBytes, forKey: .rxBytes)
        try row.encode(txPackets, forKey: .txPackets)
        try row.encode(txBytes, forKey: .txBytes)
        try row.encode(rxDrops, forKey: .rxDrops)
        try row.encode(txDrops, forKey: .txDrops)
    }
}

extension PolicyReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(name, forKey: .name)
        try row.encode(order, forKey: .order)
        try row.encode(interface, forKey: .interface)
        try row.encode(source, forKey: .source)
        try row.encode(destination, forKey: .destination)
        try row.encode(`protocol`, forKey: .protocol)
        try row.encode(destinationPorts, forKey: .destinationPorts)
        try row.encode(nextHop, forKey: .nextHop)
        try row.encode(packets, forKey: .packets)
    }
}
