internal import Memory
internal import Tables
internal import Wire

/// Makes the set of tables that workers read from a configuration, the indexes of its names and the
/// state of the host. The two tables that live longer are passed through.
struct TableSetBuilder {
    let configuration: Configuration
    let layout: GatewayLayout
    let environment: Environment
    /// Bytes the path to a peer takes, by its index, where that is known.
    var pathMTUs: [Int: Int] = [:]

    func build(forwarding: ProbeTable, neighbors: NeighborTable) -> TableSet {
        let (vsis, floodTargets) = vsiRecords()
        let (devices, vlanPorts) = deviceRecords()
        let routing = RoutingBuilder(
            configuration: configuration, layout: layout, environment: environment
        ).build { mac(of: $0) }
        return TableSet(
            forwarding: ForwardingTable(table: forwarding),
            neighbors: neighbors,
            vsis: Column(vsis, default: VSIRecord()),
            ports: Column(portRecords(), default: .unused),
            devices: Column(devices, default: DeviceRecord(nativePort: -1, vlanTable: -1)),
            vlanPorts: Column(vlanPorts, default: -1),
            peers: Column(peerRecords(), default: .unused),
            interfaces: Column(routing.interfaces, default: RoutingBuilder.noInterface),
            subnets: Column(
                routing.subnets, default: SubnetRecord(network: 0, mask: 0, address: 0)),
            nextHops: Column(
                routing.nextHops, default: NextHopRecord(interface: 0, vsi: 0, address: 0)),
            policies: Column(routing.policies, default: PolicyRecord()),
            floodTargets: Column(floodTargets, default: .none),
            routes: RouteTable(routing.routes, vrfCount: layout.vrfs.bound),
            vsiOfVNI: vniMap(), peerOfAddress: peerMap(), membership: membership(),
            settings: settings())
    }

    private func settings() -> TableSet.Settings {
        let vtep = configuration.vtep
        var settings = TableSet.Settings()
        settings.vtepAddress = environment.vtepAddress.bits
        settings.reservedBitsAreStrict = vtep.reservedBits == .strict
        settings.acceptsUnknownPeers = vtep.acceptUnknownPeers
        settings.underlayMTU = UInt32(environment.underlayMTU)
        settings.sourcePortCount = UInt32(max(environment.sourcePortCount, 1))
        if case .fixed(let ttl) = vtep.ttl { settings.ttl = ttl } else { settings.ttl = 0 }
        if case .fixed(let dscp) = vtep.dscp { settings.dscp = dscp } else { settings.dscp = 255 }
        switch vtep.df {
        case .set: settings.doNotFragment = .set
        case .unset: settings.doNotFragment = .unset
        case .inherit: settings.doNotFragment = .inherit
        }
        let rate = configuration.limits.arpPuntPerSecond
        settings.arpIntervalNanoseconds = rate > 0 ? UInt64(1_000_000_000 / rate) : 0
        settings.icmpIntervalNanoseconds = configuration.limits.icmpIntervalNanoseconds
        settings.spinNanoseconds = UInt64(configuration.system.spinMicroseconds) * 1000
        settings.gatherNanoseconds = UInt64(configuration.system.gatherMicroseconds) * 1000
        return settings
    }

    private func vsiRecords() -> ([VSIRecord], [Destination]) {
        var records = [VSIRecord](repeating: VSIRecord(), count: layout.vsis.bound)
        var targets: [Destination] = []
        var portsOf: [String: [Int]] = [:]
        for port in configuration.accessPorts {
            portsOf[port.vsi, default: []].append(layout.ports[port.name]!)
        }
        let interfaceOf = Dictionary(
            configuration.vsiInterfaces.map { ($0.vsi, layout.interfaces[$0.name]!) },
            uniquingKeysWith: { first, _ in first })
        for vsi in configuration.vsis {
            var record = VSIRecord()
            record.flags = flags(of: vsi)
            record.vni = vsi.vni?.bits ?? 0
            record.innerVLAN =
                switch vsi.innerVLAN {
                case .drop: .drop
                case .strip: .strip
                case .keep: .keep
                }
            record.firstPort = Int32(targets.count)
            let ports = portsOf[vsi.name] ?? []
            targets += ports.map { Destination.port($0) }
            record.portCount = Int32(ports.count)
            let peers = floodPeers(of: vsi)
            targets += peers.map { Destination.peer($0) }
            record.peerCount = Int32(peers.count)
            if let interface = interfaceOf[vsi.name] {
                record.interface = Int32(interface)
                record.flags.insert(.hasInterface)
                if layout.interfaceOf[interface]?.distributedGateway == true {
                    record.flags.insert(.sharesAddresses)
                }
                if layout.interfaceOf[interface]?.localProxyARP == true {
                    // Where both are configured only the proxy acts.
                    record.flags.insert(.proxiesARP)
                    record.flags.remove(.suppressesARP)
                }
            }
            records[layout.vsis[vsi.name]!] = record
        }
        return (records, targets)
    }

