internal import Memory
internal import Tables
internal import Wire

/// Routes IPv4 packets that are addressed to a MAC of the gateway, between the VSI-interfaces of
/// one VRF.
///
/// Policies of the ingress interface come first, then the longest prefix; the neighbor table says
/// where the next hop is, and the packet leaves by that entry alone. What is for the gateway itself
/// ends in `LocalDelivery`.
///
/// Reads: lanes whose verdict is `route`; `vsi`, `ingress`, the IPv4 header.
/// Writes: `vsi`, `ingress`, `destinationMAC`, `sourceMAC`, `egress`, `verdict`, `segmentations` (a
/// packet that is to be fragmented); MAC addresses, TTL and header checksum of the frame.
/// Drops: the `ip…` reasons, `rpfFail`, `ttlExceeded`, `noRoute`, `blackhole`, `nhFailed`,
/// `nhUnresolvedQueueFull`, `mtuExceededDf`, `l3L2EgressMismatch`, `routerMacMismatch`.
/// Cost: a probe for each prefix length in use, one of the neighbor table, one of the FDB.
/// Standard: RFC 1812 sections 5.2 and 5.3, RFC 1624, RFC 1191, RFC 7126.
public enum RouteStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        var kept = 0
        for position in 0..<batch.activeCount.value {
            let lane = Int(batch.active[position])
            if case .route = batch.verdict[lane] { route(lane, pipeline) }
            if batch.verdict[lane].isSettled { continue }
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
        let index = Int(tables.vsis[Int(batch.vsi[lane])].interface)
        guard index >= 0, index < tables.interfaces.count else {
            return drop(lane, .routerMacMismatch, pipeline)
        }
        let interface = tables.interfaces[index]
        let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
        if let reason = RouteChecks.reasonAgainst(header, lane, interface, pipeline) {
            return drop(lane, reason, pipeline)
        }
        trim(lane, header, batch)
        let destination = header.destination.bits
        let found = tables.routes.find(vrf: interface.vrf, address: destination)
        if RouteTable.isOwn(found) {
            return LocalDelivery.deliver(lane, header, interface, pipeline)
        }
        // What the gateway sends itself is not forwarded (RFC 1812 section 2.2.8.1).
        guard interface.forwards || batch.ingress[lane].isOwn else {
            return drop(lane, .ipForwardingDisabled, pipeline)
        }
        guard header.timeToLive > 1 else {
            // A packet that arrives with 0 should not have been sent; nobody is told.
            if header.timeToLive == 1 { pipeline.puntICMPError(lane, type: 11, code: 0, mtu: 0) }
            return drop(lane, .ttlExceeded, pipeline)
        }
        select(lane, header, interface, found, pipeline)
    }

    /// Finds the next hop: a policy of the ingress interface, or the route.
    @_noLocks
    private static func select(
        _ lane: Int, _ header: IPv4Header, _ interface: InterfaceRecord, _ found: UInt64,
        _ pipeline: Pipeline
    ) {
        let tables = pipeline.tables
        let policy = RouteChecks.policy(lane, header, interface, pipeline)
        if policy >= 0 {
            let record = tables.policies[policy]
            forward(lane, header, tables.nextHops[Int(record.nextHop)], pipeline)
            // A packet that waits comes by here again.
            if pipeline.batch.verdict[lane] == .held { return }
            return pipeline.counters.add(1, policy: Int(record.counter))
        }
        guard found != 0 else {
            pipeline.puntICMPError(lane, type: 3, code: 0, mtu: 0)
            return drop(lane, .noRoute, pipeline)
        }
        guard RouteTable.isForward(found) else {
            return drop(lane, .blackhole, pipeline)
        }
        var hash: UInt32 = 0
        if RouteTable.nextHopCount(found) > 1 {
            hash = FlowHash.hash(
                frame: header.frame, etherType: EtherType.ipv4,
                layer3Offset: EthernetHeader.byteCount)
        }
        let nextHop = tables.nextHops[RouteTable.nextHop(found, flowHash: hash)]
        if nextHop.address == 0,
            RouteChecks.isSubnetEdge(header.destination.bits, nextHop, tables)
        {
            return drop(lane, .ipMartianDst, pipeline)
        }
        forward(lane, header, nextHop, pipeline)
    }

    @_noLocks
    private static func forward(
        _ lane: Int, _ header: IPv4Header, _ nextHop: NextHopRecord, _ pipeline: Pipeline
    ) {
        let tables = pipeline.tables
        let interface = tables.interfaces[Int(nextHop.interface)]
        let address = nextHop.address == 0 ? header.destination.bits : nextHop.address
        let neighbor = tables.neighbors.find(vsi: interface.vsi, address: address)
        guard NeighborTable.isResolved(neighbor) else {
            return wait(lane, nextHop.interface, address, neighbor, pipeline)
        }
        guard !NeighborTable.isOwn(neighbor) else {
            pipeline.batch.verdict[lane] = .consumed
            return
        }
        let mac = tables.neighbors.mac(of: neighbor)
        let learned = tables.neighbors.egress(of: neighbor)
        guard let egress = egress(mac, interface.vsi, learned, tables) else {
            return drop(lane, .l3L2EgressMismatch, pipeline)
        }
        guard fits(lane, header, interface, egress, pipeline) else { return }
        rewrite(lane, header, mac, interface, Int(nextHop.interface), pipeline)
        pipeline.batch.egress[lane] = egress
        pipeline.batch.verdict[lane] = egress.bits == 0 ? .replicate : .forward
    }

    /// Where the next hop is: what its ARP packet came by, unless the FDB knows better. `none` is
    /// to flood; nil when a static FDB entry contradicts the ARP entry.
    @_noLocks
    private static func egress(
        _ mac: UInt64, _ vsi: UInt16, _ learned: Destination, _ tables: TableView
    ) -> Destination? {
        let table = tables.forwarding.table
        let key = ForwardingTable.key(mac: mac, vsi: vsi)
        guard let value = table.value(at: table.find(key), for: key),
            !ForwardingTable.isOwn(value)
        else { return learned }
        let place = ForwardingTable.destination(of: value)
        if ForwardingTable.isStatic(value), learned.bits != 0, place.bits != learned.bits {
            return nil
        }
        return place
    }

    /// The next hop is not known: the packet waits with the agent, or its sender hears that nobody
    /// is there.
    @_noLocks
    private static func wait(
        _ lane: Int, _ interface: Int32, _ address: UInt32, _ neighbor: UInt64,
        _ pipeline: Pipeline
    ) {
        if NeighborTable.isFailed(neighbor) {
            pipeline.puntICMPError(lane, type: 3, code: 1, mtu: 0)
            return drop(lane, .nhFailed, pipeline)
        }
        guard pipeline.hold(lane, interface: interface, nextHop: address) else {
            return drop(lane, .nhUnresolvedQueueFull, pipeline)
        }
        pipeline.batch.verdict[lane] = .held
    }

    /// Holds the packet against the MTU of where it goes. False when it was dropped.
    @_noLocks
    private static func fits(
        _ lane: Int, _ header: IPv4Header, _ interface: InterfaceRecord, _ egress: Destination,
        _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        var mtu = Int(interface.mtu)
        if egress.isPeer, egress.index < pipeline.tables.peers.count {
            let path = Int(pipeline.tables.peers[egress.index].pathMTU)
            if path > 50 { mtu = min(mtu, path &- 50) }
        }
        guard mtu > 0 else { return true }
        let segmentation = batch.segmentations[lane]
        var size = header.totalLength
        if segmentation.isSuperPacket {
            guard let segmenter = Segmenter.make(header.frame, segmentation)
            else { return true }
            size = segmenter.maximumPacketByteCount
        }
        guard size > mtu else { return true }
        if header.dontFragment || segmentation.isSuperPacket {
            pipeline.puntICMPError(lane, type: 3, code: 4, mtu: UInt16(clamping: mtu))
            drop(lane, .mtuExceededDf, pipeline)
            return false
        }
        if segmentation.needsChecksum {
            _ = segmentation.completeChecksum(in: header.frame)
            pipeline.counters.count(.checksumCompleted)
        }
        batch.segmentations[lane] = .fragments(maximumPacketByteCount: mtu)
        return true
    }

    @_noLocks
    private static func rewrite(
        _ lane: Int, _ header: IPv4Header, _ mac: UInt64, _ interface: InterfaceRecord,
        _ index: Int, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        _ = header.decrementTimeToLive()
        let ethernet = EthernetHeader(frame: header.frame, at: 0)
        ethernet.destination = MACAddress(bits: mac)
        ethernet.source = MACAddress(bits: interface.mac)
        batch.destinationMAC[lane] = mac
        batch.sourceMAC[lane] = interface.mac
        batch.vsi[lane] = interface.vsi
        batch.vlan[lane] = 0
        batch.ingress[lane] = .own(index)
    }

    /// Cuts off what lies behind the packet: Ethernet padding must not travel on.
    @_noLocks
    private static func trim(_ lane: Int, _ header: IPv4Header, _ batch: PacketBatch) {
        let end = header.offset &+ header.totalLength
        if end < header.frame.count { batch.truncate(lane, to: end) }
    }

    @_noLocks
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) {
        pipeline.batch.drop(lane, reason, pipeline.counters)
    }
}
