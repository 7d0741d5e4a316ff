import Dataplane
import Memory
import Tables
import Wire

/// A gateway in memory: the pipeline as a worker has it, over tables that know both ends of every
/// flow of one path.
///
/// Device 0 is port 0 in VSI 0. VSIs 0 and 1 have a VNI and a VSI-interface each; eight peers
/// carry both.
///
/// Lifetime: the process; nothing is freed.
struct ModelGateway {
    let pipeline: Pipeline
    private let region: PageRegion
    private let events = SPSCRing<PuntEvent>(capacity: 1024, filler: .filler)
    private let frames = FrameRing<PuntHeader>(capacity: 1 << 16)

    /// Nothing was handed to the agent.
    var isSilent: Bool { events.isEmpty && frames.isEmpty }

    init(path: Path, flowCount: Int) {
        let tables = UnsafeMutablePointer<TableSet>.allocate(capacity: 1)
        unsafe tables.initialize(to: Self.tables(path, flowCount))
        region = PageRegion(byteCount: CounterLayout.count * 8)
        pipeline = Pipeline(
            batch: PacketBatch(), counters: Counters(region: region),
            punts: PuntPort(events: events, frames: frames),
            policers: Column(count: Pipeline.policerCount, repeating: 0),
            tables: unsafe TableView(tables))
    }

    private static func tables(_ path: Path, _ flowCount: Int) -> TableSet {
        var settings = TableSet.Settings()
        settings.vtepAddress = AddressPlan.vtep
        settings.underlayMTU = 1500
        settings.sourcePortCount = 64
        let peers = 0..<AddressPlan.peerCount
        return TableSet(
            forwarding: ForwardingTable(table: forwarding(path, flowCount)),
            neighbors: neighbors(path, flowCount), vsis: vsis(),
            ports: Column(
                [
                    PortRecord(
                        isInUse: true, isUp: true, vsi: 0, device: 0, vlan: PortRecord.noVLAN)
                ], default: .unused),
            devices: Column(count: 1, repeating: DeviceRecord(nativePort: 0, vlanTable: -1)),
            vlanPorts: Column(count: 0, repeating: -1),
            peers: Column(
                peers.map {
                    PeerRecord(
                        isInUse: true, carriesEveryVNI: true, address: AddressPlan.peer($0))
                }, default: .unused),
            interfaces: interfaces(), subnets: subnets(), nextHops: nextHops(),
            policies: Column(count: 0, repeating: PolicyRecord()),
            floodTargets: Column([.port(0), .peer(0), .peer(0)], default: .none),
            routes: routes(path, flowCount),
            vsiOfVNI: FixedMap(AddressPlan.vnis.enumerated().map { ($1, UInt32($0)) }),
            peerOfAddress: FixedMap(peers.map { (AddressPlan.peer($0), UInt32($0)) }),
            membership: FixedMap([]), settings: settings)
    }

    private static func vsis() -> Column<VSIRecord> {
        let records = (0..<2).map { index in
            var record = VSIRecord()
            record.flags = [
                .inUse, .learning, .hasVNI, .hasInterface, .floodsBroadcast, .floodsMulticast,
                .floodsUnknownUnicast,
            ]
            record.vni = AddressPlan.vnis[index]
            record.firstPort = Int32(index * 2)
            record.portCount = index == 0 ? 1 : 0
            record.peerCount = 1
            record.interface = Int32(index)
            return record
        }
        return Column(records, default: VSIRecord())
    }

    private static func interfaces() -> Column<InterfaceRecord> {
        let records = (0..<2).map { index in
            var record = InterfaceRecord(
                mac: AddressPlan.gatewayMAC, vsi: UInt16(index), vrf: 0, mtu: 1450)
            record.firstSubnet = Int32(index)
            record.subnetCount = 1
            return record
        }
        return Column(records, default: records[0])
    }

    private static func subnets() -> Column<SubnetRecord> {
        let records = AddressPlan.subnets.map {
            SubnetRecord(network: $0 & 0xFF00_0000, mask: 0xFF00_0000, address: $0)
        }
        return Column(records, default: records[0])
    }
}