    private func flags(of vsi: Configuration.VSI) -> VSIRecord.Flags {
        var flags: VSIRecord.Flags = .inUse
        if vsi.learning { flags.insert(.learning) }
        if vsi.flooding.broadcast { flags.insert(.floodsBroadcast) }
        if vsi.flooding.unknownUnicast { flags.insert(.floodsUnknownUnicast) }
        if vsi.flooding.multicast { flags.insert(.floodsMulticast) }
        if vsi.arpSuppression { flags.insert(.suppressesARP) }
        if vsi.vni != nil { flags.insert(.hasVNI) }
        return flags
    }

    private func floodPeers(of vsi: Configuration.VSI) -> [Int] {
        guard let vni = vsi.vni else { return [] }
        if let names = vsi.floodList { return names.compactMap { layout.peerNamed[$0] } }
        return configuration.peers.filter { $0.carries(vni) }.map { layout.peers[$0.address]! }
    }

    private func portRecords() -> [PortRecord] {
        var records = [PortRecord](repeating: .unused, count: layout.ports.bound)
        for port in configuration.accessPorts {
            let key = DeviceKey(port)
            records[layout.ports[port.name]!] = PortRecord(
                isInUse: true, isUp: environment.devicesUp.contains(key),
                vsi: UInt16(layout.vsis[port.vsi]!), device: UInt16(layout.devices[key]!),
                vlan: port.vlan ?? PortRecord.noVLAN)
        }
        return records
    }

    private func deviceRecords() -> ([DeviceRecord], [Int32]) {
        var records = [DeviceRecord](
            repeating: DeviceRecord(nativePort: -1, vlanTable: -1), count: layout.devices.bound)
        var vlanPorts: [Int32] = []
        for port in configuration.accessPorts {
            let device = layout.devices[DeviceKey(port)]!
            let index = Int32(layout.ports[port.name]!)
            guard let vlan = port.vlan else {
                records[device].nativePort = index
                continue
            }
            if records[device].vlanTable < 0 {
                records[device].vlanTable = Int32(vlanPorts.count)
                vlanPorts += [Int32](repeating: -1, count: 4096)
            }
            vlanPorts[Int(records[device].vlanTable) + Int(vlan)] = index
        }
        return (records, vlanPorts)
    }

    /// The configured MAC, or one that is the same after every restart: locally administered, from
    /// the VTEP address and a digest of the VSI's name.
    func mac(of interface: Configuration.VSIInterface) -> MACAddress {
        if let mac = interface.mac { return mac }
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in interface.vsi.utf8 { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let suffix = (digest ^ digest >> 32) & 0xFF
        return MACAddress(
            bits: 0x02 << 40 | UInt64(environment.vtepAddress.bits) << 8 | suffix)
    }

    private func peerRecords() -> [PeerRecord] {
        var records = [PeerRecord](repeating: .unused, count: layout.peers.bound)
        for (address, index) in layout.peers.indexes {
            records[index] = PeerRecord(
                isInUse: true, carriesEveryVNI: layout.peerOf[index]?.vnis == nil,
                address: address.bits, pathMTU: UInt32(pathMTUs[index] ?? 0))
        }
        return records
    }

    private func vniMap() -> FixedMap {
        FixedMap(
            configuration.vsis.compactMap { vsi in
                vsi.vni.map { ($0.bits, UInt32(layout.vsis[vsi.name]!)) }
            })
    }

    private func peerMap() -> FixedMap {
        let sources = layout.peers.indexes.filter {
            $0.key.isUnicastSource && $0.key != environment.vtepAddress
        }
        return FixedMap(sources.map { ($0.key.bits, UInt32($0.value)) })
    }

    private func membership() -> FixedMap {
        let vsiOfVNI = Dictionary(
            configuration.vsis.compactMap { vsi in vsi.vni.map { ($0, layout.vsis[vsi.name]!) } },
            uniquingKeysWith: { first, _ in first })
        var pairs: [(key: UInt32, value: UInt32)] = []
        for peer in configuration.peers {
            guard let vnis = peer.vnis else { continue }
            let index = layout.peers[peer.address]!
            for vni in Set(vnis) {
                guard let vsi = vsiOfVNI[vni] else { continue }
                pairs.append((TableSet.membershipKey(peer: index, vsi: UInt16(vsi)), 1))
            }
        }
        return FixedMap(pairs)
    }
}

extension Configuration.Limits {
    /// Nanoseconds between two ICMP errors, 0 for no limit.
    var icmpIntervalNanoseconds: UInt64 {
        icmpErrorsPerSecond > 0 ? UInt64(1_000_000_000 / icmpErrorsPerSecond) : 0
    }
}
