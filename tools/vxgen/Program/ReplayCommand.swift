import ArgumentParser
import Generator
import Wire

/// `vxgen replay`: plays a capture.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Play a capture out of a device, a tap, or inside VXLAN.",
        discussion: """
            Reads pcap and pcapng of Ethernet frames. Frames leave at the times of the capture, \
            at --speed times that, or evenly with --rate. Cut frames are left out. What the \
            kernel does not take, as frames longer than the MTU, is counted. The report says how \
            late frames were handed over.
            """)

    @Argument(help: "A pcap or pcapng file.")
    var file: String

    @Option(help: ArgumentHelp("Send out of this network device.", valueName: "dev"))
    var device: String?

    @Option(help: ArgumentHelp("Make a tap of this name and send through it.", valueName: "dev"))
    var tap: String?

    @Option(help: ArgumentHelp("Send inside VXLAN to this VTEP.", valueName: "address[:port]"))
    var vxlan: String?

    @Option(help: ArgumentHelp("The VNI, with --vxlan.", valueName: "n"))
    var vni: String?

    @Option(help: ArgumentHelp("Send from this network namespace.", valueName: "name"))
    var netns: String?

    @Option(help: ArgumentHelp("So many times as fast as captured. Default 1.", valueName: "x"))
    var speed: Double?

    @Option(help: ArgumentHelp("Evenly at this rate instead, or max.", valueName: "rate"))
    var rate: String?

    @Option(help: ArgumentHelp("Play it so often; 0 is without end. Default 1.", valueName: "n"))
    var loop: UInt64 = 1

    @Option(help: ArgumentHelp("End after this time in any case.", valueName: "time"))
    var duration: String?

    @Option(help: ArgumentHelp("Source MAC address of every frame.", valueName: "mac"))
    var sourceMac: String?

    @Option(help: ArgumentHelp("Destination MAC address of every frame.", valueName: "mac"))
    var destinationMac: String?

    @Option(
        help: ArgumentHelp(
            "Replace one MAC address by another, on either side; may be repeated.",
            valueName: "old=new"))
    var mapMac: [String] = []

    @Option(
        help: ArgumentHelp("VNI of every captured VXLAN packet (UDP port 4789).", valueName: "n"))
    var rewriteVni: String?

    @Flag(help: "Send to a VTEP that is neither private nor loopback.")
    var allowAnyTarget = false

    @Flag(help: "Print JSON: a line each second with \"live\":true, and the totals last.")
    var json = false

    func run() throws {
        Interruption.listen()
        let plan = try plan()
        do {
            let run = try ReplayRun(plan, try Capture(path: file))
            let totals = try run.execute(
                isInterrupted: { Interruption.wasAsked },
                live: { totals in
                    let report = ReplayReport(totals)
                    try? Terminal.print(json ? report.json : report.liveText)
                })
            let report = ReplayReport(totals)
            for line in report.warnings { Terminal.warn(line) }
            try Terminal.print(json ? report.json : report.text)
            if totals.sent == 0 && totals.refused > 0 { throw ExitCode(1) }
        } catch let error as GeneratorError {
            throw Failure("\(error)")
        }
    }

    private func plan() throws(Failure) -> ReplayPlan {
        var settings = Settings()
        var given: [(String, String?)] = [
            ("device", device), ("tap", tap), ("vxlan", vxlan), ("vni", vni), ("netns", netns),
            ("rate", rate), ("duration", duration),
        ]
        if vni?.contains("-") == true { throw wrong("--vni is one number here") }
        given.removeAll { $0.1 == nil }
        for (name, text) in given {
            try OptionValue.read(name, text ?? "") { text throws(Settings.Problem) in
                try settings.set(name, text)
            }
        }
        let run = try settings.plan(allowsAnyTarget: allowAnyTarget)
        var plan = ReplayPlan(output: run.output)
        plan.vni = VNI(bits: run.streams[0].space.vnis.lowerBound)
        plan.loops = loop == 0 ? nil : loop
        plan.duration = settings.duration?.nanoseconds
        if let speed {
            guard rate == nil else { throw wrong("give one of --speed and --rate") }
            guard speed > 0, speed.isFinite, speed <= 1e9 else {
                throw wrong("--speed is more than 0 and at most 1000000000")
            }
            plan.timing = .captured(speed: speed)
        }
        if rate != nil { plan.timing = .rate(run.rate) }
        plan.rewriter = try rewriter()
        return plan
    }

    private func rewriter() throws(Failure) -> FrameRewriter {
        var rewriter = FrameRewriter()
        rewriter.source = try sourceMac.map { text throws(Failure) in
            try OptionValue.read("source-mac", text, Forms.mac)
        }
        rewriter.destination = try destinationMac.map { text throws(Failure) in
            try OptionValue.read("destination-mac", text, Forms.mac)
        }
        for pair in mapMac {
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, let old = MACAddress(String(sides[0])),
                let new = MACAddress(String(sides[1]))
            else { throw wrong("--map-mac \(pair): give two MAC addresses as in OLD=NEW") }
            rewriter.mapped[old] = new
        }
        if let rewriteVni {
            let range = VNI.configurable
            let number: UInt32 = try OptionValue.read("rewrite-vni", rewriteVni) {
                text throws(Settings.Problem) in
                try Forms.number(text, UInt32(range.lowerBound)...UInt32(range.upperBound))
            }
            rewriter.vni = VNI(bits: number)
        }
        return rewriter
    }

    private func wrong(_ text: String) -> Failure { Failure(text, status: 2) }
}
