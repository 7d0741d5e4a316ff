import Control
import Synchronization
import Wire

/// A gateway of fixed rows that remembers what it was asked to change.
final class FakePlane: ControlPlane {
    let calls = Mutex<[String]>([])
    let fdbRows: Rows<FDBReport>

    init(fdbRows: Rows<FDBReport>) { self.fdbRows = fdbRows }

    convenience init(fdbRows: [FDBReport] = FakePlane.defaultFDB) {
        self.init(fdbRows: Rows(fdbRows))
    }

    static let defaultFDB = [
        FDBReport(
            vsi: "vpna", vni: 10, mac: "02:aa:00:00:00:01", kind: .dynamic, port: "vm1",
            ageSeconds: 12, moves: 1),
        FDBReport(
            vsi: "vpna", vni: 10, mac: "00:00:00:00:00:00", kind: .flood, peer: "gw2",
            address: "10.33.30.151"),
        FDBReport(vsi: "br1", vni: nil, mac: "02:00:00:00:01:10", kind: .own),
    ]

    var made: [String] { calls.withLock { $0 } }

    private func note(_ call: String) { calls.withLock { $0.append(call) } }

    func version() async throws(ControlError) -> VersionReport {
        VersionReport(version: "1.0.0", name: "gw1", pid: 12, uptimeSeconds: 12_000.5)
    }

    func vsis(_ selection: Selection) async throws(ControlError) -> [VSIReport] {
        var rows = [
            VSIReport(
                name: "vpna", vni: 10, fdbEntries: 2, rxPackets: 3, txPackets: 4, floodedPackets: 1,
                ports: ["vm1"], floodList: ["gw2", "border"]),
            VSIReport(
                name: "br1", vni: nil, fdbEntries: 1, rxPackets: 0, txPackets: 0, floodedPackets: 0,
                ports: [], floodList: []),
        ]
        rows[0].mtu = 1450
        rows[0].ageingSeconds = 300
        rows[0].state = "up"
        rows[0].local = "10.33.30.150"
        rows[0].remote = ["10.33.30.151"]
        rows[0].dev = "eth0"
        rows[0].sourcePorts = [49_152, 49_167]
        rows[0].destinationPort = 4789
        rows[0].udpChecksum = "auto"
        return try select(rows, "VSI", selection.name ?? selection.vsi, \.name)
    }

    func peers(_ selection: Selection) async throws(ControlError) -> [PeerReport] {
        let rows = [
            PeerReport(
                name: "gw2", address: "10.33.30.151", vnis: [10, 20], rxPackets: 5, rxBytes: 500,
                txPackets: 6, txBytes: 600)
        ]
        return try select(rows, "peer", selection.name ?? selection.peer, \.name)
    }

    func ports(_ selection: Selection) async throws(ControlError) -> [PortReport] {
        let rows = [
            PortReport(
                name: "vm1", type: "tap", device: "vm1", vlan: nil, vsi: "vpna", state: "up",
                rxPackets: 1234, rxBytes: 99, txPackets: 7, txBytes: 8, rxDrops: 0, txDrops: 1)
        ]
        return try select(rows, "port", selection.name ?? selection.port, \.name)
    }

    func fdb(_ selection: Selection) async throws(ControlError) -> Rows<FDBReport> {
        note("fdb \(describe(selection))")
        if let vsi = selection.vsi, vsi != "vpna" {
            throw .notFound("VSI `\(vsi)` does not exist")
        }
        return fdbRows
    }

    func arp(_ selection: Selection) async throws(ControlError) -> Rows<ARPReport> {
        note("arp \(describe(selection))")
        return Rows([
            ARPReport(
                vrf: "default", interface: "vsi10", address: "10.1.1.11", mac: nil, kind: .dynamic,
                state: .incomplete, ageSeconds: 3)
        ])
    }

    func routes(_ selection: Selection) async throws(ControlError) -> [RouteReport] {
        [
            RouteReport(
                vrf: "default", prefix: "192.168.2.0/24", kind: .static, via: "192.168.2.254",
                interface: "vxlan1", onlink: true),
            RouteReport(vrf: "default", prefix: "10.9.0.0/16", kind: .blackhole),
        ]
    }

    func policies(_ selection: Selection) async throws(ControlError) -> [PolicyReport] {
        [
            PolicyReport(
                name: "out", order: 10, interface: "vsi10", source: "10.1.1.0/24",
                destination: "0.0.0.0/0", protocol: "tcp", destinationPorts: "80-443",
                nextHop: "10.1.1.2", packets: 9)
        ]
    }

