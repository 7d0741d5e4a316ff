public import Wire

/// One flow of a stream: the fields of its frames, and the number of its next frame.
public struct Flow: Equatable, Sendable, BitwiseCopyable {
    public let source: IPv4Address
    public let destination: IPv4Address
    public let sourceMAC: MACAddress
    public let destinationMAC: MACAddress
    public let sourcePort: UInt16
    public let destinationPort: UInt16
    /// Of the tunnel, where there is one.
    public let vni: VNI
    /// A VLAN identifier of 1...4094; 0 is no tag.
    public let vlan: UInt16
    public var sequence: UInt32 = 0

    /// Flow `number` of a space. The same number and space give the same flow; where the space
    /// leaves the ports open, two numbers below 2^24 never give the same ones, so that no two
    /// flows are one.
    ///
    /// Open source ports are those of the dynamic range (RFC 6335 section 6), open destination
    /// ports 20000...36383, where no tunnel has its port.
    public init(_ number: UInt32, in space: FlowSpace) {
        let chance = SplitMix.mix(space.seed &* 0x1_0000_01B3 &+ UInt64(number))
        let from = Self.host(
            in: space.source, space.isSequential ? number : UInt32(truncatingIfNeeded: chance))
        let to = Self.host(
            in: space.destination,
            space.isSequential ? number : UInt32(truncatingIfNeeded: chance >> 32))
        source = from.address
        destination = to.address
        sourceMAC = space.sourceMACs.address(of: from.index)
        destinationMAC = space.destinationMACs.address(of: to.index)
        // Multiplying by an odd number permutes the 14 bits.
        let offset = UInt32(truncatingIfNeeded: SplitMix.mix(space.seed))
        let spread = UInt32(truncatingIfNeeded: SplitMix.mix(chance)) & 15
        sourcePort =
            space.sourcePorts.map { Self.pick($0, number) }
            ?? 49152 + UInt16((number &* 0x9E5D &+ offset) & 0x3FFF)
        destinationPort =
            space.destinationPorts.map { ports in
                Self.pick(ports, number / UInt32(space.sourcePorts?.count ?? 1))
            } ?? 20000 + UInt16((number >> 14) & 1023 | spread << 10)
        vni = VNI(bits: space.vnis.lowerBound + number % UInt32(space.vnis.count))
        vlan = space.vlans.map { Self.pick($0, number) } ?? 0
    }

    private static func pick(_ range: ClosedRange<UInt16>, _ number: UInt32) -> UInt16 {
        range.lowerBound + UInt16(number % UInt32(range.count))
    }

    /// A host of the prefix and its place in it; the network and broadcast addresses are nobody's
    /// where there are such (prefixes up to /30).
    private static func host(
        in prefix: IPv4Prefix, _ choice: UInt32
    ) -> (address: IPv4Address, index: UInt32) {
        let hosts = ~prefix.mask
        guard hosts > 0 else { return (prefix.address, 0) }
        guard hosts > 1 else {
            let index = choice & hosts
            return (IPv4Address(bits: prefix.network.bits | index), index)
        }
        let index = choice % (hosts - 1)
        return (IPv4Address(bits: prefix.network.bits | (index + 1)), index)
    }
}
