internal import CLinux
internal import Control
internal import Dataplane
internal import Logging
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring
internal import Wire

/// The gateway behind its workers: the agent and its tables, open devices, accounts.
///
/// Thread-safety: belongs to one thread, the agent's once it is started.
final class GatewayCore {
    let agent: Agent
    let links: [WorkerLink]
    let cpus: [Int]
    let topology: Topology
    var underlay: Underlay
    var text: String
    let log: Logger
    var accounts: Accounts
    let features: [String: String]
    var kernelLosses: KernelLosses
    private let monitor: LinkMonitor
    let started = vx_monotonic_nanoseconds()
    private var detachments = 0
    /// What the agent counts itself.
    let agentCounters: Counters
    private let agentRegion = PageRegion(byteCount: CounterLayout.count * 8)
    /// A worker has more frames than one turn takes.
    var hasMoreFrames = false
    /// Turns begun, for the workers' `progress`.
    var turns: UInt64 = 0
    var lostResumes: UInt64 = 0
    var accountedOverflow: UInt64 = 0
    var accountedFailed: UInt64 = 0
    var seenTooLong: UInt64 = 0
    var lastPathCheck: UInt64 = 0
    var lastRouteCheck: UInt64 = 0
    /// The tap of the underlay is ours to remove from now on.
    private var isClosing = false
    /// What routers have told of ways from a tap, by the address of the peer.
    var reportedPaths: [UInt32: ReportedPath] = [:]
    /// What the tap of the underlay had lost when the counters were cleared.
    var clearedUnderlayLosses: UInt64 = 0
    /// Pings that wait for their replies.
    var echoes = EchoSessions(firstIdentifier: .random(in: 0...UInt16.max))
    /// As the operator wrote it; the agent's has native ports spelt out.
    var configuration: Configuration

    /// How long a reload waits for workers to let go of a device.
    private static let detachMilliseconds = 2000

    init(
        agent: Agent, links: [WorkerLink], cpus: [Int], topology: Topology, underlay: Underlay,
        configuration: Configuration, text: String, features: [String: String], log: Logger
    ) throws(GatewayError) {
        self.configuration = configuration
        agentCounters = Counters(region: agentRegion)
        self.agent = agent
        self.links = links
        self.cpus = cpus
        self.topology = topology
        self.underlay = underlay
        self.text = text
        self.features = features
        self.log = log
        accounts = Accounts(links: links, agent: agentCounters)
        kernelLosses = KernelLosses()
        do throws(UringError) {
            monitor = try LinkMonitor()
        } catch {
            throw GatewayError("link monitor: \(error)")
        }
    }

    /// Readable when a network device has changed.
    var linkDescriptor: Int32 { monitor.descriptor }

    var now: UInt64 { vx_monotonic_nanoseconds() }

    /// One turn of the agent's thread: what workers and the kernel tell, and what time brings.
    func turn() {
        beginTurn()
        for link in links {
            while let event = link.workerToAgent.pop() { take(event) }
            takeFrames(link)
        }
        watchLinks()
        watchRoutes()
        watchPaths()
        agent.tick(now: now)
        settlePings()
        sendOrders()
        tellNotices()
    }

    /// How long the thread may sleep: until something of the agent's is due.
    func waitMilliseconds(atMost limit: Int32) -> Int32 {
        let dues = [agent.nextDue, echoes.nextDue].compactMap(\.self)
        guard let due = dues.min() else { return limit }
        let moment = now
        guard due > moment else { return 1 }
        return min(limit, Int32(clamping: (due - moment) / 1_000_000 + 1))
    }

    func close() {
        echoes.close()
        topology.collectLosses()
    }

    private func take(_ event: PuntEvent) {
        let mac = MACAddress(bits: event.mac)
        let address = IPv4Address(bits: event.address)
        let vsi = Int(event.vsi)
        switch event.kind {
        case .macSeen:
            agent.macSeen(mac, vsi: vsi, place: event.place, address: address, now: now)
        case .addressSeen, .addressAnnounced:
            agent.addressSeen(
                address, mac: mac, vsi: vsi, place: event.place,
                isAnnouncement: event.kind == .addressAnnounced, now: now)
        case .pathTooLong: pathIsShort(event.address, mtu: event.mtu)
        }
    }

    // MARK: Links

