import CLinux
import Memory
import Tables
import Wire

/// Lookups in a routing table of some size, each for a random address that a prefix of it holds.
///
/// The prefixes are random; of ten, six have 24 bits, two 22 or 23, one 16 to 21 and one 25 to 32,
/// much as in the table of the public Internet.
public final class RouteLookupRun {
    public static let vectorLength = 256

    public let prefixCount: Int
    private let table: RouteTable
    private let prefixes: [IPv4Prefix]
    private let keys = Column<UInt64>(count: vectorLength, repeating: 0)
    private let values = Column<UInt64>(count: vectorLength, repeating: 0)
    private let walks = Column<UInt64>(count: vectorLength, repeating: 0)
    private var random = Chance(seed: 0x726F_7574_65)

    public init(prefixCount: Int) {
        precondition(prefixCount > 0 && prefixCount <= 1 << 24)
        self.prefixCount = prefixCount
        var random = Chance(seed: 0x7072_6566_6978)
        let prefixes = (0..<prefixCount).map { _ in Self.prefix(&random) }
        self.prefixes = prefixes
        table = RouteTable(
            prefixes.enumerated().map { index, prefix in
                RouteTable.Route(
                    vrf: 0, prefix: prefix, action: .forward,
                    firstNextHop: index % AddressPlan.nextHopCount, nextHopCount: 1)
            }, vrfCount: 1)
    }

    private static func prefix(_ random: inout Chance) -> IPv4Prefix {
        let length =
            switch random.draw(below: 10) {
            case 0..<6: 24
            case 6..<8: 22 + random.draw(below: 2)
            case 8: 16 + random.draw(below: 6)
            default: 25 + random.draw(below: 8)
            }
        let first = UInt32(1 + random.draw(below: 223)) << 24
        let address = first | UInt32(random.draw(below: 1 << 24))
        return IPv4Prefix(
            address: IPv4Prefix(address: IPv4Address(bits: address), length: UInt8(length)).network,
            length: UInt8(length))
    }

    /// Clocks of `vectors` lookups of 256 addresses.
    /// - Parameter asColumn: all addresses of a vector in one call, or each by itself.
    public func run(vectors: Int, asColumn: Bool) -> Clocks {
        var total: UInt64 = 0
        for _ in 0..<vectors {
            draw()
            let start = vx_clocks()
            if asColumn {
                table.find(
                    keys: keys, count: Self.vectorLength, values: values, walks: walks)
            } else {
                findEach()
            }
            total &+= vx_clocks() &- start
            precondition(isComplete, "the table lost a route")
        }
        return Clocks(packets: vectors * Self.vectorLength, total: total, stages: [])
    }

    private func draw() {
        for index in 0..<Self.vectorLength {
            let prefix = prefixes[random.draw(below: prefixCount)]
            let host = UInt32(truncatingIfNeeded: random.draw(below: Int(UInt32.max)))
            keys[index] = UInt64(prefix.network.bits | host & ~prefix.mask)
            values[index] = 0
        }
    }

    /// A key equal to the one before it is not answered again.
    private var isComplete: Bool {
        (0..<Self.vectorLength).allSatisfy {
            values[$0] != 0 || ($0 > 0 && keys[$0] == keys[$0 - 1])
        }
    }

    @inline(never)
    private func findEach() {
        for index in 0..<Self.vectorLength {
            values[index] = table.find(
                vrf: 0, address: UInt32(truncatingIfNeeded: keys[index]))
        }
    }
}
