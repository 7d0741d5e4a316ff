internal import Memory
internal import Tables
internal import Wire

/// Routes IPv4 packets that are addressed to a MAC of the gateway, between the VSI-interfaces of
/// one VRF.
///
/// A next hop is used when the neighbor table knows it; the frame leaves by the FDB of the next
/// hop's VSI.
///
/// Reads: lanes whose verdict is `route`; `vsi`, the IPv4 header.
/// Writes: `vsi`, `ingress`, `destinationMAC`, `sourceMAC`, `egress`, `verdict`; MAC addresses, TTL
/// and header checksum of the frame.
/// Drops: the `ip…` reasons, `ttlExceeded`, `noRoute`, `nhFailed`, `routerMacMismatch`.
/// Cost: a probe for each prefix length in use, one of the neighbor table, one of the FDB.
/// Standard: RFC 1812 sections 5.2 and 5.3, RFC 1624.
public enum RouteStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        var kept = 0
        for position in 0..<batch.activeCount.value {
            let lane = Int(batch.active[position])
            if case .route = batch.verdict[lane] { route(lane, pipeline) }
            switch batch.verdict[lane] {
            case .dropped, .consumed: continue
            case .pending, .forward, .replicate, .route: break
            }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    @_noLocks
    private static func route(_ lane: Int, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let frame = batch.frame(lane)
        guard batch.etherType[lane] == EtherType.ipv4 else {
            // ARP replies to the gateway end here; nothing else of layer 3 is spoken.
            batch.verdict[lane] = .consumed
            return
        }
        let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
        if let reason = reasonAgainst(header) { return batch.drop(lane, reason, pipeline.counters) }
        let index = Int(tables.vsis[Int(batch.vsi[lane])].interface)
        guard index >= 0, index < tables.interfaces.count else {
            return batch.drop(lane, .routerMacMismatch, pipeline.counters)
        }
        let ingress = tables.interfaces[index]
        let destination = header.destination
        if NeighborTable.isOwn(
            tables.neighbors.find(vsi: ingress.vsi, address: destination.bits))
        {
            batch.verdict[lane] = .consumed
            return
        }
        guard header.timeToLive > 1 else {
            return batch.drop(lane, .ttlExceeded, pipeline.counters)
        }
        let found = tables.routes.find(vrf: ingress.vrf, address: destination.bits)
        guard found != 0 else { return batch.drop(lane, .noRoute, pipeline.counters) }
        forward(lane, header, found, pipeline)
    }

    @_noLocks
    private static func forward(
        _ lane: Int, _ header: IPv4Header, _ found: UInt64, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let interface = tables.interfaces[RouteTable.interface(of: found)]
        let via = RouteTable.via(of: found)
        let nextHop = via == 0 ? header.destination.bits : via
        let neighbor = tables.neighbors.find(vsi: interface.vsi, address: nextHop)
        guard neighbor != 0 else { return batch.drop(lane, .nhFailed, pipeline.counters) }
        guard !NeighborTable.isOwn(neighbor) else {
            batch.verdict[lane] = .consumed
            return
        }
        let mac = NeighborTable.mac(of: neighbor)
        _ = header.decrementTimeToLive()
        let ethernet = EthernetHeader(frame: header.frame, at: 0)
        ethernet.destination = MACAddress(bits: mac)
        ethernet.source = MACAddress(bits: interface.mac)
        batch.destinationMAC[lane] = mac
        batch.sourceMAC[lane] = interface.mac
        batch.vsi[lane] = interface.vsi
        batch.vlan[lane] = 0
        batch.ingress[lane] = .own(RouteTable.interface(of: found))
        let key = ForwardingTable.key(mac: mac, vsi: interface.vsi)
        let table = tables.forwarding.table
        if let value = table.value(at: table.find(key), for: key) {
            batch.egress[lane] = ForwardingTable.destination(of: value)
            batch.verdict[lane] = .forward
        } else {
            batch.verdict[lane] = .replicate
        }
    }

    /// What forbids to forward the packet by its header and addresses, or nil.
    @_noLocks
    private static func reasonAgainst(_ header: IPv4Header) -> DropReason? {
        switch header.check() {
        case .valid: break
        case .truncated, .badTotalLength: return .ipBadLength
        case .badVersion: return .ipBadVersion
        case .badHeaderLength: return .ipBadIhl
        case .badChecksum: return .ipBadChecksum
        }
        let source = header.source
        guard source.isUnicastSource else { return .ipMartianSrc }
        let destination = header.destination
        guard !destination.isLoopback, !destination.isThisNetwork, !destination.isReserved,
            !destination.isMulticast, !destination.isLinkLocal
        else { return .ipMartianDst }
        return nil
    }
}
