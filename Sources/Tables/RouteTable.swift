internal import CLinux
public import Memory
public import Wire

/// The routes of every VRF, longest prefix first (RFC 1812 section 5.2.4.3).
///
/// A multibit trie: the upper 16 bits of an address are an index into the root of its VRF, the next
/// eight into a node, the others are taken four at a time. Every entry is either a node or the
/// answer, which the shorter prefixes have filled in before the longer ones, so that a
/// lookup never goes back. A route names a run of next hops: a changed next hop touches no route,
/// and equal ones share the flows.
///
/// The gateway's own addresses and the edges of its subnets lie beside the trie, behind a filter of
/// one bit: inside it they would cut every connected subnet down to single addresses.
///
/// Thread-safety: immutable once published with its `TableSet`.
/// Layout: 256 KiB for each VRF with routes (1 KiB where there are many VRFs and this one has few
/// routes), 1 KiB for each /16 that is divided, 64 bytes a node below /24.
public struct RouteTable: Sendable {
    private struct Layout: BitwiseCopyable {
        let roots: Column<RouteTrie.Root>
        let entries: Column<UInt32>
        /// The distinct answers; the first is "no route".
        let values: Column<UInt64>
        /// Own addresses and edges.
        let specials: ProbeTable
        /// A bit for the hash of each of those; a clear bit proves that an address is none.
        let filter: Column<UInt64>
        let filterShift: UInt32
        /// By the first octet of an address.
        let ordinary: FixedColumn<256, Bool>
    }

    // One pointer wide, for the same reason as a `ProbeTable`.
    private let layout: Cell<Layout>

    /// What becomes of a packet that a route matches.
    public enum Action: UInt64, Sendable {
        case forward = 1
        case blackhole = 2
        /// An address of the gateway itself.
        case own = 3
        /// The network or the broadcast address of a connected subnet.
        case edge = 4
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

        /// It is of a single address and found beside the trie.
        var isSpecial: Bool { action == .own || action == .edge }

        /// The word that a lookup answers with.
        var value: UInt64 {
            // To an address beside the trie nothing is sent on.
            guard !isSpecial else { return action.rawValue << 56 }
            return action.rawValue << 56 | UInt64(nextHopCount) << 32 | UInt64(firstNextHop)
        }
    }

    /// Of two routes with one prefix the later wins; an own address and an edge win over a route.
    public init(_ routes: [Route], vrfCount: Int) {
        let trie = RouteTrie(routes.filter { !$0.isSpecial }, vrfCount: vrfCount)
        let special = routes.filter(\.isSpecial)
        // Sixteen bits for each, so that few other addresses meet a set one.
        var bits: UInt32 = 12
        while 1 << bits < special.count * 16 { bits += 1 }
        let filterShift = 32 - bits
        let filter = Column<UInt64>(count: 1 << Int(bits - 6), repeating: 0)
        var specials = ProbeTable(buckets: 1)
        for route in special {
            let address = route.prefix.network.bits
            let key = Self.key(vrf: UInt16(route.vrf), address: address)
            // Their word is the action alone.
            let action = UInt32(truncatingIfNeeded: route.value >> 56)
            while specials.insert(key, value: action, time: 0) == nil {
                let larger = specials.grown()
                specials.deallocate()
                specials = larger
            }
            let bit = AddressFilter.bit(UInt16(route.vrf), address, filterShift)
            filter[bit >> 6] |= 1 << UInt64(bit & 63)
        }
        layout = Cell(
            Layout(
                roots: Column(trie.roots, default: RouteTrie.Root.empty),
                entries: Column(trie.entries, default: 0),
                values: Column(trie.values, default: 0), specials: specials, filter: filter,
                filterShift: filterShift, ordinary: AddressFilter.ordinaryOctets()))
    }

    /// The value of the longest prefix that holds `address`, or 0.
    @_noLocks
    public func find(vrf: UInt16, address: UInt32) -> UInt64 {
        if addressFilter.mayHold(vrf: vrf, address: address) {
            let specials = layout.value.specials
            let key = Self.key(vrf: vrf, address: address)
            if let action = specials.value(at: specials.find(key), for: key) {
                return UInt64(action) &<< 56
            }
        }
        let roots = layout.value.roots
        let entries = layout.value.entries
        guard Int(vrf) < roots.count else { return 0 }
        let root = roots[Int(vrf)]
        var shift = root.shift
        var entry = entries[Int(root.first &+ address &>> shift)]
        while entry & RouteTrie.nodeFlag != 0 {
            shift = RouteTrie.shift(below: shift)
            entry = entries[RouteTrie.index(entry, address, shift)]
        }
        return layout.value.values[Int(entry)]
    }

    /// Finds the values of `count` destinations at once: all their walks go down together, each
    /// fetching what it reads next.
    /// - Parameters:
    ///   - keys: the VRF above 32 bits and the address below.
    ///   - values: receives what `find` says, but nothing for a key equal to the one before it.
    ///   - walks: room for `count` walks.
    @_noLocks
    public func find(
        keys: Column<UInt64>, count: Int, values: Column<UInt64>, walks: Column<UInt64>
    ) {
        // Once for all of them: every index below is less than `count`.
        precondition(
            count <= keys.count && count <= values.count && count <= walks.count
                && count <= 1 &<< 16)
        let roots = layout.value.roots
        let entries = layout.value.entries
        let answers = layout.value.values
        let filter = addressFilter
        var last = UInt64.max
        var rest = 0
        for index in 0..<count {
            let key = unsafe keys.boundedPointer(at: index).pointee
            if key == last { continue }
            last = key
            let vrf = UInt16(truncatingIfNeeded: key &>> 32)
            let address = UInt32(truncatingIfNeeded: key)
            guard Int(vrf) < roots.count, !filter.mayHold(vrf: vrf, address: address) else {
                values[index] = find(vrf: vrf, address: address)
                continue
            }
            let root = roots[Int(vrf)]
            let entry = entries[Int(root.first &+ address &>> root.shift)]
            guard entry & RouteTrie.nodeFlag == 0 else {
                let walk = self.walk(index, address, root.shift, entry, entries)
                unsafe walks.boundedPointer(at: rest).pointee = walk
                rest &+= 1
                continue
            }
            unsafe values.boundedPointer(at: index).pointee = answers[Int(entry)]
        }
        while rest > 0 { rest = step(keys, values, walks, rest) }
    }

