/// What `show version` prints.
public struct VersionReport: Codable, Sendable, Equatable {
    public var version: String
    public var name: String
    public var pid: Int32
    public var uptimeSeconds: Double

    public init(version: String, name: String, pid: Int32, uptimeSeconds: Double) {
        self.version = version
        self.name = name
        self.pid = pid
        self.uptimeSeconds = uptimeSeconds
    }

    enum CodingKeys: String, CodingKey {
        case version, name, pid
        case uptimeSeconds = "uptime_seconds"
    }
}

/// A row of `show fdb`. `port` and `peer` are null for own MACs; `kind` is `flood` for the all-zero
/// default entry of each flood target (the Linux form of a flood list).
public struct FDBReport: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case dynamic, `static`, own, flood
    }

    public var vsi: String
    public var vni: UInt32?
    public var mac: String
    public var kind: Kind
    public var port: String?
    public var peer: String?
    public var address: String?
    public var ageSeconds: Int
    public var moves: Int
    /// Moved too often, and stays where it is for a while.
    public var isFrozen = false

    public init(
        vsi: String, vni: UInt32?, mac: String, kind: Kind, port: String? = nil,
        peer: String? = nil, address: String? = nil, ageSeconds: Int = 0, moves: Int = 0
    ) {
        self.vsi = vsi
        self.vni = vni
        self.mac = mac
        self.kind = kind
        self.port = port
        self.peer = peer
        self.address = address
        self.ageSeconds = ageSeconds
        self.moves = moves
    }

    enum CodingKeys: String, CodingKey {
        case vsi, vni, mac, kind, port, peer, address, moves
        case ageSeconds = "age_seconds"
        case isFrozen = "frozen"
    }
}

/// A row of `show arp`.
public struct ARPReport: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case dynamic, `static`, own
    }

    public enum State: String, Codable, Sendable {
        case reachable, stale, incomplete, failed
    }

    public var vrf: String
    public var interface: String
    public var address: String
    public var mac: String?
    public var kind: Kind
    public var state: State
    public var port: String?
    public var peer: String?
    public var ageSeconds: Int
    /// Moved too often, and stays where it is for a while.
    public var isFrozen = false

    public init(
        vrf: String, interface: String, address: String, mac: String?, kind: Kind, state: State,
        port: String? = nil, peer: String? = nil, ageSeconds: Int = 0
    ) {
        self.vrf = vrf
        self.interface = interface
        self.address = address
        self.mac = mac
        self.kind = kind
        self.state = state
        self.port = port
        self.peer = peer
        self.ageSeconds = ageSeconds
    }

    enum CodingKeys: String, CodingKey {
        case vrf, interface, address, mac, kind, state, port, peer
        case ageSeconds = "age_seconds"
        case isFrozen = "frozen"
    }
}

/// A row of `show route`.
public struct RouteReport: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case connected, `static`, host, blackhole
    }

    public var vrf: String
    public var prefix: String
    public var kind: Kind
    public var via: String?
    public var interface: String?
    public var onlink: Bool

    public init(
        vrf: String, prefix: String, kind: Kind, via: String? = nil, interface: String? = nil,
        onlink: Bool = false
    ) {
        self.vrf = vrf
        self.prefix = prefix
        self.kind = kind
        self.via = via
        self.interface = interface
        self.onlink = onlink
    }

    enum CodingKeys: String, CodingKey {
        case vrf, prefix, kind, via, interface, onlink
    }
}

/// A row of `show peer`.
public struct PeerReport: Codable, Sendable, Equatable {
    public var name: String
    public var address: String
    public var vnis: [UInt32]
    public var rxPackets: UInt64
    public var rxBytes: UInt64
    public var txPackets: UInt64
    public var txBytes: UInt64

    public init(
        name: String, address: String, vnis: [UInt32], rxPackets: UInt64, rxBytes: UInt64,
        txPackets: UInt64, txBytes: UInt64
    ) {
        self.name = name
        self.address = address
        self.vnis = vnis
        self.rxPackets = rxPackets
        self.rxBytes = rxBytes
        self.txPackets = txPackets
        self.txBytes = txBytes
    }

    enum CodingKeys: String, CodingKey {
        case name, address, vnis
        case rxPackets = "rx_packets"
        case rxBytes = "rx_bytes"
        case txPackets = "tx_packets"
        case txBytes = "tx_bytes"
    }
}

/// A row of `show port`.
public struct PortReport: Codable, Sendable, Equatable {
    public var name: String
    public var type: String
    public var device: String
    public var vlan: UInt16?
    public var vsi: String
    /// `up` or `down`.
    public var state: String
    public var rxPackets: UInt64
    public var rxBytes: UInt64
    public var txPackets: UInt64
    public var txBytes: UInt64
    public var rxDrops: UInt64
    public var txDrops: UInt64

