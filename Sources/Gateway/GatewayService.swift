internal import CLinux
public import Control
internal import Dataplane
public import Logging
internal import Memory
public import ServiceLifecycle
internal import Tables
internal import Uring
public import Wire

/// One gateway, from its configuration to its last packet: opens sockets and devices, runs the
/// workers and the agent, and answers operators.
///
/// Thread-safety: every call may come from any task; the agent's thread carries it out.
public final class GatewayService: ControlPlane, Service {
    let thread: AgentThread
    private let workers: [WorkerThread]
    private let plan: WorkerThread.Plan
    private let log: Logger

    /// Opens everything that can fail for an operator's reasons.
    ///
    /// - Parameters:
    ///   - text: the configuration as it was written, for `config show`.
    ///   - fileName: what it was read from.
    /// - Throws: one line that says what is missing and what to do; nothing stays open then.
    public init(
        configuration: Configuration, text: String, fileName: String, log: Logger
    ) throws(GatewayError) {
        self.log = log
        try Capacity.check(configuration)
        let features = try Self.probe(for: configuration)
        let cpus = Self.cpus(configuration.system.workers)
        let underlay = try Underlay(configuration.vtep, workers: cpus.count)
        if underlay.ports.count < configuration.vtep.sourcePorts {
            log.warning(
                "fewer source ports are free than vtep.source-ports asks for",
                metadata: [
                    "free": "\(underlay.ports.count)",
                    "wanted": "\(configuration.vtep.sourcePorts)",
                ])
        }
        let topology = Topology(workers: cpus.count)
        let mtu = underlay.mtu(to: configuration.peers.map(\.address))
        for key in configuration.withNativePorts().deviceKeys {
            let device = try topology.open(key, underlayMTU: mtu, waits: true)
            topology.keep(device, as: key)
        }
        let environment = Environment(
            vtepAddress: IPv4Address(bits: underlay.address),
            underlayMTU: mtu, sourcePortCount: underlay.ports.count,
            devicesUp: Set(topology.devices.keys.filter(topology.isUp)))
        let agent = Agent(
            configuration: configuration.withNativePorts(), environment: environment,
            workers: cpus.count,
            now: vx_monotonic_nanoseconds())
        thread = try AgentThread()
        var links: [WorkerLink] = []
        for number in cpus.indices {
            links.append(
                try WorkerLink(number: number, agentDescriptor: thread.wakeDescriptor))
        }
        plan = WorkerThread.Plan(
            underlay: underlay.plan, snapshot: agent.snapshot,
            policers: Column(count: Pipeline.policerCount, repeating: 0))
        agent.icmpPolicer = Policer(words: plan.policers, index: Pipeline.icmpPolicer)
        workers = zip(links, cpus).map { WorkerThread(link: $0, cpu: $1) }
        let core = try GatewayCore(
            agent: agent, links: links, cpus: cpus, topology: topology, underlay: underlay,
            configuration: configuration, text: text, features: features, log: log)
        for key in topology.devices.keys { core.attach(key) }
        thread.start(core)
    }

    /// Forwards packets until graceful shutdown. Afterwards it still answers.
    public func run() async throws {
        for worker in workers { try worker.start(plan) }
        log.notice("forwarding", metadata: ["workers": "\(workers.count)"])
        try? await gracefulShutdown()
        // A ring gives its files back some time after it is closed; without this a tap would
        // outlive the process by that time.
        try? await thread.perform { core throws(ControlError) in core.closeDevices() }
        for worker in workers { worker.stop() }
        try? await thread.perform { core throws(ControlError) in core.closeUnderlay() }
    }

    /// Asks the kernel for what every worker will need, while a refusal can still be told in one
    /// line.
    public static func probe(
        for configuration: Configuration
    ) throws(GatewayError) -> [String: String] {
        do throws(UringError) {
            let ring = try UringInstance(entries: 8, completionEntries: 16)
            defer { ring.close() }
            ring.reserveFiles(1)
            var features: [String: String] = [:]
            for (name, state) in UringFeatures(probing: ring).states { features[name] = state }
            if cpus(configuration.system.workers).count > 1 {
                features["flow_steering"] = FlowSteering.state
            }
            return features
        } catch {
            throw GatewayError("io_uring: \(error)")
        }
    }

