import ArgumentParser
import Generator

/// `vxgen search`: the highest rates with no loss and with little.
struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the highest rates that a network carries without loss and with little.",
        discussion: """
            One search for all goals (MLRsearch, RFC 9971): ndr loses nothing, pdr at most --pdr. \
            A load meets a goal when at most half of --trials lose more, so that a bad moment of \
            the machine decides nothing; each result says how many trials stand behind it and how \
            sure that makes it. The highest load whose trials all lost nothing, below all that \
            did, is the throughput of RFC 2544.

            Sizes separated by / are searched one after the other: 64/512/imix. Loads that the \
            generator itself cannot reach, or cannot count, are left out, and the result says so.
            """)

    @OptionGroup var traffic: TrafficOptions

    @Option(help: ArgumentHelp("Length of one trial. Default 1s.", valueName: "time"))
    var trial = "1s"

    @Option(help: ArgumentHelp("Trials that decide about a load. Default 5.", valueName: "n"))
    var trials = "5"

    @Option(
        help: ArgumentHelp("Loss of pdr as a share, or in %. Default 0.5%.", valueName: "ratio"))
    var pdr = "0.5%"

    @Option(
        help: ArgumentHelp(
            "How close the bounds of a result are. Default 2%.", valueName: "ratio"))
    var precision = "2%"

    @Option(help: ArgumentHelp("The lowest load. Default 1kpps.", valueName: "rate"))
    var minRate = "1kpps"

    @Option(
        help: ArgumentHelp(
            "The highest load. Default max: what the generator can send.", valueName: "rate"))
    var maxRate = "max"

    @Option(help: ArgumentHelp("Write a chart.", valueName: "file"))
    var svg: String?

    @Option(help: ArgumentHelp("Write every trial.", valueName: "file"))
    var csv: String?

    @Flag(help: "Print JSON: a line for each trial with \"live\":true, and the results last.")
    var json = false

    func run() throws {
        Interruption.listen()
        let goals = try goals()
        let length: RunDuration = try OptionValue.read("trial", trial) {
            text throws(Settings.Problem) in
            try Forms.duration(text)
        }
        let least = try rate("min-rate", minRate)
        let most = try rate("max-rate", maxRate)
        var records: [SearchRecord] = []
        do {
            let sizes = (traffic.size ?? "64").split(
                separator: "/", omittingEmptySubsequences: false)
            for plan in try sizes.map({ try plan(String($0), length) }) {
                guard !Interruption.wasAsked else { break }
                let search = TrialSearch(
                    plan: plan, size: plan.streams[0].sizes.text, goals: goals, least: least,
                    most: most)
                records.append(try search.run(live: show))
            }
        } catch let error as GeneratorError {
            throw Failure("\(error)")
        }
        if let svg { try TextFile.write(SearchChart(records).svg, to: svg) }
        if let csv { try TextFile.write(SearchReport(records).csv, to: csv) }
        let report = SearchReport(records)
        try Terminal.print(json ? report.json : report.text)
        guard records.allSatisfy({ $0.results.contains { $0.lower != nil } }) else {
            guard !Interruption.wasAsked else {
                throw Failure("search: it was interrupted before a load met a goal: let it run on")
            }
            throw Failure(
                "search: no load met a goal: see that the way from the output leads to the input,"
                    + " or lower --min-rate")
        }
    }

    private func show(_ size: String, _ trial: Trial) {
        try? Terminal.print(
            json
                ? SearchReport.liveJSON(size: size, trial)
                : SearchReport.liveText(size: size, trial))
    }

    private func goals() throws(Failure) -> [LossGoal] {
        let width = try ratio("precision", precision)
        let count: Int = try OptionValue.read("trials", trials) { text throws(Settings.Problem) in
            try Forms.number(text, 1...101)
        }
        var goals = [
            LossGoal(name: "pdr", lossRatio: try ratio("pdr", pdr)),
            LossGoal(name: "ndr", lossRatio: 0),
        ]
        for index in goals.indices {
            goals[index].width = max(0.001, width)
            goals[index].trials = count
        }
        return goals
    }

    private func plan(_ size: String, _ length: RunDuration) throws(Failure) -> RunPlan {
        var options = traffic
        options.size = traffic.profile != nil && traffic.size == nil ? nil : size
        let settings = try options.settings([("duration", "\(length.nanoseconds / 1_000_000)ms")])
        guard settings.receive != nil || settings.receiveTap != nil || settings.receiveVXLAN != nil
        else {
            throw Failure("a search needs --receive, --receive-tap or --receive-vxlan", status: 2)
        }
        return try settings.plan(allowsAnyTarget: traffic.allowAnyTarget)
    }

    private func rate(_ name: String, _ text: String) throws(Failure) -> Rate {
        try OptionValue.read(name, text) { text throws(Settings.Problem) in
            try Forms.take(Rate(text), "give a rate as in 600pps, 1.5Mpps, 2Gbit/s, or max")
        }
    }

    /// `0.005` or `0.5%`.
    private func ratio(_ name: String, _ text: String) throws(Failure) -> Double {
        let isPercent = text.hasSuffix("%")
        let number = Double(text.dropLast(isPercent ? 1 : 0)).map { isPercent ? $0 / 100 : $0 }
        guard let number, number >= 0, number < 1 else {
            throw Failure("--\(name) \(text): give a share as in 0.005 or 0.5%", status: 2)
        }
        return number
    }

}
