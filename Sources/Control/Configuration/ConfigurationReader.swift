internal import Wire

/// Turns the sections of a document into a configuration: values, types, ranges and defaults. Rules
/// between values are `ConfigurationCheck`'s.
struct ConfigurationReader {
    let root: YAMLSection
    let log: DiagnosticLog

    init(_ document: YAMLDocument, log: DiagnosticLog) {
        let keys = [
            "system", "vtep", "peers", "vrfs", "vsis", "access-ports", "vsi-interfaces",
            "native-ports", "static-fdb", "static-arp", "static-routes", "policy-routes", "timers",
            "limits", "control", "metrics", "state",
        ]
        root = YAMLSection(document.root, path: "", keys: keys, document: document, log: log)
        self.log = log
    }

    func configuration() -> Configuration {
        var result = Configuration(vtep: vtep())
        result.system = system()
        result.peers = peers()
        result.vrfs = vrfs()
        result.vsis = vsis()
        result.accessPorts = accessPorts()
        result.vsiInterfaces = vsiInterfaces()
        result.nativePorts = nativePorts()
        result.staticFDB = staticFDB()
        result.staticARP = staticARP()
        let interfaceVRFs =
            result.vsiInterfaces.map { ($0.name, $0.vrf) }
            + result.nativePorts.map { ($0.name, $0.vrf) }
        result.staticRoutes = staticRoutes(
            interfaceVRFs: Dictionary(interfaceVRFs, uniquingKeysWith: { first, _ in first }))
        result.policyRoutes = policyRoutes()
        result.timers = timers()
        result.limits = limits()
        result.control = control()
        result.metrics = metrics()
        result.state = state()
        result.sources = log.sources
        return result
    }

    private func system() -> Configuration.System {
        guard let section = root.section("system", keys: ["name", "workers", "spin", "gather"])
        else {
            return Configuration.System()
        }
        let workers = ValueForm<Configuration.Workers>.word(
            "auto", .automatic, or: .integer(1...256), { .count($0) })
        var result = Configuration.System(
            name: section.value("name", .name) ?? "",
            workers: section.value("workers", workers) ?? .automatic)
        if let spin = section.value("spin", .microseconds(0...1_000_000)) {
            result.spinMicroseconds = spin
        }
        if let gather = section.value("gather", .microseconds(0...1000)) {
            result.gatherMicroseconds = gather
        }
        return result
    }

    private func vtep() -> Configuration.VTEP {
        let keys = [
            "address", "interface", "udp-port", "underlay", "device", "source-ports", "ttl", "dscp",
            "df", "udp-checksum", "reserved-bits", "accept-unknown-peers",
        ]
        var result = Configuration.VTEP(address: .address(.any))
        guard let section = root.section("vtep", keys: keys) else {
            root.missing("vtep")
            return result
        }
        result.address = vtepSource(section)
        let ttl = ValueForm<Configuration.OuterTTL>.word(
            "inherit", .inherit, or: .integer(1...255), { .fixed(UInt8($0)) })
        let dscp = ValueForm<Configuration.OuterDSCP>.word(
            "inherit", .inherit, or: .integer(0...63), { .fixed(UInt8($0)) })
        if let port = section.value("udp-port", .integer(1...65535)) {
            result.udpPort = UInt16(port)
        }
        result.underlay = section.value("underlay", .enumeration) ?? result.underlay
        result.device = section.value("device", .device) ?? result.device
        result.sourcePorts =
            section.value("source-ports", .integer(1...16384)) ?? result.sourcePorts
        result.ttl = section.value("ttl", ttl) ?? result.ttl
        result.dscp = section.value("dscp", dscp) ?? result.dscp
        result.df = section.value("df", .enumeration) ?? result.df
        result.udpChecksum = section.value("udp-checksum", .enumeration) ?? result.udpChecksum
        result.reservedBits = section.value("reserved-bits", .enumeration) ?? result.reservedBits
        result.acceptUnknownPeers =
            section.value("accept-unknown-peers", .boolean) ?? result.acceptUnknownPeers
        return result
    }

