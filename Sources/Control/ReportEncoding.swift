/// The contract's JSON shows a value that is absent as `null`, while synthesized encoding leaves
/// its key out; rows with optional values therefore write themselves. Those of long tables do it in
/// the order of their keys, which is that of the text, so that nothing has to be moved.
extension FDBReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(address, forKey: .address)
        try row.encode(ageSeconds, forKey: .ageSeconds)
        try row.encode(isFrozen, forKey: .isFrozen)
        try row.encode(kind, forKey: .kind)
        try row.encode(mac, forKey: .mac)
        try row.encode(moves, forKey: .moves)
        try row.encode(peer, forKey: .peer)
        try row.encode(port, forKey: .port)
        try row.encode(vni, forKey: .vni)
        try row.encode(vsi, forKey: .vsi)
    }
}

extension ARPReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(address, forKey: .address)
        try row.encode(ageSeconds, forKey: .ageSeconds)
        try row.encode(isFrozen, forKey: .isFrozen)
        try row.encode(interface, forKey: .interface)
        try row.encode(kind, forKey: .kind)
        try row.encode(mac, forKey: .mac)
        try row.encode(peer, forKey: .peer)
        try row.encode(port, forKey: .port)
        try row.encode(state, forKey: .state)
        try row.encode(vrf, forKey: .vrf)
    }
}

extension RouteReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(interface, forKey: .interface)
        try row.encode(kind, forKey: .kind)
        try row.encode(onlink, forKey: .onlink)
        try row.encode(prefix, forKey: .prefix)
        try row.encode(via, forKey: .via)
        try row.encode(vrf, forKey: .vrf)
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