    /// Takes every walk one node further.
    /// - Returns: how many are not at their end.
    @_noLocks
    private func step(
        _ keys: Column<UInt64>, _ values: Column<UInt64>, _ walks: Column<UInt64>, _ count: Int
    ) -> Int {
        let entries = layout.value.entries
        let answers = layout.value.values
        var kept = 0
        for position in 0..<count {
            let walk = unsafe walks.boundedPointer(at: position).pointee
            let entry = entries[Int(walk &>> 32)]
            let index = Int(walk & 0xFFFF)
            guard entry & RouteTrie.nodeFlag == 0 else {
                let shift = UInt32(truncatingIfNeeded: walk &>> 16 & 0xFF)
                let key = unsafe keys.boundedPointer(at: index).pointee
                let address = UInt32(truncatingIfNeeded: key)
                let next = self.walk(index, address, shift, entry, entries)
                unsafe walks.boundedPointer(at: kept).pointee = next
                kept &+= 1
                continue
            }
            unsafe values.boundedPointer(at: index).pointee = answers[Int(entry)]
        }
        return kept
    }

    /// Which key, how many bits of the address are left below the node that `entry` names, and
    /// which entry of that is to be read, which is being fetched.
    @_noLocks @inline(__always)
    private func walk(
        _ index: Int, _ address: UInt32, _ shift: UInt32, _ entry: UInt32,
        _ entries: Column<UInt32>
    ) -> UInt64 {
        let below = RouteTrie.shift(below: shift)
        let next = RouteTrie.index(entry, address, below)
        // It is read, and compared with the count, one step later.
        unsafe vx_prefetch(entries.boundedPointer(at: next))
        return UInt64(truncatingIfNeeded: next) &<< 32 | UInt64(below) &<< 16
            | UInt64(truncatingIfNeeded: index)
    }

    /// What the bits of an address say by themselves; for loops over many addresses.
    public struct AddressFilter: BitwiseCopyable, Sendable {
        fileprivate let bits: Column<UInt64>
        fileprivate let shift: UInt32
        fileprivate let ordinary: FixedColumn<256, Bool>

        /// False proves that `address` is neither the gateway's own nor an edge; true says nothing.
        @_noLocks @inline(__always)
        public func mayHold(vrf: UInt16, address: UInt32) -> Bool {
            let bit = Self.bit(vrf, address, shift)
            return bits[bit &>> 6] &>> UInt64(truncatingIfNeeded: bit & 63) & 1 != 0
        }

        /// True for a unicast address outside of the ranges with a meaning of their own; false also
        /// for the whole of 169, for the sake of 169.254.
        @_noLocks @inline(__always)
        public func isOrdinary(_ address: UInt32) -> Bool { ordinary[Int(address &>> 24)] }

        /// The upper bits of a product, which all bits of the address reach.
        @_noLocks @inline(__always)
        fileprivate static func bit(_ vrf: UInt16, _ address: UInt32, _ shift: UInt32) -> Int {
            Int(((address &+ UInt32(vrf)) &* 0x9E37_79B1) &>> shift)
        }

        /// By the first octet: all but 0, 127, 169 and 224 up.
        fileprivate static func ordinaryOctets() -> FixedColumn<256, Bool> {
            let octets = FixedColumn<256, Bool>(repeating: true)
            for octet in [0, 127, 169] + Array(224...255) { octets[octet] = false }
            return octets
        }
    }

    public var addressFilter: AddressFilter {
        @_noLocks @inline(__always) get {
            AddressFilter(
                bits: layout.value.filter, shift: layout.value.filterShift,
                ordinary: layout.value.ordinary)
        }
    }

    /// Never `ProbeTable.noKey`: bit 62 is always set.
    @_noLocks
    private static func key(vrf: UInt16, address: UInt32) -> UInt64 {
        1 &<< 62 | UInt64(vrf) &<< 32 | UInt64(address)
    }

    @_noLocks
    public static func isForward(_ value: UInt64) -> Bool { value &>> 56 == 1 }
    /// Forwards, and to one next hop: action and count are one.
    @_noLocks
    public static func isSinglePath(_ value: UInt64) -> Bool { value &>> 32 == 1 &<< 24 | 1 }
    @_noLocks
    public static func isBlackhole(_ value: UInt64) -> Bool { value &>> 56 == 2 }
    @_noLocks
    public static func isOwn(_ value: UInt64) -> Bool { value &>> 56 == 3 }
    @_noLocks
    public static func isEdge(_ value: UInt64) -> Bool { value &>> 56 == 4 }

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
        layout.value.roots.deallocate()
        layout.value.entries.deallocate()
        layout.value.values.deallocate()
        layout.value.specials.deallocate()
        layout.value.filter.deallocate()
        layout.value.ordinary.deallocate()
        layout.deallocate()
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
