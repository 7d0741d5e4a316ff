import Dataplane
import Memory
import Tables
import Wire

/// A small gateway with one of everything the stages tell apart, made once and never freed.
///
/// | VSI | VNI | properties |
/// |---|---|---|
/// | 0 | 10 | learns, floods everything, drops inner tags |
/// | 1 | 20 | interface 10.1.1.1/24, ARP suppression, keeps inner tags |
/// | 2 | 30 | interface 20.1.1.1/24, local proxy ARP, strips inner tags, no unknown flood |
/// | 3 | none | local, learns nothing, floods broadcasts alone |
///
/// Ports 0 to 3 are the native ports of devices 0 to 3, one in each VSI; port 4 is VLAN 100 of
/// device 0, in VSI 1; port 5 is down, in VSI 0. Device 4 has no native port. Peer 0 carries every
/// VNI, peer 1 only VNI 10.
struct World {
    static let vtep: UInt32 = 0xAC10_0001
    static let peers: [UInt32] = [0xAC10_0002, 0xAC10_0003]
    static let gatewayMAC: UInt64 = 0x0200_5E00_0001
    static let hostMAC: UInt64 = 0x02AA_0000_0001
    static let remoteMAC: UInt64 = 0x02CC_0000_0003
    /// A static entry behind peer 1.
    static let staticMAC: UInt64 = 0x02DD_0000_0004
    static let gatewayAddress: UInt32 = 0x0A01_0101
    static let otherGatewayAddress: UInt32 = 0x1401_0101
    static let hostAddress: UInt32 = 0x0A01_010B
    static let remoteAddress: UInt32 = 0x1401_010C
    /// Known, in the host's subnet and behind a tunnel: what ARP suppression answers for.
    static let neighborAddress: UInt32 = 0x0A01_010C

    let pipeline: Pipeline
    let region: PageRegion
    let events = SPSCRing<PuntEvent>(capacity: 8, filler: .filler)
    /// Small, so that it is full at times.
    let frames = FrameRing<PuntHeader>(capacity: 1 << 14)

    init(settings: TableSet.Settings) {
        region = PageRegion(byteCount: CounterLayout.count * 8)
        let tables = UnsafeMutablePointer<TableSet>.allocate(capacity: 1)
        unsafe tables.initialize(to: Self.tables(settings))
        pipeline = Pipeline(
            batch: PacketBatch(), counters: Counters(region: region),
            punts: PuntPort(events: events, frames: frames),
            policers: Column(count: Pipeline.policerCount, repeating: 0),
            tables: unsafe TableView(tables))
    }

    private static func tables(_ settings: TableSet.Settings) -> TableSet {
        let vlanPorts = Column<Int32>(count: 4096, repeating: -1)
        vlanPorts[100] = 4
        let routes = [
            route(gatewayAddress, 24, 0), route(otherGatewayAddress, 24, 1),
            route(0x3201_0000, 16, 2, count: 2), route(0x3202_0000, 16, 3),
            RouteTable.Route(
                vrf: 1, prefix: prefix(0x3203_0000, 16), action: .blackhole),
            RouteTable.Route(vrf: 1, prefix: prefix(gatewayAddress, 32), action: .own),
            RouteTable.Route(vrf: 1, prefix: prefix(otherGatewayAddress, 32), action: .own),
        ]
        return TableSet(
            forwarding: forwarding(), neighbors: neighbors(), vsis: vsis(), ports: ports(),
            devices: Column(
                (0..<5).map {
                    DeviceRecord(nativePort: $0 == 4 ? -1 : $0, vlanTable: $0 % 4 == 0 ? 0 : -1)
                },
                default: DeviceRecord(nativePort: -1, vlanTable: -1)),
            vlanPorts: vlanPorts,
            peers: Column(
                [
                    PeerRecord(isInUse: true, carriesEveryVNI: true, address: peers[0]),
                    PeerRecord(isInUse: true, carriesEveryVNI: false, address: peers[1]),
                ], default: .unused),
            interfaces: Column(interfaces(), default: interface(0)),
            subnets: Column(
                [gatewayAddress, otherGatewayAddress].map {
                    SubnetRecord(network: $0 & 0xFFFF_FF00, mask: 0xFFFF_FF00, address: $0)
                }, default: SubnetRecord(network: 0, mask: 0, address: 0)),
            nextHops: Column(
                [
                    NextHopRecord(interface: 0, vsi: 1, address: 0),
                    NextHopRecord(interface: 1, vsi: 2, address: 0),
                    NextHopRecord(interface: 1, vsi: 2, address: remoteAddress),
                    NextHopRecord(interface: 0, vsi: 1, address: hostAddress),
                ], default: NextHopRecord(interface: 0, vsi: 1, address: 0)),
            policies: Column([policy()], default: PolicyRecord()),
            floodTargets: Column(floodTargets.flatMap { $0 }, default: .none),
            routes: RouteTable(routes, vrfCount: 2),
            vsiOfVNI: FixedMap([(10, 0), (20, 1), (30, 2)]),
            peerOfAddress: FixedMap([(peers[0], 0), (peers[1], 1)]),
            membership: FixedMap([(TableSet.membershipKey(peer: 1, vsi: 0), 0)]),
            settings: settings)
    }

