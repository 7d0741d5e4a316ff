import Simulation
import Testing

/// Networks of gateways in one process; `tools/simulate` runs more of them and replays one.
@Suite struct SimulationTests {
    /// A few seeds, because a debug build is slow; `tools/test` runs 200 in the release program.
    /// 165 flooded a frame past a host on its way to the router that sent it back; in 5145 a packet
    /// that waited went on in another VRF; 10 is point to point, 24 has two borders.
    @Test(arguments: [1, 2, 3, 5, 8, 9, 10, 16, 19, 24, 165, 5145] as [UInt64])
    func nothingIsWhereItMustNotBe(_ seed: UInt64) {
        #expect(World(Plan(seed: seed)).run() == [])
    }

    @Test(arguments: [3, 14, 18] as [UInt64])
    func aSeedIsOneStory(_ seed: UInt64) {
        let first = World(Plan(seed: seed))
        let second = World(Plan(seed: seed))
        first.run()
        second.run()
        #expect(first.digest == second.digest)
        #expect(first.digest != World(Plan(seed: seed)).digest)
    }
}
