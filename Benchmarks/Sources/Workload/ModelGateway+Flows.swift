import Memory
import Tables
import Wire

// The tables that are as large as the number of flows.
extension ModelGateway {
    /// Both hosts of every flow in the VSI where the path looks for them. A table starts and grows
    /// as the agent's does, so that it is as full as in life.
    static func forwarding(_ path: Path, _ flowCount: Int) -> ProbeTable {
        var table = ProbeTable(buckets: 8192)
        func add(_ mac: UInt64, _ vsi: UInt16, _ place: Destination, _ kind: ForwardingTable.Kind) {
            insert(
                ForwardingTable.key(mac: mac, vsi: vsi),
                ForwardingTable.value(place, kind: kind.rawValue), into: &table)
        }
        for vsi in UInt16(0)...1 {
            add(AddressPlan.gatewayMAC, vsi, .own(Int(vsi)), .own)
        }
        for flow in 0..<flowCount {
            let peer = flow % AddressPlan.peerCount
            if path != .transit { add(AddressPlan.localMAC(flow), 0, .port(0), .dynamic) }
            if !path.isRouted || path == .transit {
                add(AddressPlan.remoteMAC(flow), 0, .peer(peer), .dynamic)
            }
            if path == .route || path == .transit {
                add(AddressPlan.remoteMAC(flow), 1, .peer(peer), .dynamic)
            }
        }
        guard path == .prefixes else { return table }
        for hop in 0..<AddressPlan.nextHopCount {
            let peer = hop % AddressPlan.peerCount
            add(AddressPlan.remoteMAC(hop), 1, .peer(peer), .dynamic)
        }
        return table
    }

    static func neighbors(_ path: Path, _ flowCount: Int) -> NeighborTable {
        var table = ProbeTable(buckets: 512)
        let hosts = path == .prefixes ? AddressPlan.nextHopCount : flowCount
        let records = Column(
            count: hosts + AddressPlan.subnets.count,
            repeating: NeighborRecord(mac: AddressPlan.gatewayMAC, egress: .none))
        let directory = NeighborDirectory()
        func add(_ vsi: UInt16, _ address: UInt32, _ record: Int, _ flags: UInt32) {
            let key = NeighborTable.key(vsi: vsi, address: address)
            let value = NeighborTable.value(record: record, flags: flags)
            insert(key, value, into: &table)
            directory.note(key, value)
        }
        for (vsi, address) in AddressPlan.subnets.enumerated() {
            add(UInt16(vsi), address, hosts + vsi, NeighborTable.ownFlag)
        }
        for host in 0..<(path.isRouted ? hosts : 0) {
            records[host] = NeighborRecord(mac: AddressPlan.remoteMAC(host), egress: .none)
            add(1, AddressPlan.remoteAddress(host), host, 0)
        }
        return NeighborTable(table: table, records: records, directory: directory)
    }

    static func routes(_ path: Path, _ flowCount: Int) -> RouteTable {
        var routes = AddressPlan.subnets.enumerated().map { index, address in
            RouteTable.Route(
                vrf: 0, prefix: IPv4Prefix(address: IPv4Address(bits: address), length: 8),
                action: .forward, firstNextHop: index, nextHopCount: 1)
        }
        if path == .prefixes {
            routes += (0..<flowCount).map { flow in
                RouteTable.Route(
                    vrf: 0, prefix: AddressPlan.prefix(flow), action: .forward,
                    firstNextHop: AddressPlan.subnets.count + flow % AddressPlan.nextHopCount,
                    nextHopCount: 1)
            }
        }
        routes += AddressPlan.subnets.map { address in
            RouteTable.Route(
                vrf: 0, prefix: IPv4Prefix(address: IPv4Address(bits: address), length: 32),
                action: .own)
        }
        return RouteTable(routes, vrfCount: 1)
    }

    /// The connected subnets, then the next hops of the prefixes.
    static func nextHops() -> Column<NextHopRecord> {
        let connected = AddressPlan.subnets.indices.map {
            NextHopRecord(interface: $0, vsi: UInt16($0), address: 0)
        }
        let remote = (0..<AddressPlan.nextHopCount).map {
            NextHopRecord(interface: 1, vsi: 1, address: AddressPlan.remoteAddress($0))
        }
        return Column(connected + remote, default: connected[0])
    }

    private static func insert(_ key: UInt64, _ value: UInt32, into table: inout ProbeTable) {
        while table.insert(key, value: value, time: 0) == nil {
            let larger = table.grown()
            table.deallocate()
            table = larger
        }
    }
}
