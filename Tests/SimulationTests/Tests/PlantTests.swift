import Simulation
import Testing

/// Every check of the simulated world finds the fault it is there for.
@Suite struct PlantTests {
    private static let seedLimit: UInt64 = 400
    private static let worldLimit = 6

    @Test(arguments: Plant.allCases)
    func aPlantedFaultIsFound(_ plant: Plant) {
        // The smallest worlds that come into its situation.
        let plans = (1...Self.seedLimit).map { Plan(seed: $0) }
            .filter { $0.isFit(for: plant) }
            .sorted { ($0.homes.count, $0.seed) < ($1.homes.count, $1.seed) }
        for plan in plans.prefix(Self.worldLimit) {
            let world = World(plan, plant: plant)
            // A loop is one long before the limit that a whole world needs.
            world.frameLimit = 20_000
            world.run()
            if world.violated.contains(plant.check) { return }
        }
        Issue.record("\(plant) was not found by \(plant.check)")
    }

    @Test func everyCheckHasItsFault() {
        let proven = Set(Plant.allCases.map(\.check))
        #expect(Check.allCases.filter { !proven.contains($0) } == [])
    }
}
