internal import Wire

/// The shape of a `RouteTable` while it is made.
struct RouteTrie {
    /// Where the entries of a VRF's root begin, and how many bits of an address are left below it.
    struct Root: BitwiseCopyable, Sendable {
        var first: UInt32
        var shift: UInt32

        /// The first node, which is empty.
        static let empty = Root(first: 0, shift: 28)
    }

    /// An entry with this bit names a node, by the number of entries before it in sixteens; one
    /// without is an index into `values`.
    static var nodeFlag: UInt32 { @_noLocks get { 1 &<< nodeBit } }
    static var nodeBit: UInt32 { @_noLocks get { 31 } }

    /// How many bits of an address are left below a node, where `shift` are left above it: nodes
    /// take eight bits down to /24, where most prefixes end, and four from there on.
    @_noLocks @inline(__always)
    static func shift(below shift: UInt32) -> UInt32 { shift > 8 ? shift &- 8 : shift &- 4 }

    /// The entry of an address in a node.
    /// - Parameters:
    ///   - entry: one that names a node.
    ///   - shift: the bits left below it.
    @_noLocks @inline(__always)
    static func index(_ entry: UInt32, _ address: UInt32, _ shift: UInt32) -> Int {
        let mask: UInt32 = shift >= 8 ? 255 : 15
        return Int(entry & ~nodeFlag) &<< 4 &+ Int(address &>> shift & mask)
    }

    /// Roots of 16 bits for so many VRFs; with more, only for those with many routes.
    private static let largeRoots = 16
    private static let manyRoutes = 256

    private(set) var roots: [Root]
    private(set) var entries = [UInt32](repeating: 0, count: 16)
    private(set) var values: [UInt64] = [0]
    private var numbers: [UInt64: UInt32] = [:]

    init(_ routes: [RouteTable.Route], vrfCount: Int) {
        roots = [Root](repeating: .empty, count: max(vrfCount, 1))
        var byVRF: [Int: [RouteTable.Route]] = [:]
        for route in routes { byVRF[route.vrf, default: []].append(route) }
        for (vrf, routes) in byVRF.sorted(by: { $0.key < $1.key }) {
            let isLarge = byVRF.count <= Self.largeRoots || routes.count >= Self.manyRoutes
            roots[vrf] = Root(first: UInt32(entries.count), shift: isLarge ? 16 : 24)
            entries += repeatElement(0, count: isLarge ? 1 << 16 : 1 << 8)
            insert(routes, at: roots[vrf])
        }
    }

    /// Shorter prefixes first, so that each overwrites what is less specific and nothing else.
    private mutating func insert(_ routes: [RouteTable.Route], at root: Root) {
        var byLength = [[RouteTable.Route]](repeating: [], count: 33)
        for route in routes { byLength[Int(route.prefix.length)].append(route) }
        for route in byLength.joined() {
            insert(route.prefix, number(of: route.value), at: root)
        }
    }

    private mutating func insert(_ prefix: IPv4Prefix, _ number: UInt32, at root: Root) {
        let network = prefix.network.bits
        let length = UInt32(prefix.length)
        var shift = root.shift
        var index = Int(root.first) + Int(network >> shift)
        while length > 32 - shift {
            shift = Self.shift(below: shift)
            index = Self.index(node(at: index, shift), network, shift)
        }
        for entry in index..<index + 1 << Int(32 - shift - length) { entries[entry] = number }
    }

    /// The entry for the node below an entry, which is made of what that answered so far.
    private mutating func node(at index: Int, _ shift: UInt32) -> UInt32 {
        let entry = entries[index]
        if entry & Self.nodeFlag != 0 { return entry }
        let node = Self.nodeFlag | UInt32(entries.count >> 4)
        entries += repeatElement(entry, count: shift >= 8 ? 256 : 16)
        entries[index] = node
        return node
    }

    private mutating func number(of value: UInt64) -> UInt32 {
        if let number = numbers[value] { return number }
        let number = UInt32(values.count)
        values.append(value)
        numbers[value] = number
        return number
    }
}
