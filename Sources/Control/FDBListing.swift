internal import Tables
internal import Wire

/// What the agent copies out of the FDB for an operator. Order, names and text are made of it on
/// the operator's time.
public struct FDBListing: Sendable {
    struct Entry {
        let key: UInt64
        let value: UInt32
        let ageTicks: UInt32
        let moves: UInt32
    }

    let entries: [Entry]
    let selection: Selection
    /// That of the selection.
    let peer: Int?
    let configuration: Configuration
    let layout: GatewayLayout

    /// The entries by VSI and address, then the default entries of each VSI.
    public func rows() -> Rows<FDBReport> {
        let entries = entries.sorted { Self.order($0.key) < Self.order($1.key) }
        var places = PlaceRows(row: row)
        for entry in entries {
            places.append(
                Place(
                    vsi: ForwardingTable.vsi(of: entry.key),
                    destination: ForwardingTable.destination(of: entry.value)))
        }
        for place in floodPlaces() { places.append(place) }
        return Rows(count: places.count) { [places] index in
            var row = places[index]
            guard index < entries.count else { return row }
            let entry = entries[index]
            let kind = ForwardingTable.kind(of: entry.value)
            row.mac = ForwardingTable.mac(of: entry.key).description
            row.kind = FDBReport.Kind(kind)
            if kind == .dynamic {
                row.ageSeconds = Int(entry.ageTicks / Agent.ticksPerSecond)
            }
            row.moves = Int(entry.moves)
            row.isFrozen = ForwardingTable.isFrozen(entry.value)
            return row
        }
    }

    /// By VSI, then by address.
    private static func order(_ key: UInt64) -> UInt64 { key << 48 | key >> 16 }

    /// Where what the FDB does not know goes: an all-zero default entry for each flood target (the
    /// Linux form of a flood list).
    private func floodPlaces() -> [Place] {
        guard selection.mac == nil || selection.mac == .zero, selection.port == nil else {
            return []
        }
        var places: [Place] = []
        for vsi in configuration.vsis where selection.vsi == nil || selection.vsi == vsi.name {
            let peers = configuration.floodPeers(of: vsi).map { layout.peers[$0.address]! }
            for index in peers where peer == nil || peer == index {
                places.append(Place(vsi: layout.vsis[vsi.name]!, destination: .peer(index)))
            }
        }
        return places
    }

    /// What all rows of a place have in common: the default entry of it.
    private func row(of place: Place) -> FDBReport {
        let settings = layout.vsiOf[place.vsi]
        var row = FDBReport(
            vsi: settings?.name ?? "", vni: settings?.vni?.bits,
            mac: MACAddress.zero.description, kind: .flood)
        if place.destination.isPort { row.port = layout.portOf[place.destination.index]?.name }
        if place.destination.isPeer {
            row.peer = layout.peerName(place.destination.index)
            row.address = layout.peers.name(of: place.destination.index)?.description
        }
        return row
    }
}

extension FDBReport.Kind {
    fileprivate init(_ kind: ForwardingTable.Kind) {
        self =
            switch kind {
            case .dynamic: .dynamic
            case .static: .static
            case .own: .own
            }
    }
}
