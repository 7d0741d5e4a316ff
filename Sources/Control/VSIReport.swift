/// A row of `show vsi`.
public struct VSIReport: Codable, Sendable, Equatable {
    public var name: String
    public var vni: UInt32?
    public var fdbEntries: Int
    public var rxPackets: UInt64
    public var txPackets: UInt64
    public var floodedPackets: UInt64
    /// Names of the ports and peers a broadcast of this VSI goes to.
    public var ports: [String]
    public var floodList: [String]
    /// Bytes of the largest IP packet its VSI-interface sends, or would; nil when unknown.
    public var mtu: Int?
    public var ageingSeconds = 0
    /// `up` while a port is up or there is a peer to flood to, else `down`.
    public var state = "down"
    /// The outer side of a VXLAN, as `ip -d link show` has it; nil and empty for a local VSI. The
    /// remote ends are those of the flood list, `dev` is the device that holds the local address.
    public var local: String?
    public var remote: [String] = []
    public var dev: String?
    /// The lowest and the highest outer source port in use.
    public var sourcePorts: [UInt16] = []
    public var destinationPort: UInt16?
    /// `auto`, `on` or `off`.
    public var udpChecksum: String?

    public init(
        name: String, vni: UInt32?, fdbEntries: Int, rxPackets: UInt64, txPackets: UInt64,
        floodedPackets: UInt64, ports: [String], floodList: [String]
    ) {
        self.name = name
        self.vni = vni
        self.fdbEntries = fdbEntries
        self.rxPackets = rxPackets
        self.txPackets = txPackets
        self.floodedPackets = floodedPackets
        self.ports = ports
        self.floodList = floodList
    }

    enum CodingKeys: String, CodingKey {
        case name, vni, ports, mtu, state, local, remote, dev
        case fdbEntries = "fdb_entries"
        case rxPackets = "rx_packets"
        case txPackets = "tx_packets"
        case floodedPackets = "flooded_packets"
        case floodList = "flood_list"
        case ageingSeconds = "ageing_seconds"
        case sourcePorts = "srcport"
        case destinationPort = "dstport"
        case udpChecksum = "udp_checksum"
    }
}

// An absent value is `null`, see `FDBReport`.
extension VSIReport {
    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(name, forKey: .name)
        try row.encode(vni, forKey: .vni)
        try row.encode(fdbEntries, forKey: .fdbEntries)
        try row.encode(rxPackets, forKey: .rxPackets)
        try row.encode(txPackets, forKey: .txPackets)
        try row.encode(floodedPackets, forKey: .floodedPackets)
        try row.encode(ports, forKey: .ports)
        try row.encode(floodList, forKey: .floodList)
        try row.encode(mtu, forKey: .mtu)
        try row.encode(ageingSeconds, forKey: .ageingSeconds)
        try row.encode(state, forKey: .state)
        try row.encode(local, forKey: .local)
        try row.encode(remote, forKey: .remote)
        try row.encode(dev, forKey: .dev)
        try row.encode(sourcePorts, forKey: .sourcePorts)
        try row.encode(destinationPort, forKey: .destinationPort)
        try row.encode(udpChecksum, forKey: .udpChecksum)
    }
}
