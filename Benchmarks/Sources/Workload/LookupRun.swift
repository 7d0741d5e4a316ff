import CLinux
import Memory
import Tables

/// Lookups in an FDB of some size, each for a random MAC that it holds.
public final class LookupRun {
    public static let vectorLength = 256

    public let macCount: Int
    private let table: ProbeTable
    private let keys = Column<UInt64>(count: vectorLength, repeating: 0)
    private let slots = Column<Int32>(count: vectorLength, repeating: -1)
    private var random = Chance(seed: 0x6664_62)

    public init(macCount: Int) {
        precondition(macCount > 0 && macCount <= 1 << 30)
        self.macCount = macCount
        table = ModelGateway.forwarding(.prefixes, macCount)
    }

    /// Clocks of `vectors` lookups of 256 keys and their values, as the stages make them.
    /// - Parameter asColumn: all keys of a vector in one call, or each by itself.
    public func run(vectors: Int, asColumn: Bool) -> Clocks {
        var total: UInt64 = 0
        for _ in 0..<vectors {
            draw()
            let start = vx_clocks()
            let found = asColumn ? findColumn() : findEach()
            total &+= vx_clocks() &- start
            precondition(found == Self.vectorLength, "the table lost an address")
        }
        return Clocks(packets: vectors * Self.vectorLength, total: total, stages: [])
    }

    private func draw() {
        for index in 0..<Self.vectorLength {
            let mac = AddressPlan.localMAC(random.draw(below: macCount))
            keys[index] = ForwardingTable.key(mac: mac, vsi: 0)
        }
    }

    @inline(never)
    private func findColumn() -> Int {
        let reader = table.reader
        reader.guess(keys, count: Self.vectorLength, slots: slots)
        var found = 0
        for index in 0..<Self.vectorLength {
            let slot = reader.find(keys[index], guess: slots[index])
            if slot >= 0, reader.value(at: slot) != 0 { found &+= 1 }
        }
        return found
    }

    @inline(never)
    private func findEach() -> Int {
        var found = 0
        for index in 0..<Self.vectorLength {
            let key = keys[index]
            if table.value(at: table.find(key), for: key) != nil { found &+= 1 }
        }
        return found
    }
}
