import ArgumentParser
import Generator
import Wire

/// The options that say what is sent, and where it comes out again.
struct TrafficOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Send out of this network device.", valueName: "dev"))
    var device: String?

    @Option(help: ArgumentHelp("Make a tap of this name and send through it.", valueName: "dev"))
    var tap: String?

    @Option(help: ArgumentHelp("Send inside VXLAN to this VTEP.", valueName: "address[:port]"))
    var vxlan: String?

    @Option(help: ArgumentHelp("The VNIs, with --vxlan.", valueName: "n|n-m"))
    var vni: String?

    @Option(help: ArgumentHelp("Receive on this network device.", valueName: "dev"))
    var receive: String?

    @Option(help: ArgumentHelp("Make a tap of this name and receive on it.", valueName: "dev"))
    var receiveTap: String?

    @Option(
        help: ArgumentHelp(
            "Receive VXLAN on this address of this host.", valueName: "address[:port]"))
    var receiveVxlan: String?

    @Option(help: ArgumentHelp("A YAML file of settings and streams.", valueName: "file"))
    var profile: String?

    @Option(
        help: ArgumentHelp("Flows; frames take turns among them. Default 1.", valueName: "n"))
    var flows: String?

    @Option(
        help: ArgumentHelp(
            "64, a list as in 64,512,1518, imix, or a genome (RFC 6985). Default 64.",
            valueName: "bytes"))
    var size: String?

    @Option(help: ArgumentHelp("The first source MAC address.", valueName: "mac"))
    var sourceMac: String?

    @Option(help: ArgumentHelp("The first destination MAC address.", valueName: "mac"))
    var destinationMac: String?

    @Option(help: ArgumentHelp("Source MAC addresses, one for each host.", valueName: "n"))
    var sourceMacs: String?

    @Option(help: ArgumentHelp("Destination MAC addresses, one for each host.", valueName: "n"))
    var destinationMacs: String?

    @Option(
        help: ArgumentHelp("Flows take their source addresses here.", valueName: "prefix"))
    var source: String?

    @Option(help: ArgumentHelp("Flows take their destinations here.", valueName: "prefix"))
    var destination: String?

    @Option(
        help: ArgumentHelp(
            "random (the default), or sequential: flow n has host n.", valueName: "order"))
    var addresses: String?

    @Option(help: ArgumentHelp("UDP source ports of the flows.", valueName: "n|n-m"))
    var udpSource: String?

    @Option(help: ArgumentHelp("UDP destination ports of the flows.", valueName: "n|n-m"))
    var udpDestination: String?

    @Option(help: ArgumentHelp("VLAN tags of the flows.", valueName: "n|n-m"))
    var vlan: String?

    @Option(help: ArgumentHelp("TTL of the frames. Default 64.", valueName: "n"))
    var ttl: String?

    @Option(help: ArgumentHelp("DSCP of the frames. Default 0.", valueName: "n"))
    var dscp: String?

    @Option(
        help: ArgumentHelp("The same seed gives the same flows. Default 1.", valueName: "n"))
    var seed: String?

    @Option(help: ArgumentHelp("Sending threads. Default 1.", valueName: "n"))
    var workers: String?

    @Option(help: ArgumentHelp("Receiving threads. Default 1.", valueName: "n"))
    var receiveWorkers: String?

    @Option(help: ArgumentHelp("Frames that leave together, 1 to 64.", valueName: "n"))
    var burst: String?

    @Option(
        help: ArgumentHelp(
            "Outer UDP source ports, with --vxlan. Default 16.", valueName: "n"))
    var sourcePorts: String?

    @Option(help: ArgumentHelp("Outer source address, with --vxlan.", valueName: "address"))
    var vxlanSource: String?

    @Option(help: ArgumentHelp("Outer TTL, with --vxlan. Default 64.", valueName: "n"))
    var outerTtl: String?

    @Option(help: ArgumentHelp("Outer DSCP, with --vxlan. Default 0.", valueName: "n"))
    var outerDscp: String?

    @Flag(help: "Set DF in the outer header, with --vxlan.")
    var outerDf = false

    @Flag(help: "Send to a VTEP that is neither private nor loopback.")
    var allowAnyTarget = false

    @Option(help: ArgumentHelp("Send from this network namespace.", valueName: "name"))
    var netns: String?

    @Option(help: ArgumentHelp("Receive in this network namespace.", valueName: "name"))
    var receiveNetns: String?

    @Option(
        help: ArgumentHelp("Send for so long before the first that counts.", valueName: "time"))
    var warmUp: String?

    @Flag(
        help: """
            First broadcast from the receiving device with each destination MAC as source, and \
            have the next hop to the VTEP resolved, so that the network knows both ends.
            """)
    var learn = false

    @Flag(help: "The other end sends the frames back: latencies are those of both ways.")
    var roundTrip = false

    @Flag(help: "Bind each thread to a CPU.")
    var pin = false

    /// The profile, and over it what was typed.
    ///
    /// - Throws: `Failure` with status 2.
    func settings(_ more: [(String, String?)]) throws(Failure) -> Settings {
        var settings = Settings()
        if let profile { try Profile.read(profile, into: &settings) }
        for (name, text) in named + more {
            guard let text else { continue }
            try OptionValue.read(name, text) { text throws(Settings.Problem) in
                try settings.set(name, text)
            }
        }
        return settings
    }

    private var named: [(String, String?)] {
        func flag(_ isGiven: Bool) -> String? { isGiven ? "true" : nil }
        return [
            ("device", device), ("tap", tap), ("vxlan", vxlan), ("vni", vni),
            ("receive", receive), ("receive-tap", receiveTap), ("receive-vxlan", receiveVxlan),
            ("flows", flows), ("size", size), ("source-mac", sourceMac),
            ("destination-mac", destinationMac), ("source-macs", sourceMacs),
            ("destination-macs", destinationMacs), ("source", source),
            ("destination", destination), ("addresses", addresses), ("udp-source", udpSource),
            ("udp-destination", udpDestination), ("vlan", vlan), ("ttl", ttl), ("dscp", dscp),
            ("seed", seed), ("workers", workers), ("receive-workers", receiveWorkers),
            ("burst", burst), ("source-ports", sourcePorts), ("vxlan-source", vxlanSource),
            ("outer-ttl", outerTtl), ("outer-dscp", outerDscp), ("outer-df", flag(outerDf)),
            ("netns", netns), ("receive-netns", receiveNetns), ("warm-up", warmUp),
            ("learn", flag(learn)), ("round-trip", flag(roundTrip)), ("pin", flag(pin)),
        ]
    }
}
