import ArgumentParser
import Generator
import Wire

/// `vxgen run`: sends, receives and counts.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Send flows into a device or a tunnel, and count what comes out of another.",
        discussion: """
            Frames are Ethernet, IPv4 and UDP. Every one carries the number of its stream, a \
            sequence number, the time and a check in its payload, so that loss, reordering, \
            duplication, damage and latency are known for every stream, across bridges, routers \
            and tunnels.

            Sizes are those of Ethernet frames with FCS: 64 means 60 bytes handed over. imix is 7 \
            of 64, 4 of 594 and 1 of 1518 bytes. Bits of a rate are those of frames with FCS.

            received counts every frame of the run that came out; lost = sent - (received - \
            duplicated); a damaged frame is in received and in corrupted. After the last frame \
            stragglers are waited for: until 200 ms pass without one, 1 s at most. SIGINT ends \
            the run early, with totals.
            """)

    @Option(help: ArgumentHelp("Send out of this network device.", valueName: "dev"))
    var device: String?

    @Option(help: ArgumentHelp("Send inside VXLAN to this VTEP.", valueName: "address[:port]"))
    var vxlan: Endpoint?

    @Option(help: ArgumentHelp("The VNI, with --vxlan.", valueName: "n"))
    var vni: UInt32?

    @Option(help: ArgumentHelp("Receive on this network device.", valueName: "dev"))
    var receive: String?

    @Option(help: ArgumentHelp("Flows; frames take turns among them.", valueName: "n"))
    var flows = 1

    @Option(
        help: ArgumentHelp("64, a list as in 64,512,1518, or imix.", valueName: "bytes"),
        transform: FrameSizes.parse)
    var size: FrameSizes = FrameSizes("64")!

    @Option(
        help: ArgumentHelp("As in 1Mpps, 600pps, 2Gbit/s, or max.", valueName: "rate"),
        transform: Rate.parse)
    var rate: Rate = .packetsPerSecond(1000)

    @Option(
        help: ArgumentHelp("As in 500ms, 10s, 5m; 10s without --count.", valueName: "time"),
        transform: RunDuration.parse)
    var duration: RunDuration?

    @Option(help: ArgumentHelp("Send this many frames instead.", valueName: "n"))
    var count: UInt64?

    @Option(help: ArgumentHelp("Of the frames.", valueName: "mac"))
    var sourceMac = MACAddress(bits: 0x0256_5800_0001)

    @Option(help: ArgumentHelp("Of the frames.", valueName: "mac"))
    var destinationMac = MACAddress(bits: 0x0256_5800_0002)

    @Option(help: ArgumentHelp("Flows take their source addresses here.", valueName: "prefix"))
    var source = IPv4Prefix("198.18.0.0/16")!

    @Option(help: ArgumentHelp("Flows take their destinations here.", valueName: "prefix"))
    var destination = IPv4Prefix("198.19.0.0/16")!

    @Option(help: ArgumentHelp("The same seed gives the same flows.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("Sending threads.", valueName: "n"))
    var workers = 1

    @Option(help: ArgumentHelp("Frames that leave together, 1 to 64.", valueName: "n"))
    var burst = 1

    @Option(help: ArgumentHelp("Outer UDP source ports, with --vxlan.", valueName: "n"))
    var sourcePorts = 16

    @Option(help: ArgumentHelp("Outer source address, with --vxlan.", valueName: "address"))
    var vxlanSource: IPv4Address?

    @Option(help: ArgumentHelp("Send from this network namespace.", valueName: "name"))
    var netns: String?

    @Option(help: ArgumentHelp("Receive in this network namespace.", valueName: "name"))
    var receiveNetns: String?

    @Flag(
        help: """
            First broadcast three frames from the receiving device with the destination MAC as \
            source, and have the next hop to the VTEP resolved, so that the network knows both \
            ends.
            """)
    var learn = false

    @Flag(help: "Bind each thread to a CPU.")
    var pin = false

    @Flag(help: "Print JSON: a line each second with \"live\":true, and the totals last.")
    var json = false

    func validate() throws {
        guard (device == nil) != (vxlan == nil) else {
            throw ValidationError("give one of --device and --vxlan")
        }
        guard (vxlan == nil) == (vni == nil) else {
            throw ValidationError("--vxlan and --vni go together")
        }
        guard vni.map({ VNI.configurable.contains(Int($0)) }) ?? true else {
            throw ValidationError("--vni is 1 to 16777215")
        }
        guard vxlan != nil || vxlanSource == nil else {
            throw ValidationError("--vxlan-source needs --vxlan")
        }
        guard duration == nil || count == nil else {
            throw ValidationError("give one of --duration and --count")
        }
        guard count != 0 else { throw ValidationError("--count is at least 1") }
        try check(flows, 1...Stamp.maximumStreams, "--flows")
        try check(workers, 1...RunPlan.maximumWorkers, "--workers")
        try check(burst, 1...RunPlan.maximumBurst, "--burst")
        try check(sourcePorts, 1...RunPlan.maximumSourcePorts, "--source-ports")
        guard receive != nil || receiveNetns == nil else {
            throw ValidationError("--receive-netns needs --receive")
        }
        guard receive != nil || vxlan != nil || !learn else {
            throw ValidationError("--learn needs --receive or --vxlan")
        }
        let pps = rate.packetsPerSecond(meanByteCount: size.meanByteCount) ?? 0
        guard pps <= Rate.maximumPacketsPerSecond else {
            throw ValidationError("--rate is at most 1Gpps")
        }
    }

    private func check(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws {
        guard range.contains(value) else {
            throw ValidationError("\(name) is \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func run() throws {
        Interruption.listen()
        do {
            try execute()
        } catch let error as GeneratorError {
            throw Failure("\(error)")
        }
    }

    private func execute() throws {
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
    }

    private var plan: RunPlan {
        var plan = RunPlan(
            output: output, sizes: size, rate: rate, limit: limit,
            space: Flow.Space(source: source, destination: destination, seed: seed))
        plan.receive = receive.map { RunPlan.Port(device: $0, namespace: receiveNetns) }
        plan.flows = flows
        plan.sourceMAC = sourceMac
        plan.destinationMAC = destinationMac
        plan.workers = workers
        plan.burst = burst
        plan.learns = learn
        plan.isPinned = pin
        return plan
    }

    private var limit: RunPlan.Limit {
        if let count { return .count(count) }
        return .duration(duration ?? RunDuration("10s")!)
    }

    private var output: RunPlan.Output {
        guard let vxlan, let vni else {
            return .device(RunPlan.Port(device: device ?? "", namespace: netns))
        }
        return .tunnel(
            RunPlan.Tunnel(
                address: vxlan.address, port: vxlan.port, vni: VNI(bits: vni),
                source: vxlanSource, sourcePorts: sourcePorts, namespace: netns))
    }
}