    private static func interface(_ vsi: UInt16) -> InterfaceRecord {
        var record = InterfaceRecord(mac: gatewayMAC, vsi: vsi, vrf: 1, mtu: 1450)
        record.firstSubnet = Int32(vsi) - 1
        record.subnetCount = 1
        return record
    }

    private static func interfaces() -> [InterfaceRecord] {
        var records = [interface(1), interface(2)]
        records[0].policyCount = 1
        records[1].reversePath = .strict
        return records
    }

    /// UDP to ports below 1024 from VSI 1 goes to the remote host.
    private static func policy() -> PolicyRecord {
        var record = PolicyRecord()
        record.protocolNumber = ProtocolNumber.udp
        record.lastDestinationPort = 1023
        record.comparesPorts = true
        record.nextHop = 2
        return record
    }

    /// For each VSI its ports, then its peers.
    private static var floodTargets: [[Destination]] {
        [
            [.port(0), .port(5), .peer(0), .peer(1)],
            [.port(1), .port(4), .peer(0)],
            [.port(2), .peer(0)],
            [.port(3)],
        ]
    }

    private static func vsis() -> Column<VSIRecord> {
        let floods: VSIRecord.Flags = [.floodsBroadcast, .floodsUnknownUnicast, .floodsMulticast]
        let flags: [VSIRecord.Flags] = [
            [.inUse, .learning, .hasVNI, floods],
            [.inUse, .learning, .hasVNI, .hasInterface, .suppressesARP, floods],
            [.inUse, .learning, .hasVNI, .hasInterface, .proxiesARP, .floodsBroadcast],
            [.inUse, .floodsBroadcast],
        ]
        var first: Int32 = 0
        let records = (0..<4).map { index in
            var record = VSIRecord()
            let targets = floodTargets[index]
            record.flags = flags[index]
            record.innerVLAN = [.drop, .keep, .strip, .keep][index]
            record.vni = [10, 20, 30, 0][index]
            record.firstPort = first
            record.portCount = Int32(targets.count { $0.isPort })
            record.peerCount = Int32(targets.count { $0.isPeer })
            record.interface = [-1, 0, 1, -1][index]
            first += Int32(targets.count)
            return record
        }
        return Column(records, default: VSIRecord())
    }

    private static func ports() -> Column<PortRecord> {
        Column(
            (0..<6).map { index in
                PortRecord(
                    isInUse: true, isUp: index != 5, vsi: [0, 1, 2, 3, 1, 0][index],
                    device: UInt16(index % 4), vlan: index == 4 ? 100 : PortRecord.noVLAN)
            }, default: .unused)
    }

    private static func forwarding() -> ForwardingTable {
        let table = ProbeTable(buckets: 16)
        func add(_ mac: UInt64, _ vsi: UInt16, _ place: Destination, _ kind: UInt32) {
            let value = ForwardingTable.value(place, kind: kind)
            _ = table.insert(ForwardingTable.key(mac: mac, vsi: vsi), value: value, time: 0)
        }
        for vsi in UInt16(1)...2 { add(gatewayMAC, vsi, .own(Int(vsi) - 1), 3) }
        add(hostMAC, 0, .port(0), 1)
        add(hostMAC, 1, .port(1), 1)
        add(remoteMAC, 0, .peer(0), 1)
        add(remoteMAC, 2, .peer(0), 1)
        add(staticMAC, 0, .peer(1), 2)
        add(0x02EE_0000_0005, 0, .port(5), 2)
        return ForwardingTable(table: table)
    }

    private static func neighbors() -> NeighborTable {
        let table = ProbeTable(buckets: 16)
        let records = Column(count: 8, repeating: NeighborRecord(mac: 0, egress: .none))
        let directory = NeighborDirectory()
        func add(
            _ address: UInt32, _ vsi: UInt16, _ mac: UInt64, _ flags: UInt32,
            _ egress: Destination = .none
        ) {
            let record = table.count
            records[record] = NeighborRecord(mac: mac, egress: egress)
            let key = NeighborTable.key(vsi: vsi, address: address)
            let value = NeighborTable.value(record: record, flags: flags)
            _ = table.insert(key, value: value, time: 0)
            directory.note(key, value)
        }
        add(gatewayAddress, 1, gatewayMAC, NeighborTable.ownFlag)
        add(otherGatewayAddress, 2, gatewayMAC, NeighborTable.ownFlag)
        add(hostAddress, 1, hostMAC, 0, .port(1))
        add(remoteAddress, 2, remoteMAC, NeighborTable.staticFlag)
        // The shared MAC of another gateway.
        add(neighborAddress, 1, gatewayMAC, 0, .peer(0))
        add(neighborAddress + 1, 1, 0, NeighborTable.incompleteFlag)
        add(neighborAddress + 2, 1, 0, NeighborTable.failedFlag)
        return NeighborTable(table: table, records: records, directory: directory)
    }

    private static func prefix(_ network: UInt32, _ length: UInt8) -> IPv4Prefix {
        IPv4Prefix(address: IPv4Address(bits: network), length: length)
    }

    private static func route(
        _ network: UInt32, _ length: UInt8, _ nextHop: Int, count: Int = 1
    ) -> RouteTable.Route {
        RouteTable.Route(
            vrf: 1, prefix: prefix(network, length), action: .forward, firstNextHop: nextHop,
            nextHopCount: count)
    }
}
