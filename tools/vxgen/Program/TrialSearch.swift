import Generator

/// The search with one plan: its trials run through sockets that stay open, so that the network
/// does not see devices come and go.
struct TrialSearch {
    let plan: RunPlan
    /// How the report names the sizes.
    let size: String
    let goals: [LossGoal]
    let least: Rate
    let most: Rate

    /// - Parameter live: told of every trial.
    func run(live: (String, Trial) -> Void) throws(GeneratorError) -> SearchRecord {
        let ports = try RunPorts(GeneratorRun.possible(plan))
        var isFirst = true
        func trial(_ rate: Rate, _ load: Double?) throws(GeneratorError) -> Trial? {
            var plan = plan
            plan.rate = rate
            // Once is enough: what was learned stays.
            plan.learns = plan.learns && isFirst
            isFirst = false
            let totals = try GeneratorRun(plan, ports).execute(
                isInterrupted: { Interruption.wasAsked }, live: { _ in })
            guard !Interruption.wasAsked else { return nil }
            let trial = Trial(totals, load: load)
            live(size, trial)
            return trial
        }
        let mean = plan.meanByteCount
        var maximum = most.packetsPerSecond(meanByteCount: mean)
        if maximum == nil {
            // The best of three, and a little less: at its very limit it could not keep a rate.
            for _ in 0..<3 {
                guard let reached = try trial(.unlimited, nil) else { break }
                maximum = max(maximum ?? 0, reached.achieved * 0.97)
            }
        }
        let minimum = least.packetsPerSecond(meanByteCount: mean) ?? 1000
        var search = RateSearch(
            goals: goals, minimum: minimum, maximum: max(minimum, maximum ?? minimum),
            isOpenAbove: most == .unlimited)
        let results = try search.run { load throws(GeneratorError) in
            try trial(.packetsPerSecond(load), load)
        }
        return SearchRecord(
            size: size, meanByteCount: mean, trials: search.trials, results: results,
            throughput: search.throughput)
    }
}
