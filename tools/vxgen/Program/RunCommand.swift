import ArgumentParser
import Generator

/// `vxgen run`: sends, receives and counts.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send flows into a device or a tunnel, and count what comes out of another.",
        discussion: """
            Frames are Ethernet, IPv4 and UDP. Every one carries the number of its flow, a \
            sequence number, the time and a check in its payload, so that loss, reordering, \
            duplication, damage and latency are known for every stream, across bridges, routers \
            and tunnels.

            Sizes are those of Ethernet frames with FCS: 64 means 60 bytes handed over. imix is 7 \
            of 64, 4 of 594 and 1 of 1518 bytes. Bits of a rate are those of frames with FCS.

            A profile has the options by their names (`rate: 1Mpps`), and a list `streams` of \
            those that describe one; what is typed wins. Every stream has a share of the frames, \
            by its `weight`.

            received counts every frame of the run that came out; lost = sent - (received - \
            duplicated); a damaged frame is in received and in corrupted. After the last frame \
            stragglers are waited for: until 200 ms pass without one, 1 s at most. SIGINT ends \
            the run early, with totals.
            """)

    @OptionGroup var traffic: TrafficOptions

    @Option(
        help: ArgumentHelp(
            "As in 1Mpps, 600pps, 2Gbit/s, or max. Default 1kpps.", valueName: "rate"))
    var rate: String?

    @Option(
        help: ArgumentHelp("As in 500ms, 10s, 5m; 10s without --count.", valueName: "time"))
    var duration: String?

    @Option(help: ArgumentHelp("Send this many frames instead.", valueName: "n"))
    var count: String?

    @Flag(help: "Print JSON: a line each second with \"live\":true, and the totals last.")
    var json = false

    func run() throws {
        Interruption.listen()
        let settings = try traffic.settings([
            ("rate", rate), ("duration", duration), ("count", count),
        ])
        let plan = try settings.plan(allowsAnyTarget: traffic.allowAnyTarget)
        do {
            try execute(plan)
        } catch let error as GeneratorError {
            throw Failure("\(error)")
        }
    }

    private func execute(_ plan: RunPlan) throws {
        let run = try GeneratorRun(plan)
        let totals = try run.execute(
            isInterrupted: { Interruption.wasAsked },
            live: { totals in
                let report = RunReport(totals)
                // A reader that has gone is noticed with the totals.
                try? Terminal.print(json ? report.json : report.liveText)
            })
        let report = RunReport(totals)
        for line in report.warnings { Terminal.warn(line) }
        try Terminal.print(json ? report.json : report.text)
        if totals.isSilent { throw ExitCode(1) }
    }
}
