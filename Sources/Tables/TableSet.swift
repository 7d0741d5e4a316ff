public import Memory
internal import Wire

/// Everything a worker looks up, as one set that is consistent in itself.
///
/// The agent builds a new set for every change of configuration or link state and publishes it; a
/// worker takes the one in force at the start of a turn. Only the tables inside `forwarding` and
/// `neighbors` change while the set is in force.
///
/// Thread-safety: immutable but for the two tables named, whose rules are those of `ProbeTable`.
/// May be used until the worker's next turn.
public struct TableSet: Sendable {
    public var forwarding: ForwardingTable
    public var neighbors: NeighborTable
    public var vsis: Column<VSIRecord>
    public var ports: Column<PortRecord>
    public var devices: Column<DeviceRecord>
    public var vlanPorts: Column<Int32>
    public var peers: Column<PeerRecord>
    public var interfaces: Column<InterfaceRecord>
    public var subnets: Column<SubnetRecord>
    public var nextHops: Column<NextHopRecord>
    public var policies: Column<PolicyRecord>
    public var floodTargets: Column<Destination>
    public var routes: RouteTable
    public var vsiOfVNI: FixedMap
    /// Only addresses that packets from elsewhere may have for their source.
    public var peerOfAddress: FixedMap
    /// Peers and the VSIs they may carry, keyed by `membershipKey`; only for peers that list their
    /// VNIs.
    public var membership: FixedMap
    public var settings: Settings
    /// Bytes of an inner packet that is too large for no tunnel, `Int.max` when nothing is known.
    public let certainTunnelMTU: Int

    /// What holds for the whole gateway.
    public struct Settings: BitwiseCopyable, Sendable {
        /// The local VTEP, host order.
        public var vtepAddress: UInt32 = 0
        public var reservedBitsAreStrict = false
        public var acceptsUnknownPeers = false
        /// Bytes of the largest outer IPv4 packet, 0 when unknown.
        public var underlayMTU: UInt32 = 0
        /// Outer TTL, 0 to inherit.
        public var ttl: UInt8 = 64
        /// Outer DSCP, 255 to inherit.
        public var dscp: UInt8 = 0
        public var doNotFragment = DoNotFragment.unset
        /// How many source ports flows are spread over.
        public var sourcePortCount: UInt32 = 1
        /// Nanoseconds between two ARP packets of one port that the gateway answers, 0 for no
        /// limit.
        public var arpIntervalNanoseconds: UInt64 = 0
        /// Nanoseconds between two ICMP errors the gateway sends, 0 for no limit.
        public var icmpIntervalNanoseconds: UInt64 = 0

        /// Nanoseconds for which an idle worker looks on at most before it sleeps.
        public var spinNanoseconds: UInt64 = 0
        /// Nanoseconds for which a worker lets packets gather at most.
        public var gatherNanoseconds: UInt64 = 0

        public init() {}
    }

    /// The outer DF bit (RFC 4459).
    public enum DoNotFragment: UInt8, BitwiseCopyable, Sendable {
        case unset, set, inherit
    }

    /// At most 65536 peers and VSIs.
    @_noLocks
    public static func membershipKey(peer: Int, vsi: UInt16) -> UInt32 {
        UInt32(truncatingIfNeeded: peer) &<< 16 | UInt32(vsi)
    }

    public init(
        forwarding: ForwardingTable, neighbors: NeighborTable, vsis: Column<VSIRecord>,
        ports: Column<PortRecord>, devices: Column<DeviceRecord>, vlanPorts: Column<Int32>,
        peers: Column<PeerRecord>, interfaces: Column<InterfaceRecord>,
        subnets: Column<SubnetRecord>, nextHops: Column<NextHopRecord>,
        policies: Column<PolicyRecord>, floodTargets: Column<Destination>, routes: RouteTable,
        vsiOfVNI: FixedMap, peerOfAddress: FixedMap, membership: FixedMap, settings: Settings
    ) {
        self.forwarding = forwarding
        self.neighbors = neighbors
        self.vsis = vsis
        self.ports = ports
        self.devices = devices
        self.vlanPorts = vlanPorts
        self.peers = peers
        self.interfaces = interfaces
        self.subnets = subnets
        self.nextHops = nextHops
        self.policies = policies
        self.floodTargets = floodTargets
        self.routes = routes
        self.vsiOfVNI = vsiOfVNI
        self.peerOfAddress = peerOfAddress
        self.membership = membership
        self.settings = settings
        certainTunnelMTU = Self.certainTunnelMTU(peers, settings)
    }

    /// The least of what the underlay and the paths to the peers leave beside the outer headers.
    private static func certainTunnelMTU(
        _ peers: Column<PeerRecord>, _ settings: Settings
    ) -> Int {
        let paths = (0..<peers.count).map { peers[$0].pathMTU }
        let known = ([settings.underlayMTU] + paths).map(Int.init)
            .filter { $0 > OuterHeader.packetOverhead }
        return known.min().map { $0 - OuterHeader.packetOverhead } ?? .max
    }

    /// Frees what belongs to this set alone: all but the two tables that outlive it.
    public func deallocate() {
        vsis.deallocate()
        ports.deallocate()
        devices.deallocate()
        vlanPorts.deallocate()
        peers.deallocate()
        interfaces.deallocate()
        subnets.deallocate()
        nextHops.deallocate()
        policies.deallocate()
        floodTargets.deallocate()
        routes.deallocate()
        vsiOfVNI.deallocate()
        peerOfAddress.deallocate()
        membership.deallocate()
    }
}
