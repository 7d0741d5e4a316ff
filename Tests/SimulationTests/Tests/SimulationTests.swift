import Simulation
import Testing

/// Networks of gateways in one process; `tools/simulate` runs more of them and replays one.
@Suite struct SimulationTests {
    @Test(arguments: 0..<8)
    func nothingIsWhereItMustNotBe(_ part: Int) {
        for seed in 0..<25 {
            let world = World(Plan(seed: UInt64(1 + part * 25 + seed)))
            #expect(world.run() == [])
        }
    }

    @Test(arguments: [3, 14, 159] as [UInt64])
    func aSeedIsOneStory(_ seed: UInt64) {
        let first = World(Plan(seed: seed))
        let second = World(Plan(seed: seed))
        first.run()
        second.run()
        #expect(first.digest == second.digest)
        #expect(first.digest != World(Plan(seed: seed)).digest)
    }
}