    private func vtepSource(_ section: YAMLSection) -> Configuration.VTEPSource {
        let address = section.value("address", .unicastAddress)
        let device = section.value("interface", .device)
        if section.has("address"), section.has("interface") {
            log.refuse(
                section.keyPath("interface"),
                "the VTEP address is given by 'address' already: keep one of the two")
        } else if !section.has("address"), !section.has("interface") {
            section.missing("address")
        }
        if let device, !section.has("address") { return .interface(device) }
        return .address(address ?? .any)
    }

    private func timers() -> Configuration.Timers {
        var result = Configuration.Timers()
        let keys = ["arp-ageing", "arp-retry", "arp-attempts", "mac-move-window", "mac-freeze"]
        guard let section = root.section("timers", keys: keys) else { return result }
        // Thirty days and a minute: longer is a slip of the unit.
        if let ageing = section.value("arp-ageing", .milliseconds(1000...2_592_000_000)) {
            result.arpAgeingSeconds = Double(ageing) / 1000
        }
        if let retry = section.value("arp-retry", .milliseconds(100...60_000)) {
            result.arpRetrySeconds = Double(retry) / 1000
        }
        result.arpAttempts = section.value("arp-attempts", .integer(1...100)) ?? result.arpAttempts
        let aDay = 86_400_000
        if let window = section.value("mac-move-window", .milliseconds(1000...aDay)) {
            result.macMoveWindowSeconds = Double(window) / 1000
        }
        if let freeze = section.value("mac-freeze", .milliseconds(1000...aDay)) {
            result.macFreezeSeconds = Double(freeze) / 1000
        }
        return result
    }

    private func limits() -> Configuration.Limits {
        var result = Configuration.Limits()
        let keys = ["arp-punt", "icmp-errors", "unresolved-queue", "mac-moves"]
        guard let section = root.section("limits", keys: keys) else { return result }
        let rate = ValueForm<Int>.packetsPerSecond(0...100_000_000)
        result.arpPuntPerSecond = section.value("arp-punt", rate) ?? result.arpPuntPerSecond
        result.icmpErrorsPerSecond =
            section.value("icmp-errors", rate) ?? result.icmpErrorsPerSecond
        // At least the latest packet is held (RFC 1122 section 2.3.2.2).
        result.unresolvedQueue =
            section.value("unresolved-queue", .integer(1...4096)) ?? result.unresolvedQueue
        result.macMoves = section.value("mac-moves", .integer(0...1000)) ?? result.macMoves
        return result
    }

    private func control() -> Configuration.Control {
        var result = Configuration.Control()
        guard let section = root.section("control", keys: ["socket", "group"]) else {
            return result
        }
        // sockaddr_un has 108 bytes with the final zero.
        result.socket = section.value("socket", .absolutePath(byteLimit: 107)) ?? result.socket
        result.group = section.value("group", .name)
        return result
    }

    private func metrics() -> Configuration.Metrics? {
        guard let section = root.section("metrics", keys: ["listen"]) else { return nil }
        let form = ValueForm<Configuration.Metrics> { text throws(FormProblem) in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let address = IPv4Address(String(parts[0])),
                !address.isMulticast, let port = UInt16(parts[1]), port > 0
            else {
                throw FormProblem(
                    "\(quoted(text)) is not an address and port such as 127.0.0.1:9477")
            }
            return Configuration.Metrics(address: address.description, port: port)
        }
        let stand = Configuration.Metrics(address: "127.0.0.1", port: 9477)
        return section.required("listen", form, stand: stand)
    }

    private func state() -> Configuration.State {
        guard let section = root.section("state", keys: ["directory"]),
            let directory = section.value("directory", .absolutePath(byteLimit: 1024))
        else { return Configuration.State() }
        return Configuration.State(directory: directory)
    }
}
