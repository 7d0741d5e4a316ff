import Dataplane
import Testing
import Workload

/// The in-memory benchmarks, tiny: that each still measures what its name says. A run ends the
/// process when a packet is dropped, copied or punted, or a table loses an entry.
@Suite struct WorkloadTests {
    private static let turns = 3

    @Test(arguments: Path.allCases, [1, 300])
    func everyPathForwardsEveryPacket(path: Path, flowCount: Int) {
        let clocks = ForwardingRun(path: path, flowCount: flowCount).run(turns: Self.turns)
        #expect(clocks.packets == Self.turns * ForwardingRun.vectorLength)
        #expect(clocks.perPacket > 0)
        for stage in Clocks.stages {
            #expect(clocks.perPacket(stage) > 0, "\(stage.name) was not crossed")
        }
        #expect(clocks.accountsPerPacket >= 0, "the stages took longer than the whole")
    }

    @Test(arguments: [1, 3000], [true, false])
    func everyAddressIsFound(size: Int, asColumn: Bool) {
        let lookups = LookupRun(macCount: size).run(vectors: Self.turns, asColumn: asColumn)
        #expect(lookups.packets == Self.turns * LookupRun.vectorLength)
        #expect(lookups.perPacket > 0)
    }

    @Test(arguments: [1, 3000], [true, false])
    func everyDestinationHasARoute(size: Int, asColumn: Bool) {
        let lookups = RouteLookupRun(prefixCount: size).run(vectors: Self.turns, asColumn: asColumn)
        #expect(lookups.packets == Self.turns * RouteLookupRun.vectorLength)
        #expect(lookups.perPacket > 0)
    }
}
