import Control

/// The counters as OpenMetrics 1.0 text (the exposition format of Prometheus).
///
/// Made from the same reports as the JSON answers, so both show the same numbers. A counter is
/// written with the suffix `_total`, as the format demands.
struct Metrics {
    static let mediaType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    private(set) var text = ""

    init(of plane: any ControlPlane) async throws(ControlError) {
        let version = try await plane.version()
        family("vxgate_build", "info", "Version and name of this gateway.")
        sample("vxgate_build_info", ["version": version.version, "name": version.name], 1)
        family("vxgate_uptime_seconds", "gauge", "Time since start.")
        sample("vxgate_uptime_seconds", [:], version.uptimeSeconds)
        add(try await plane.counters())
        add(try await plane.drops())
        add(try await plane.ports(Selection()))
        add(try await plane.peers(Selection()))
        add(try await plane.vsis(Selection()))
        add(try await plane.runtime())
        text += "# EOF\n"
    }

    private mutating func add(_ report: CountersReport) {
        counters("vxgate_stage_packets", "Packets that entered a stage.", report.stages) {
            (["stage": $0.stage], $0.packets)
        }
        counters("vxgate_stage_bytes", "Bytes that entered a stage.", report.stages) {
            (["stage": $0.stage], $0.bytes)
        }
        counters("vxgate_stage_drops", "Packets that a stage dropped.", report.stages) {
            (["stage": $0.stage], $0.drops)
        }
        counters("vxgate_stage_vectors", "Batches that a stage processed.", report.stages) {
            (["stage": $0.stage], $0.vectors)
        }
        family(
            "vxgate_stage_clocks_per_packet", "gauge", "Processor clocks a packet costs a stage.")
        for stage in report.stages {
            sample("vxgate_stage_clocks_per_packet", ["stage": stage.stage], stage.clocksPerPacket)
        }
        let totals = report.totals
        let accounts = [
            ("received", totals.received), ("replicated", totals.replicated),
            ("transmitted", totals.transmitted), ("consumed", totals.consumed),
            ("dropped", totals.dropped),
        ]
        counters(
            "vxgate_packets", "received + replicated = transmitted + consumed + dropped + held.",
            accounts
        ) { (["account": $0.0], $0.1) }
        family("vxgate_held_packets", "gauge", "Packets that wait for a neighbor.")
        sample("vxgate_held_packets", [:], Double(totals.held))
        counters(
            "vxgate_events", "What is counted beside packets.",
            report.events.sorted { $0.key < $1.key }
        ) { (["event": $0.key], $0.value) }
    }

    private mutating func add(_ drops: [DropReport]) {
        counters("vxgate_drops", "Dropped packets by reason.", drops) {
            (["reason": $0.reason, "stage": $0.stage], $0.packets)
        }
    }

    private mutating func add(_ ports: [PortReport]) {
        let figures: [(String, String, KeyPath<PortReport, UInt64>)] = [
            ("receive_packets", "Frames received from a port.", \.rxPackets),
            ("receive_bytes", "Bytes received from a port.", \.rxBytes),
            ("transmit_packets", "Frames sent to a port.", \.txPackets),
            ("transmit_bytes", "Bytes sent to a port.", \.txBytes),
            ("receive_drops", "Frames from a port that were dropped.", \.rxDrops),
            ("transmit_drops", "Frames to a port that were dropped.", \.txDrops),
        ]
        for (name, text, value) in figures {
            counters("vxgate_port_\(name)", text, ports) {
                (["port": $0.name, "vsi": $0.vsi], $0[keyPath: value])
            }
        }
        family("vxgate_port_up", "gauge", "1 when the device of a port is up.")
        for port in ports {
            sample("vxgate_port_up", ["port": port.name], port.state == "up" ? 1 : 0)
        }
    }

    private mutating func add(_ peers: [PeerReport]) {
        let figures: [(String, String, KeyPath<PeerReport, UInt64>)] = [
            ("receive_packets", "Packets received from a peer.", \.rxPackets),
            ("receive_bytes", "Bytes received from a peer.", \.rxBytes),
            ("transmit_packets", "Packets sent to a peer.", \.txPackets),
            ("transmit_bytes", "Bytes sent to a peer.", \.txBytes),
        ]
        for (name, text, value) in figures {
            counters("vxgate_peer_\(name)", text, peers) {
                (["peer": $0.name, "address": $0.address], $0[keyPath: value])
            }
        }
    }

    private mutating func add(_ vsis: [VSIReport]) {
        let figures: [(String, String, KeyPath<VSIReport, UInt64>)] = [
            ("receive_packets", "Packets received into a VSI.", \.rxPackets),
            ("transmit_packets", "Packets sent out of a VSI.", \.txPackets),
            ("flooded_packets", "Packets of a VSI that were flooded.", \.floodedPackets),
        ]
        for (name, text, value) in figures {
            counters("vxgate_vsi_\(name)", text, vsis) { (["vsi": $0.name], $0[keyPath: value]) }
        }
        family("vxgate_vsi_fdb_entries", "gauge", "FDB entries of a VSI.")
        for vsi in vsis {
            sample("vxgate_vsi_fdb_entries", ["vsi": vsi.name], Double(vsi.fdbEntries))
        }
    }

    private mutating func add(_ report: RuntimeReport) {
        family("vxgate_worker_busy_ratio", "gauge", "Share of the time a worker is not blocked.")
        for worker in report.workers {
            sample("vxgate_worker_busy_ratio", ["worker": "\(worker.worker)"], worker.busyShare)
        }
        counters("vxgate_worker_turns", "Turns of a worker's loop.", report.workers) {
            (["worker": "\($0.worker)"], $0.turns)
        }
        counters("vxgate_worker_wakeups", "Times a worker was woken.", report.workers) {
            (["worker": "\($0.worker)"], $0.wakeups)
        }
    }

    private mutating func counters<Row>(
        _ name: String, _ help: String, _ rows: [Row],
        _ value: (Row) -> (labels: KeyValuePairs<String, String>, count: UInt64)
    ) {
        family(name, "counter", help)
        for row in rows {
            let (labels, count) = value(row)
            write("\(name)_total", labels, "\(count)")
        }
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# TYPE \(name) \(type)\n# HELP \(name) \(help)\n"
    }

    private mutating func sample(
        _ name: String, _ labels: KeyValuePairs<String, String>, _ value: Double
    ) {
        let isWhole = value == value.rounded() && value.magnitude < 1e15
        write(name, labels, isWhole ? "\(Int64(value))" : "\(value)")
    }

    private mutating func write(
        _ name: String, _ labels: KeyValuePairs<String, String>, _ value: String
    ) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",")
            text += "}"
        }
        text += " \(value)\n"
    }

    /// Backslash, quote and line feed are the three characters that a label value escapes.
    private func escaped(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return text
    }
}