    private func watchLinks() {
        var environment = agent.environment
        let events = monitor.receive()
        for event in events {
            switch event {
            case .present(let device): note(device, &environment)
            case .removed(let name, let index):
                if !isClosing, underlay.isTap(index) {
                    log.error(
                        "the tap of the underlay is gone: restart", metadata: ["device": "\(name)"])
                }
                environment.devicesUp.remove(
                    DeviceKey(type: .packet, device: name, netns: nil))
            }
        }
        if !events.isEmpty, underlay.boundingDevice == nil {
            environment.underlayMTU = underlay.mtu(to: configuration.peers.map(\.address))
        }
        guard environment != agent.environment else { return }
        let down = agent.environment.devicesUp.subtracting(environment.devicesUp)
        for key in down { log.notice("link down", metadata: ["device": "\(key.device)"]) }
        let up = environment.devicesUp.subtracting(agent.environment.devicesUp)
        for key in up { log.notice("link up", metadata: ["device": "\(key.device)"]) }
        agent.update(environment, now: now)
    }

    private func note(_ device: NetworkDevice, _ environment: inout Environment) {
        if device.index == underlay.boundingDevice?.index { environment.underlayMTU = device.mtu }
        do throws(UringError) {
            try underlay.linkChanged(device)
        } catch {
            log.warning("the VTEP address has no route", metadata: ["cause": "\(error)"])
        }
        let key = DeviceKey(type: .packet, device: device.name, netns: nil)
        guard case .packet(let sockets) = topology.devices[key] else { return }
        if sockets[0].device.index != device.index { reopen(key) }
        if device.isUp {
            environment.devicesUp.insert(key)
        } else {
            environment.devicesUp.remove(key)
        }
    }

    /// A device of the same name took the place of one that was removed.
    private func reopen(_ key: DeviceKey) {
        guard let index = agent.deviceIndex(key) else { return }
        do throws(GatewayError) {
            let device = try topology.open(key)
            detach([index])
            topology.remove(key)
            topology.keep(device, as: key)
            attach(key)
            log.notice("device is back", metadata: ["device": "\(key.device)"])
        } catch {
            log.warning("device cannot be opened again", metadata: ["cause": "\(error)"])
        }
    }

    // MARK: Devices

    /// Hands the queues of a device to the workers.
    func attach(_ key: DeviceKey) {
        guard let index = agent.deviceIndex(key), let device = topology.devices[key] else { return }
        for link in links {
            let command = WorkerCommand(
                kind: .attach, device: UInt16(index), isTap: device.isTap,
                isReader: device.isRead(by: link.number, of: links.count, index: index),
                takesDatagramSuperPackets: device.takesDatagramSuperPackets,
                descriptor: device.descriptor(link.number))
            send(command, to: link)
        }
    }

    /// Has the workers let go of devices, and waits until they have.
    func detach(_ indexes: [Int]) {
        guard !indexes.isEmpty else { return }
        for link in links {
            for index in indexes {
                var command = WorkerCommand.filler
                command.device = UInt16(index)
                send(command, to: link)
            }
        }
        detachments += indexes.count
        waitForAcknowledgement()
    }

    /// Takes the tap of the underlay away, after the workers have ended.
    func closeUnderlay() {
        isClosing = true
        do throws(UringError) {
            try underlay.close()
        } catch {
            log.warning(
                "the tap of the underlay stays for a moment", metadata: ["cause": "\(error)"])
        }
    }

    /// Has the workers let go of every device, and closes them.
    func closeDevices() {
        detach(topology.devices.keys.compactMap(agent.deviceIndex))
        for key in topology.devices.keys { topology.remove(key) }
    }

    /// Has the workers send through the sockets of the present plan.
    func replaceUnderlay() {
        for link in links {
            var command = WorkerCommand.filler
            command.kind = .replaceUnderlay
            let plan = unsafe Unmanaged.passRetained(underlay.plan).toOpaque()
            command.reference = UInt(bitPattern: plan)
            send(command, to: link)
        }
        detachments += 1
        waitForAcknowledgement()
    }

    private func send(_ command: WorkerCommand, to link: WorkerLink) {
        while !link.controlToWorker.push(command) {
            // The worker empties the ring each turn.
            link.wake()
            vx_sleep_microseconds(100)
        }
        link.wake()
    }

    private func waitForAcknowledgement() {
        for link in links {
            for _ in 0..<Self.detachMilliseconds * 10
            where link.acknowledged.load(ordering: .acquiring) < detachments {
                vx_sleep_microseconds(100)
            }
        }
    }
}