    public init(
        name: String, type: String, device: String, vlan: UInt16?, vsi: String, state: String,
        rxPackets: UInt64, rxBytes: UInt64, txPackets: UInt64, txBytes: UInt64, rxDrops: UInt64,
        txDrops: UInt64
    ) {
        self.name = name
        self.type = type
        self.device = device
        self.vlan = vlan
        self.vsi = vsi
        self.state = state
        self.rxPackets = rxPackets
        self.rxBytes = rxBytes
        self.txPackets = txPackets
        self.txBytes = txBytes
        self.rxDrops = rxDrops
        self.txDrops = txDrops
    }

    enum CodingKeys: String, CodingKey {
        case name, type, device, vlan, vsi, state
        case rxPackets = "rx_packets"
        case rxBytes = "rx_bytes"
        case txPackets = "tx_packets"
        case txBytes = "tx_bytes"
        case rxDrops = "rx_drops"
        case txDrops = "tx_drops"
    }
}

/// A row of `show drops`.
public struct DropReport: Codable, Sendable, Equatable {
    public var reason: String
    public var stage: String
    public var packets: UInt64
    public var description: String

    public init(reason: String, stage: String, packets: UInt64, description: String) {
        self.reason = reason
        self.stage = stage
        self.packets = packets
        self.description = description
    }
}

/// A stage of `show counters`.
public struct StageReport: Codable, Sendable, Equatable {
    public var stage: String
    public var packets: UInt64
    public var bytes: UInt64
    public var drops: UInt64
    public var vectors: UInt64
    public var packetsPerVector: Double
    public var clocksPerPacket: Double

    public init(
        stage: String, packets: UInt64, bytes: UInt64, drops: UInt64, vectors: UInt64,
        clocks: UInt64
    ) {
        self.stage = stage
        self.packets = packets
        self.bytes = bytes
        self.drops = drops
        self.vectors = vectors
        packetsPerVector = vectors == 0 ? 0 : Double(packets) / Double(vectors)
        clocksPerPacket = packets == 0 ? 0 : Double(clocks) / Double(packets)
    }

    enum CodingKeys: String, CodingKey {
        case stage, packets, bytes, drops, vectors
        case packetsPerVector = "packets_per_vector"
        case clocksPerPacket = "clocks_per_packet"
    }
}

/// The identity of the packet accounts: received + replicated = transmitted + consumed + dropped +
/// held.
public struct TotalsReport: Codable, Sendable, Equatable {
    public var received: UInt64 = 0
    public var transmitted: UInt64 = 0
    public var replicated: UInt64 = 0
    public var consumed: UInt64 = 0
    public var dropped: UInt64 = 0
    public var held: UInt64 = 0

    public init() {}
}

/// What `show counters` prints.
public struct CountersReport: Codable, Sendable, Equatable {
    public var stages: [StageReport]
    public var totals: TotalsReport
    public var events: [String: UInt64]

    public init(stages: [StageReport], totals: TotalsReport, events: [String: UInt64]) {
        self.stages = stages
        self.totals = totals
        self.events = events
    }
}

/// One worker of `show runtime`.
public struct WorkerReport: Codable, Sendable, Equatable {
    public var worker: Int
    public var cpu: Int
    public var counters: CountersReport
    /// Share of the time since start (or the last clear) not spent blocked, 0...1.
    public var busyShare: Double
    public var turns: UInt64
    public var wakeups: UInt64
    public var submissionsPerTurn: Double
    public var completionsPerTurn: Double
    public var multishotRearmed: UInt64
    public var buffersInUse: Int
    public var buffers: Int

    public init(
        worker: Int, cpu: Int, counters: CountersReport, busyShare: Double, turns: UInt64,
        wakeups: UInt64, submissions: UInt64, completions: UInt64, multishotRearmed: UInt64,
        buffersInUse: Int, buffers: Int
    ) {
        self.worker = worker
        self.cpu = cpu
        self.counters = counters
        self.busyShare = busyShare
        self.turns = turns
        self.wakeups = wakeups
        submissionsPerTurn = turns == 0 ? 0 : Double(submissions) / Double(turns)
        completionsPerTurn = turns == 0 ? 0 : Double(completions) / Double(turns)
        self.multishotRearmed = multishotRearmed
        self.buffersInUse = buffersInUse
        self.buffers = buffers
    }

    enum CodingKeys: String, CodingKey {
        case worker, cpu, counters, turns, wakeups, buffers
        case busyShare = "busy_share"
        case submissionsPerTurn = "submissions_per_turn"
        case completionsPerTurn = "completions_per_turn"
        case multishotRearmed = "multishot_rearmed"
        case buffersInUse = "buffers_in_use"
    }
}

/// What `show runtime` prints.
public struct RuntimeReport: Codable, Sendable, Equatable {
    public var workers: [WorkerReport]
    /// What the kernel offers and which of it is in use, by name (`multishot_receive`,
    /// `udp_segment`…), each with `on`, `off` or why not.
    public var features: [String: String]
    /// Parts of the configuration that this version validates but does not act on.
    public var inactive: [String]

    public init(workers: [WorkerReport], features: [String: String], inactive: [String]) {
        self.workers = workers
        self.features = features
        self.inactive = inactive
    }
}