    /// One CPU for each worker: those this process may use, in order, again from the first when
    /// there are more workers.
    private static func cpus(_ workers: Configuration.Workers) -> [Int] {
        var available = [Int32](repeating: 0, count: 1024)
        let count = unsafe vx_available_cpus(&available, 1024)
        let cpus = count > 0 ? available[..<Int(count)].map(Int.init) : [0]
        switch workers {
        case .automatic: return cpus
        case .count(let wanted): return (0..<wanted).map { cpus[$0 % cpus.count] }
        }
    }

    // MARK: Tables

    public func fdb(_ selection: Selection) async throws(ControlError) -> Rows<FDBReport> {
        try await thread.perform { core throws(ControlError) in
            try core.agent.fdbListing(selection, now: core.now)
        }.rows()
    }

    public func arp(_ selection: Selection) async throws(ControlError) -> Rows<ARPReport> {
        try await thread.perform { core throws(ControlError) in
            try core.agent.arpListing(selection, now: core.now)
        }.rows()
    }

    public func routes(_ selection: Selection) async throws(ControlError) -> [RouteReport] {
        try await thread.perform { core throws(ControlError) in
            try core.agent.routeReport(selection)
        }
    }

    public func policies(_ selection: Selection) async throws(ControlError) -> [PolicyReport] {
        try await thread.perform { core throws(ControlError) in try core.policyReport(selection) }
    }

    public func vsis(_ selection: Selection) async throws(ControlError) -> [VSIReport] {
        try await thread.perform { core throws(ControlError) in try core.vsiReport(selection) }
    }

    public func peers(_ selection: Selection) async throws(ControlError) -> [PeerReport] {
        try await thread.perform { core throws(ControlError) in try core.peerReport(selection) }
    }

    public func ports(_ selection: Selection) async throws(ControlError) -> [PortReport] {
        try await thread.perform { core throws(ControlError) in try core.portReport(selection) }
    }

    public func counters() async throws(ControlError) -> CountersReport {
        try await thread.perform { core throws(ControlError) in
            core.accounts.report(core.agent.events)
        }
    }

    public func drops() async throws(ControlError) -> [DropReport] {
        try await thread.perform { core throws(ControlError) in core.dropReport() }
    }

    public func runtime() async throws(ControlError) -> RuntimeReport {
        try await thread.perform { core throws(ControlError) in core.runtimeReport() }
    }

    public func version() async throws(ControlError) -> VersionReport {
        try await thread.perform { core throws(ControlError) in core.versionReport() }
    }

    // MARK: Changes

    public func clearCounters() async throws(ControlError) {
        try await thread.perform { core throws(ControlError) in core.clearCounters() }
    }

    public func clearFDB(
        _ selection: Selection, includingStatic: Bool
    ) async throws(ControlError) -> Int {
        try await thread.perform { core throws(ControlError) in
            try core.agent.clearFDB(selection, includingStatic: includingStatic)
        }
    }

    public func clearARP(_ selection: Selection) async throws(ControlError) -> Int {
        try await thread.perform { core throws(ControlError) in
            try core.agent.clearARP(selection)
        }
    }

    public func addFDB(
        vsi: String, mac: MACAddress, target: FDBTarget
    ) async throws(ControlError) {
        try await thread.perform { core throws(ControlError) in
            try core.agent.addFDB(vsi: vsi, mac: mac, target: target, now: core.now)
        }
    }

    public func deleteFDB(vsi: String, mac: MACAddress) async throws(ControlError) {
        try await thread.perform { core throws(ControlError) in
            try core.agent.deleteFDB(vsi: vsi, mac: mac)
        }
    }

    public func addARP(
        interface: String, address: IPv4Address, mac: MACAddress
    ) async throws(ControlError) {
        try await thread.perform { core throws(ControlError) in
            try core.agent.addARP(
                interface: interface, address: address, mac: mac, now: core.now)
        }
    }

    public func deleteARP(
        interface: String, address: IPv4Address
    ) async throws(ControlError) {
        try await thread.perform { core throws(ControlError) in
            try core.agent.deleteARP(interface: interface, address: address)
        }
    }

    /// Parses and checks on the caller's thread, so that a large file does not keep the agent from
    /// learning.
    public func apply(
        text: String, fileName: String
    ) async throws(ControlError) -> [String] {
        let parsed: ParsedConfiguration
        do throws(ConfigurationErrors) {
            parsed = try Configuration.parse(text: text, fileName: fileName)
        } catch {
            throw .invalidConfiguration(error.diagnostics.map(\.description))
        }
        return try await thread.perform { core throws(ControlError) in
            try core.apply(parsed.configuration, text: text)
        }
    }

    public func configurationText() async throws(ControlError) -> String {
        try await thread.perform { core throws(ControlError) in core.text }
    }
}