    func counters() async throws(ControlError) -> CountersReport {
        var totals = TotalsReport()
        totals.received = 10
        totals.transmitted = 9
        totals.replicated = 1
        totals.dropped = 2
        return CountersReport(
            stages: [
                StageReport(
                    stage: "parse", packets: 10, bytes: 640, drops: 2, vectors: 4, clocks: 1234)
            ], totals: totals, events: ["fdb_limit": 0, "fdb_moves": 3])
    }

    func drops() async throws(ControlError) -> [DropReport] {
        [
            DropReport(
                reason: "vxlan_unknown_vni", stage: "classify", packets: 2,
                description: "no VSI has this VNI"),
            DropReport(
                reason: "kernel_socket_overflow", stage: "kernel", packets: 0,
                description: "the socket buffer was full"),
        ]
    }

    func runtime() async throws(ControlError) -> RuntimeReport {
        RuntimeReport(
            workers: [
                WorkerReport(
                    worker: 0, cpu: 1, counters: try await counters(), busyShare: 0.25, turns: 8,
                    wakeups: 4, submissions: 16, completions: 20, multishotRearmed: 0,
                    buffersInUse: 3, buffers: 1024)
            ], features: ["udp_gro": "on"], inactive: ["static-routes"])
    }

    func clearCounters() async throws(ControlError) { note("clearCounters") }

    func clearFDB(
        _ selection: Selection, includingStatic: Bool
    ) async throws(ControlError) -> Int {
        note("clearFDB \(describe(selection)) static=\(includingStatic)")
        return 4
    }

    func clearARP(_ selection: Selection) async throws(ControlError) -> Int {
        note("clearARP \(describe(selection))")
        return 5
    }

    func addFDB(vsi: String, mac: MACAddress, target: FDBTarget) async throws(ControlError) {
        note("addFDB \(vsi) \(mac) \(target)")
        if vsi == "full" { throw .conflict("VSI `full` is at its mac-limit: raise it") }
    }

    func deleteFDB(vsi: String, mac: MACAddress) async throws(ControlError) {
        note("deleteFDB \(vsi) \(mac)")
        if mac.isZero { throw .notFound("VSI `\(vsi)` has no entry \(mac)") }
    }

    func addARP(
        interface: String, address: IPv4Address, mac: MACAddress
    ) async throws(ControlError) {
        note("addARP \(interface) \(address) \(mac)")
    }

    func deleteARP(interface: String, address: IPv4Address) async throws(ControlError) {
        note("deleteARP \(interface) \(address)")
    }

    func ping(_ request: PingRequest) async throws(ControlError) -> [PingReport] {
        note("ping \(request)")
        if request.vrf == "nowhere" { throw .notFound("no vrf nowhere: see vxgate config show") }
        var reply = PingReport(sequence: request.sequence, result: .reply, source: "10.1.1.1")
        reply.from = request.address.description
        reply.bytes = request.size + 8
        reply.ttl = 64
        reply.milliseconds = 0.25
        let lost = PingReport(
            sequence: request.sequence, result: .timeout, source: "10.1.1.1")
        return [request.interface == "silent" ? lost : reply]
    }

    func apply(text: String, fileName: String) async throws(ControlError) -> [String] {
        note("apply \(fileName) \(text.utf8.count)")
        if text == "wrong" {
            throw .invalidConfiguration(["\(fileName):1:1: vtep: missing", "\(fileName):1:2: x: y"])
        }
        if text == "stopping" { throw .unavailable("vxgate is stopping: try again later") }
        return text.isEmpty ? [] : ["VSI vpna: ageing 300 s -> 60 s"]
    }

    func configurationText() async throws(ControlError) -> String {
        "vtep: { address: 10.33.30.150 } # ü\n"
    }

    private func select<Row>(
        _ rows: [Row], _ kind: String, _ name: String?, _ key: KeyPath<Row, String>
    ) throws(ControlError) -> [Row] {
        guard let name else { return rows }
        let found = rows.filter { $0[keyPath: key] == name }
        guard !found.isEmpty else { throw .notFound("\(kind) `\(name)` does not exist") }
        return found
    }

    private func describe(_ selection: Selection) -> String {
        let parts: [(String, String?)] = [
            ("name", selection.name), ("vsi", selection.vsi), ("port", selection.port),
            ("peer", selection.peer), ("interface", selection.interface), ("vrf", selection.vrf),
            ("mac", selection.mac?.description), ("address", selection.address?.description),
        ]
        return parts.compactMap { key, value in value.map { "\(key)=\($0)" } }
            .joined(separator: " ")
    }
}
