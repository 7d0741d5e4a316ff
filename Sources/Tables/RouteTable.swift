internal import Memory
public import Wire

/// The routes of every VRF, longest prefix first (RFC 1812 section 5.2.4.3).
///
/// One hash table with VRF and prefix length in the key, and for each VRF the set of lengths that
/// occur: a lookup probes once for each length that is in use, from the longest. Networks of hosts
/// use a handful of lengths.
///
/// Thread-safety: immutable once published with its `TableSet`.
public struct RouteTable: Sendable {
    private let entries: ProbeTable
    private let lengths: Column<UInt64>

    /// Where a route leads: the VSI-interface it leaves by, and the next hop on it.
    public struct Route: Sendable {
        public var vrf: Int
        public var prefix: IPv4Prefix
        /// Index into `TableSet.interfaces`.
        public var interface: Int
        /// Nil for a connected subnet: the destination itself is the next hop.
        public var via: IPv4Address?

        public init(vrf: Int, prefix: IPv4Prefix, interface: Int, via: IPv4Address?) {
            self.vrf = vrf
            self.prefix = prefix
            self.interface = interface
            self.via = via
        }
    }

    public init(_ routes: [Route], vrfCount: Int) {
        var buckets = 1
        while buckets * 4 < routes.count { buckets *= 2 }
        var table = ProbeTable(buckets: buckets)
        lengths = Column(count: max(vrfCount, 1), repeating: 0)
        for route in routes {
            let key = Self.key(
                vrf: UInt16(route.vrf), length: UInt64(route.prefix.length),
                network: route.prefix.network.bits)
            let value = UInt64(route.interface + 1) << 32 | UInt64(route.via?.bits ?? 0)
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
    public static func interface(of value: UInt64) -> Int {
        Int(truncatingIfNeeded: value &>> 32) &- 1
    }

    /// The next hop, or 0 when the destination itself is on the link.
    @_noLocks
    public static func via(of value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

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
