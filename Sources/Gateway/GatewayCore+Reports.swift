internal import CLinux
internal import Control
internal import Dataplane
import Glibc
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring
internal import Wire

/// The gateway as operators see it.
extension GatewayCore {
    func vsiReport(_ selection: Selection) throws(ControlError) -> [VSIReport] {
        let names = [selection.name, selection.vsi].compactMap(\.self)
        for name in names where !configuration.vsis.contains(where: { $0.name == name }) {
            throw .notFound("no vsi \(name): see vxgate show vsi")
        }
        let rows = configuration.vsis.filter { vsi in names.allSatisfy { $0 == vsi.name } }
        let entries = agent.forwardingCounts()
        return rows.map { vsi in
            let index = agent.vsiNames[vsi.name]!
            let ports = configuration.accessPorts.filter { $0.vsi == vsi.name }
            let peers = configuration.floodPeers(of: vsi)
            var report = VSIReport(
                name: vsi.name, vni: vsi.vni?.bits, fdbEntries: entries[index],
                rxPackets: accounts.value(CounterLayout.index(vsi: index, .rxPackets)),
                txPackets: accounts.value(CounterLayout.index(vsi: index, .txPackets)),
                floodedPackets: accounts.value(CounterLayout.index(vsi: index, .floodedPackets)),
                ports: ports.map(\.name), floodList: peers.map(\.name))
            report.mtu = agent.mtu(ofVSI: vsi)
            report.ageingSeconds = vsi.ageingSeconds
            report.state = !peers.isEmpty || ports.contains { isUp($0) } ? "up" : "down"
            if vsi.vni != nil { describeTunnel(to: peers, in: &report) }
            return report
        }
    }

    private func isUp(_ port: Configuration.AccessPort) -> Bool {
        agent.environment.devicesUp.contains(DeviceKey(port))
    }

    private func describeTunnel(to peers: [Configuration.Peer], in report: inout VSIReport) {
        report.local = agent.environment.vtepAddress.description
        report.remote = peers.map(\.address.description)
        report.dev = underlay.deviceName
        report.sourcePorts = [underlay.ports.min(), underlay.ports.max()].compactMap(\.self)
        report.destinationPort = configuration.vtep.udpPort
        report.udpChecksum = configuration.vtep.udpChecksum.rawValue
    }

    func peerReport(_ selection: Selection) throws(ControlError) -> [PeerReport] {
        let names = [selection.name, selection.peer].compactMap(\.self)
        let all = agent.peersByIndex
        for name in names where !all.contains(where: { $0.name == name }) {
            throw .notFound("no peer \(name): see vxgate show peer")
        }
        let rows = all.filter { peer in names.allSatisfy { $0 == peer.name } }
        return rows.map { peer in
            func value(_ field: CounterLayout.PeerField) -> UInt64 {
                accounts.value(CounterLayout.index(peer: peer.index, field))
            }
            return PeerReport(
                name: peer.name, address: peer.address, vnis: peer.vnis,
                rxPackets: value(.rxPackets), rxBytes: value(.rxBytes),
                txPackets: value(.txPackets), txBytes: value(.txBytes))
        }
    }

    /// Access ports and native ports.
    func portReport(_ selection: Selection) throws(ControlError) -> [PortReport] {
        let names = [selection.name, selection.port].compactMap(\.self)
        for name in names where agent.portNames[name] == nil {
            throw .notFound("no port \(name): see vxgate show port")
        }
        if let vsi = selection.vsi, agent.vsiNames[vsi] == nil {
            throw .notFound("no vsi \(vsi): see vxgate show vsi")
        }
        let rows = agent.configuration.accessPorts.filter { port in
            names.allSatisfy { $0 == port.name }
                && (selection.vsi == nil || port.vsi == selection.vsi)
        }
        return rows.map { port in
            let index = agent.portNames[port.name]!
            func value(_ field: CounterLayout.PortField) -> UInt64 {
                accounts.value(CounterLayout.index(port: index, field))
            }
            return PortReport(
                name: port.name, type: port.type.rawValue, device: port.device, vlan: port.vlan,
                vsi: port.vsi, state: isUp(port) ? "up" : "down", rxPackets: value(.rxPackets),
                rxBytes: value(.rxBytes), txPackets: value(.txPackets),
                txBytes: value(.txBytes), rxDrops: value(.rxDrops), txDrops: value(.txDrops))
        }
    }

    func policyReport(_ selection: Selection) throws(ControlError) -> [PolicyReport] {
        try agent.policyReport(selection).map { row in
            var report = row.report
            report.packets = accounts.value(CounterLayout.index(policy: row.counter))
            return report
        }
    }

    /// Every reason of the closed list, then what the kernel lost.
    func dropReport() -> [DropReport] {
        let ours = DropReason.allCases.map { reason in
            DropReport(
                reason: reason.name, stage: reason.stage.name,
                packets: accounts.value(CounterLayout.index(reason)),
                description: reason.entry.text)
        }
        topology.collectLosses()
        let kernel = kernelLosses.since().map { loss in
            let isOverflow = loss.name == "kernel_socket_overflow"
            let more = isOverflow ? topology.packetLosses + underlayLosses : 0
            return DropReport(
                reason: loss.name, stage: "kernel", packets: loss.packets + more,
                description: loss.text)
        }
        return ours + kernel
    }

    /// Packets that the tap of the underlay has lost since the counters were cleared.
    private var underlayLosses: UInt64 {
        guard let name = underlay.tapName else { return 0 }
        return KernelLosses.outgoing(of: name) &- clearedUnderlayLosses
    }

    func runtimeReport() -> RuntimeReport {
        let rows = zip(links, cpus).map { link, cpu in
            func value(_ runtime: CounterLayout.Runtime) -> UInt64 {
                link.counters.page.read(CounterLayout.index(runtime))
            }
            let elapsed = max(now - started, 1)
            let blocked = min(value(.blockedNanoseconds), elapsed)
            return WorkerReport(
                worker: link.number, cpu: cpu, counters: accounts.report(worker: link),
                busyShare: 1 - Double(blocked) / Double(elapsed), turns: value(.turns),
                wakeups: value(.wakeups), submissions: value(.submissions),
                completions: value(.completions),
                multishotRearmed: link.counters.page.read(
                    CounterLayout.index(.multishotRearmed)),
                buffersInUse: link.buffersInUse.load(ordering: .relaxed),
                buffers: SlotPool.buffersPerGroup * 2)
        }
        var features = features
        for (name, state) in underlay.features { features[name] = state }
        return RuntimeReport(
            workers: rows, features: features, inactive: configuration.inactive())
    }

    func versionReport() -> VersionReport {
        let name = configuration.system.name
        return VersionReport(
            version: Release.version, name: name.isEmpty ? Self.hostName() : name, pid: getpid(),
            uptimeSeconds: Double(now - started) / 1e9)
    }

    /// What a gateway is called that has no name of its own.
    private static func hostName() -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "vxgate" }
        return String(
            decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func clearCounters() {
        kernelLosses = KernelLosses()
        topology.clearLosses()
        clearedUnderlayLosses = underlay.tapName.map(KernelLosses.outgoing) ?? 0
        accounts.resetAll(owners, events: agent.events)
    }

    var owners: Accounts.Owners { Accounts.Owners(of: agent) }
}
