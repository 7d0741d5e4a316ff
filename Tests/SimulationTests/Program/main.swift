import ArgumentParser
import Simulation

/// Runs simulated networks from seeds and says what was found in them.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs whole networks of gateways from seeds and checks what must always hold.")

    @Option(help: "How many seeds.")
    var seeds = 200
    @Option(help: "The first seed.")
    var first: UInt64 = 1
    @Option(help: "This seed alone.")
    var seed: UInt64?
    @Option(help: "Plant this fault, which a check must then find.", transform: plant)
    var plant: Plant?
    @Flag(help: "Print every frame.")
    var verbose = false
    @Flag(help: "Print the digest of every seed.")
    var digests = false

    func run() throws {
        let range = seed.map { $0..<$0 + 1 } ?? first..<first + UInt64(max(seeds, 0))
        var total = World.Figures()
        var faulty: [UInt64] = []
        for number in range {
            let world = World(Plan(seed: number), plant: plant)
            if verbose {
                print(world.plan)
                world.trace = { print($0) }
            }
            world.run()
            total.add(world.figures)
            if digests || verbose { print("seed \(number): \(hex(world.digest))") }
            guard !world.findings.isEmpty else { continue }
            faulty.append(number)
            for finding in world.findings { print(finding) }
        }
        print(
            """
            \(range.count) seeds: \(total.gatewayFrames) frames into gateways, \
            \(total.underlayFrames) datagrams, \(total.answeredPings) of \(total.pings) pings \
            answered, \(total.faults) faults, \(total.checkedPairs) pairs checked, at most \
            \(total.mostHops) hops
            """)
        guard faulty.isEmpty else {
            print("violations in \(faulty.count) seeds: \(faulty.prefix(40))")
            throw ExitCode.failure
        }
        print("no violation")
    }

    private static func plant(_ name: String) throws -> Plant {
        guard let plant = Plant(rawValue: name) else {
            let names = Plant.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("no fault \(name): one of \(names)")
        }
        return plant
    }

    private func hex(_ value: UInt64) -> String { String(value, radix: 16) }
}

Simulate.main()
