public import Control

extension VSIReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("NAME"), .number("VNI"), .number("FDB"), .number("RX-PACKETS"),
            .number("TX-PACKETS"), .number("FLOODED"), .text("PORTS"), .text("FLOOD-LIST"),
        ]
    }

    public var cells: [String] {
        [
            name, cell(vni), "\(fdbEntries)", "\(rxPackets)", "\(txPackets)", "\(floodedPackets)",
            ports.joined(separator: ","), floodList.joined(separator: ","),
        ]
    }
}

/// A row of `show vni`: the same facts, found by the number that is on the wire.
public struct VNIRow: TableRow {
    private let report: VSIReport

    public init(_ report: VSIReport) { self.report = report }

    public static var columns: [TextTable.Column] {
        [
            .number("VNI"), .text("VSI"), .number("FDB"), .number("RX-PACKETS"),
            .number("TX-PACKETS"), .number("FLOODED"), .text("PORTS"), .text("FLOOD-LIST"),
        ]
    }

    public var cells: [String] {
        var cells = report.cells
        cells.swapAt(0, 1)
        return cells
    }
}

extension PeerReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("NAME"), .text("ADDRESS"), .number("RX-PACKETS"), .number("RX-BYTES"),
            .number("TX-PACKETS"), .number("TX-BYTES"), .text("VNIS"),
        ]
    }

    public var cells: [String] {
        [
            name, address, "\(rxPackets)", "\(rxBytes)", "\(txPackets)", "\(txBytes)",
            vnis.map { "\($0)" }.joined(separator: ","),
        ]
    }
}

extension PortReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("NAME"), .text("TYPE"), .text("DEVICE"), .number("VLAN"), .text("VSI"),
            .text("STATE"), .number("RX-PACKETS"), .number("RX-BYTES"), .number("TX-PACKETS"),
            .number("TX-BYTES"), .number("RX-DROPS"), .number("TX-DROPS"),
        ]
    }

    public var cells: [String] {
        [
            name, type, device, cell(vlan), vsi, state, "\(rxPackets)", "\(rxBytes)",
            "\(txPackets)",
            "\(txBytes)", "\(rxDrops)", "\(txDrops)",
        ]
    }
}

extension FDBReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("VSI"), .number("VNI"), .text("MAC"), .text("KIND"), .text("PORT"), .text("PEER"),
            .text("ADDRESS"), .number("AGE"), .number("MOVES"),
        ]
    }

    public var cells: [String] {
        [
            vsi, cell(vni), mac, kind.rawValue, cell(port), cell(peer), cell(address),
            kind == .dynamic ? spanText(seconds: ageSeconds) : "",
            isFrozen ? "\(moves) frozen" : "\(moves)",
        ]
    }
}

extension ARPReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("VRF"), .text("INTERFACE"), .text("ADDRESS"), .text("MAC"), .text("KIND"),
            .text("STATE"), .text("PORT"), .text("PEER"), .number("AGE"),
        ]
    }

    public var cells: [String] {
        [
            vrf, interface, address, cell(mac), kind.rawValue,
            isFrozen ? "\(state.rawValue) frozen" : state.rawValue, cell(port),
            cell(peer), kind == .dynamic ? spanText(seconds: ageSeconds) : "",
        ]
    }
}

extension RouteReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("VRF"), .text("PREFIX"), .text("KIND"), .text("VIA"), .text("INTERFACE"),
            .text("ONLINK"),
        ]
    }

    public var cells: [String] {
        [vrf, prefix, kind.rawValue, cell(via), cell(interface), onlink ? "yes" : ""]
    }
}

extension PolicyReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .number("ORDER"), .text("NAME"), .text("INTERFACE"), .text("SOURCE"),
            .text("DESTINATION"), .text("PROTOCOL"), .text("PORTS"), .text("NEXT-HOP"),
            .number("PACKETS"),
        ]
    }

    public var cells: [String] {
        [
            "\(order)", name, cell(interface), source, destination, cell(`protocol`),
            cell(destinationPorts), cell(nextHop), "\(packets)",
        ]
    }
}

extension DropReport: TableRow {
    public static var columns: [TextTable.Column] {
        [.number("PACKETS"), .text("REASON"), .text("STAGE"), .text("MEANING")]
    }

    public var cells: [String] { ["\(packets)", reason, stage, description] }
}

extension EventReport: TableRow {
    public static var columns: [TextTable.Column] { [.number("COUNT"), .text("EVENT")] }

    public var cells: [String] { ["\(count)", event] }
}

extension StageReport: TableRow {
    public static var columns: [TextTable.Column] {
        [
            .text("STAGE"), .number("PACKETS"), .number("BYTES"), .number("DROPS"),
            .number("VECTORS"), .number("PACKETS/VECTOR"), .number("CLOCKS/PACKET"),
        ]
    }

    public var cells: [String] {
        [
            stage, "\(packets)", "\(bytes)", "\(drops)", "\(vectors)",
            decimalText(packetsPerVector),
            decimalText(clocksPerPacket),
        ]
    }
}
