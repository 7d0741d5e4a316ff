import ArgumentParser
import Generator
import Wire

/// `vxgen answer`: emulates hosts.
struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer",
        abstract: "Emulate hosts that answer ARP and ping, announce themselves and move.",
        discussion: """
            Host n has the n-th address of --hosts and the n-th MAC address from --first-mac on; \
            with several ports hosts are dealt out among them. Questions with a VLAN tag are \
            answered with it. With --reflect UDP datagrams go back to where they came from, so \
            that `vxgen run --round-trip` measures both ways. It runs until it is interrupted or \
            --duration is over.
            """)

    @Option(help: ArgumentHelp("A port of the hosts; may be repeated.", valueName: "dev"))
    var device: [String] = []

    @Option(
        help: ArgumentHelp(
            "A tap to make as a port of the hosts; may be repeated.", valueName: "dev"))
    var tap: [String] = []

    @Option(help: ArgumentHelp("The ports' network namespace.", valueName: "name"))
    var netns: String?

    @Option(help: ArgumentHelp("The hosts' addresses, as in 10.1.0.0/16.", valueName: "prefix"))
    var hosts: String

    @Option(help: ArgumentHelp("So many of them. Default all.", valueName: "n"))
    var count: String?

    @Option(
        help: ArgumentHelp("Of the first host. Default 02:56:59:00:00:01.", valueName: "mac"))
    var firstMac = "02:56:59:00:00:01"

    @Option(help: ArgumentHelp("VLAN tag of announcements.", valueName: "n"))
    var vlan: String?

    @Option(
        help: ArgumentHelp(
            "Announce every host at the start (gratuitous ARP), so many a second.",
            valueName: "rate"))
    var announce: String?

    @Option(
        help: ArgumentHelp(
            "Move hosts by chance to another port, so many a second.", valueName: "rate"))
    var move: String?

    @Flag(help: "Send UDP datagrams to a host back.")
    var reflect = false

    @Option(help: ArgumentHelp("End after this time.", valueName: "time"))
    var duration: String?

    @Option(help: ArgumentHelp("The same seed gives the same moves. Default 1.", valueName: "n"))
    var seed: UInt64 = 1

    @Flag(help: "Print JSON: a line each second with \"live\":true, and the totals last.")
    var json = false

    func run() throws {
        Interruption.listen()
        let plan = try plan()
        do {
            let totals = try AnswerRun(plan).execute(
                isInterrupted: { Interruption.wasAsked },
                live: { totals in
                    let report = AnswerReport(totals)
                    try? Terminal.print(json ? report.json : report.text)
                })
            let report = AnswerReport(totals)
            if totals.overruns > 0 {
                Terminal.warn(
                    "answer: the receiving sockets lost \(totals.overruns) frames: ask slower or"
                        + " give the machine more CPU")
            }
            try Terminal.print(json ? report.json : report.text)
        } catch let error as GeneratorError {
            throw Failure("\(error)")
        }
    }

    private func plan() throws(Failure) -> AnswerPlan {
        let ports =
            device.map { RunPlan.Input.device(RunPlan.Port(device: $0, namespace: netns)) }
            + tap.map { .tap(RunPlan.Port(device: $0, namespace: netns)) }
        guard (1...AnswerPlan.maximumPorts).contains(ports.count) else {
            throw wrong("give 1 to \(AnswerPlan.maximumPorts) of --device and --tap")
        }
        var plan = AnswerPlan(ports: ports, hosts: try space())
        plan.vlan =
            try vlan.map { text throws(Failure) in
                try OptionValue.read("vlan", text) { text throws(Settings.Problem) in
                    try Forms.number(text, 1...4094)
                }
            } ?? 0
        plan.announceRate = try rate("announce", announce)
        plan.moveRate = try rate("move", move)
        guard plan.moveRate == nil || ports.count > 1 else {
            throw wrong("--move needs more than one port")
        }
        plan.duration = try duration.map { text throws(Failure) in
            try OptionValue.read("duration", text, Forms.duration).nanoseconds
        }
        plan.reflects = reflect
        plan.seed = seed
        return plan
    }

    private func space() throws(Failure) -> HostSpace {
        let prefix = try OptionValue.read("hosts", hosts, Forms.prefix)
        let first = try OptionValue.read("first-mac", firstMac, Forms.mac)
        let limit = try count.map { text throws(Failure) in
            try OptionValue.read("count", text) { text throws(Settings.Problem) in
                try Forms.number(text, 1...HostSpace.maximumCount)
            }
        }
        guard !first.isGroup else { throw wrong("--first-mac \(first): give no group address") }
        guard let space = HostSpace(prefix, firstMAC: first, limit: limit) else {
            throw wrong(
                "--hosts \(prefix): give a prefix with as many hosts as --count, at most"
                    + " \(HostSpace.maximumCount)")
        }
        return space
    }

    /// Frames a second, of 64 bytes where bits were given; nil when nothing was.
    private func rate(_ name: String, _ text: String?) throws(Failure) -> Double? {
        guard let text else { return nil }
        let rate = try OptionValue.read(name, text) { text throws(Settings.Problem) in
            try Forms.take(Rate(text), "give a rate as in 600pps, or 10kpps")
        }
        guard let value = rate.packetsPerSecond(meanByteCount: 64) else {
            throw wrong("--\(name) \(text): give a rate as in 600pps, or 10kpps")
        }
        return value
    }

    private func wrong(_ text: String) -> Failure { Failure(text, status: 2) }
}
