public import Wire

/// One stream of frames: its addresses and ports, and the number of its next frame.
public struct Flow: Equatable, Sendable, BitwiseCopyable {
    public let source: IPv4Address
    public let destination: IPv4Address
    public let sourcePort: UInt16
    public let destinationPort: UInt16
    public var sequence: UInt32 = 0

    /// What flows are made of.
    public struct Space: Sendable, Equatable {
        public var source: IPv4Prefix
        public var destination: IPv4Prefix
        public var seed: UInt64

        public init(source: IPv4Prefix, destination: IPv4Prefix, seed: UInt64) {
            self.source = source
            self.destination = destination
            self.seed = seed
        }
    }

    /// Flow `number` of a space. The same number and space give the same flow; two numbers below
    /// 2^24 never give the same ports, so that no two flows are one.
    ///
    /// Source ports are those of the dynamic range (RFC 6335 section 6), destination ports
    /// 20000...36383, where no tunnel has its port.
    public init(_ number: UInt32, in space: Space) {
        let chance = SplitMix.mix(space.seed &* 0x1_0000_01B3 &+ UInt64(number))
        source = Self.address(in: space.source, chance: UInt32(truncatingIfNeeded: chance))
        destination = Self.address(
            in: space.destination, chance: UInt32(truncatingIfNeeded: chance >> 32))
        // Multiplying by an odd number permutes the 14 bits.
        let offset = UInt32(truncatingIfNeeded: SplitMix.mix(space.seed))
        sourcePort = 49152 + UInt16((number &* 0x9E5D &+ offset) & 0x3FFF)
        let spread = UInt32(truncatingIfNeeded: SplitMix.mix(chance)) & 15
        destinationPort = 20000 + UInt16((number >> 14) & 1023 | spread << 10)
    }

    /// An address of the prefix; the network and broadcast addresses are nobody's where there are
    /// such (prefixes up to /30).
    private static func address(in prefix: IPv4Prefix, chance: UInt32) -> IPv4Address {
        let hosts = ~prefix.mask
        guard hosts > 0 else { return prefix.address }
        guard hosts > 1 else {
            return IPv4Address(bits: prefix.network.bits | chance & hosts)
        }
        return IPv4Address(bits: prefix.network.bits | (chance % (hosts - 1) + 1))
    }
}
