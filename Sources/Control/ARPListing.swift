internal import Tables
internal import Wire

/// What the agent copies out of the ARP table for an operator, as `FDBListing` does.
public struct ARPListing: Sendable {
    struct Entry {
        let key: UInt64
        let mac: MACAddress?
        let value: UInt32
        let place: Destination
        let ageTicks: UInt32
        let isRefreshed: Bool
        let isFrozen: Bool
    }

    let entries: [Entry]
    let layout: GatewayLayout

    /// By VSI and address. A binding of a VSI without a VSI-interface bears the name of the VSI.
    public func rows() -> Rows<ARPReport> {
        let entries = entries.sorted { $0.key < $1.key }
        var places = PlaceRows(row: row)
        for entry in entries {
            places.append(Place(vsi: NeighborTable.vsi(of: entry.key), destination: entry.place))
        }
        return Rows(count: entries.count) { [places] index in
            var row = places[index]
            let entry = entries[index]
            row.address = NeighborTable.address(of: entry.key).description
            row.mac = entry.mac?.description
            row.kind = ARPReport.Kind(entry.value)
            row.state = entry.state
            row.isFrozen = entry.isFrozen
            if !NeighborTable.isStatic(entry.value) {
                row.ageSeconds = Int(entry.ageTicks / Agent.ticksPerSecond)
            }
            return row
        }
    }

    private func row(of place: Place) -> ARPReport {
        let interface = layout.interfaceOfVSI[place.vsi].flatMap { layout.interfaceOf[$0] }
        var row = ARPReport(
            vrf: interface?.vrf ?? Configuration.defaultVRF,
            interface: interface?.name ?? layout.vsiOf[place.vsi]?.name ?? "", address: "",
            mac: nil, kind: .dynamic, state: .reachable)
        let destination = place.destination
        row.port = destination.isPort ? layout.portOf[destination.index]?.name : nil
        row.peer = destination.isPeer ? layout.peerName(destination.index) : nil
        return row
    }
}

extension ARPListing.Entry {
    fileprivate var state: ARPReport.State {
        if NeighborTable.isFailed(value) { return .failed }
        if NeighborTable.isIncomplete(value) { return .incomplete }
        return isRefreshed ? .stale : .reachable
    }
}

extension ARPReport.Kind {
    fileprivate init(_ value: UInt32) {
        let isStatic = NeighborTable.isStatic(value)
        self = NeighborTable.isOwn(value) ? .own : isStatic ? .static : .dynamic
    }
}
