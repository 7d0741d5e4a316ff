internal import Memory
public import Wire

/// The routes of every VRF, longest prefix first (RFC 1812 section 5.2.4.3).
///
/// One hash table with VRF and prefix length in the key, and for each VRF the set of lengths that
/// occur: a lookup probes once for each length that is in use, from the longest. Networks of hosts
/// use a handful of lengths. A route names a run of next hops, so that a changed next hop touches
/// no route and equal ones share the flows.
///
/// Thread-safety: immutable once published with its `TableSet`.
public struct RouteTable: Sendable {
    private let entries: ProbeTable
    private let lengths: Column<UInt64>

    /// What becomes of a packet that a route matches.
    public enum Action: UInt64, Sendable {
        case forward = 1
        case blackhole = 2
        /// An address of the gateway itself.
        case own = 3
    }

    /// A prefix of one VRF and what it leads to.
    public struct Route: Sendable {
        public var vrf: Int
        public var prefix: IPv4Prefix
        public var action: Action
        /// A run of `TableSet.nextHops`.
        public var firstNextHop: Int
        public var nextHopCount: Int

        public init(
            vrf: Int, prefix: IPv4Prefix, action: Action, firstNextHop: Int = 0,
            nextHopCount: Int = 0
        ) {
            self.vrf = vrf
            self.prefix = prefix
            self.action = action
            self.firstNextHop = firstNextHop
            self.nextHopCount = nextHopCount
        }
    }

    /// Of two routes with one prefix the later wins.
    public init(_ routes: [Route], vrfCount: Int) {
        var buckets = 1
        while buckets * 4 < routes.count { buckets *= 2 }
        var table = ProbeTable(buckets: buckets)
        lengths = Column(count: max(vrfCount, 1), repeating: 0)
        for route in routes {
            let key = Self.key(
                vrf: UInt16(route.vrf), length: UInt64(route.prefix.length),
                network: route.prefix.network.bits)
            let value =
                route.action.rawValue << 56 | UInt64(route.nextHopCount) << 32
                | UInt64(route.firstNextHop)
            while table.insert(key, value: value, time: 0) == nil {
                let larger = table.grown()
                table.deallocate()
                table = larger
            }
            lengths[route.vrf] |= 1 << UInt64(route.prefix.length)
        }
        entries = table
    }

    /// The value of the longest prefix that holds `address`, or 0.
    @_noLocks
    public func find(vrf: UInt16, address: UInt32) -> UInt64 {
        guard Int(vrf) < lengths.count else { return 0 }
        var rest = lengths[Int(vrf)]
        while rest != 0 {
            let length = 63 &- UInt64(truncatingIfNeeded: rest.leadingZeroBitCount)
            let key = Self.key(vrf: vrf, length: length, address: address)
            if let value = entries.value(at: entries.find(key), for: key) { return value }
            rest &= ~(1 &<< length)
        }
        return 0
    }

    /// Fetches what `find` will read for the longest lengths in use; a network has a handful.
    @_noLocks
    public func prefetch(vrf: UInt16, address: UInt32) {
        guard Int(vrf) < lengths.count else { return }
        var rest = lengths[Int(vrf)]
        var left = Self.prefetchedLengths
        while rest != 0 && left > 0 {
            let length = 63 &- UInt64(truncatingIfNeeded: rest.leadingZeroBitCount)
            entries.prefetch(Self.key(vrf: vrf, length: length, address: address))
            rest &= ~(1 &<< length)
            left &-= 1
        }
    }

    private static var prefetchedLengths: Int { @_noLocks get { 4 } }

    @_noLocks
    public static func isForward(_ value: UInt64) -> Bool { value &>> 56 == 1 }
    @_noLocks
    public static func isBlackhole(_ value: UInt64) -> Bool { value &>> 56 == 2 }
    @_noLocks
    public static func isOwn(_ value: UInt64) -> Bool { value &>> 56 == 3 }

    /// The next hop of a flow: the upper bits of hash times count, even over any count.
    @_noLocks
    public static func nextHop(_ value: UInt64, flowHash: UInt32) -> Int {
        let count = value &>> 32 & 0xFF_FFFF
        let offset = (UInt64(flowHash) &* count) &>> 32
        return Int(truncatingIfNeeded: (value & 0xFFFF_FFFF) &+ offset)
    }

    @_noLocks
    public static func nextHopCount(_ value: UInt64) -> Int {
        Int(truncatingIfNeeded: value &>> 32 & 0xFF_FFFF)
    }

    public func deallocate() {
        entries.deallocate()
        lengths.deallocate()
    }

    @_noLocks
    private static func key(vrf: UInt16, length: UInt64, address: UInt32) -> UInt64 {
        let mask: UInt32 =
            length == 0 ? 0 : UInt32.max &<< UInt32(truncatingIfNeeded: 32 &- length)
        return key(vrf: vrf, length: length, network: address & mask)
    }

    @_noLocks
    private static func key(vrf: UInt16, length: UInt64, network: UInt32) -> UInt64 {
        1 &<< 62 | UInt64(vrf) &<< 40 | length &<< 32 | UInt64(network)
    }
}

/// The VSI-interface a route leaves by, and the next hop on it.
public struct NextHopRecord: BitwiseCopyable, Sendable {
    /// Index into `TableSet.interfaces`.
    public var interface: Int32
    /// Host order; 0 for a connected subnet: the destination itself is the next hop.
    public var address: UInt32

    @_noLocks
    public init(interface: Int32, address: UInt32) {
        self.interface = interface
        self.address = address
    }
}
