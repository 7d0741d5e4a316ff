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
            var entry = entries[Int(root.first &+ address &>> root.shift)]
            if root.shift == 24, entry & RouteTrie.nodeFlag != 0 {
                // Behind a small root, whose second half is as small.
                entry = entries[RouteTrie.index(entry, address, 16)]
            }
            guard entry & RouteTrie.nodeFlag == 0 else {
                let walk = self.walk(index, RouteTrie.index(entry, address, 8), entries)
                unsafe walks.boundedPointer(at: rest).pointee = walk
                rest &+= 1
                continue
            }
            unsafe values.boundedPointer(at: index).pointee = answers[Int(entry)]
        }
        // Below each of these nodes there is a smaller one or none.
        if rest > 0 { rest = step(keys, values, walks, rest, below: 4) }
        if rest > 0 { rest = step(keys, values, walks, rest, below: 0) }
        if rest > 0 { finish(values, walks, rest) }
    }

    /// Takes every walk one node further, to one with `shift` bits of the address below it.
    ///
    /// Where prefixes end at many lengths, whether a walk is at its end is as good as random: it
    /// goes on and has an answer at the same time, and one of both is written over.
    /// - Returns: how many are not at their end.
    @_noLocks @inline(__always)
    private func step(
        _ keys: Column<UInt64>, _ values: Column<UInt64>, _ walks: Column<UInt64>, _ count: Int,
        below shift: UInt32
    ) -> Int {
        let entries = layout.value.entries
        let answers = layout.value.values
        var kept = 0
        for position in 0..<count {
            let walk = unsafe walks.boundedPointer(at: position).pointee
            let entry = entries[Int(walk &>> 16)]
            let index = Int(walk & 0xFFFF)
            let key = unsafe keys.boundedPointer(at: index).pointee
            let address = UInt32(truncatingIfNeeded: key)
            let isNode = entry &>> RouteTrie.nodeBit
            // Of an answer the first node, of a node the first answer.
            let next = RouteTrie.index(entry & (0 &- isNode), address, shift)
            let answer = entry & (isNode &- 1)
            unsafe walks.boundedPointer(at: kept).pointee = self.walk(index, next, entries)
            kept &+= Int(truncatingIfNeeded: isNode)
            unsafe values.boundedPointer(at: index).pointee = answers[Int(answer)]
        }
        return kept
    }

    /// Ends the walks that have seen all bits of their addresses.
    @_noLocks @inline(__always)
    private func finish(_ values: Column<UInt64>, _ walks: Column<UInt64>, _ count: Int) {
        for position in 0..<count {
            let walk = unsafe walks.boundedPointer(at: position).pointee
            let entry = layout.value.entries[Int(walk &>> 16)]
            let index = Int(walk & 0xFFFF)
            unsafe values.boundedPointer(at: index).pointee = layout.value.values[Int(entry)]
        }
    }

    /// Which key, and which entry is to be read for it, which is being fetched.
    @_noLocks @inline(__always)
    private func walk(_ index: Int, _ next: Int, _ entries: Column<UInt32>) -> UInt64 {
        // It is read, and compared with the count, one step later.
        unsafe vx_prefetch(entries.boundedPointer(at: next))
        return UInt64(truncatingIfNeeded: next) &<< 16 | UInt64(truncatingIfNeeded: index)
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
///
/// Layout: one word, so that one load has all of it: address, VSI, interface.
public struct NextHopRecord: BitwiseCopyable, Hashable, Sendable {
    private let word: UInt64

    /// - Parameters:
    ///   - interface: index into `TableSet.interfaces`, of which there are as many as VSIs at most.
    ///   - vsi: that of the interface.
    ///   - address: host order; 0 for a connected subnet: the destination itself is the next hop.
    @_noLocks
    public init(interface: Int, vsi: UInt16, address: UInt32) {
        word =
            UInt64(UInt16(truncatingIfNeeded: interface)) &<< 48 | UInt64(vsi) &<< 32
            | UInt64(address)
    }

    public var interface: Int {
        @_noLocks @inline(__always) get { Int(truncatingIfNeeded: word &>> 48) }
    }

    /// What the neighbor table is asked, without the address where that is the destination's.
    public var question: UInt64 {
        @_noLocks @inline(__always) get { NeighborTable.key(vsi: vsi, address: address) }
    }

    /// The bits of a destination that belong to the question.
    public var destinationMask: UInt64 {
        @_noLocks @inline(__always) get { address == 0 ? 0xFFFF_FFFF : 0 }
    }

    private var vsi: UInt16 { @_noLocks get { UInt16(truncatingIfNeeded: word &>> 32) } }
    private var address: UInt32 { @_noLocks get { UInt32(truncatingIfNeeded: word) } }
}
