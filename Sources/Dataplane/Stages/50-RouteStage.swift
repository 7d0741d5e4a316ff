internal import Memory
internal import Tables
internal import Wire

/// Routes IPv4 packets that are addressed to a MAC of the gateway, between the VSI-interfaces of
/// one VRF.
///
/// Policies of the ingress interface come first, then the longest prefix; the neighbor table says
/// where the next hop is, and the packet leaves by that entry alone (`NextHopLookup`). What is for
/// the gateway itself ends in `LocalDelivery`. Every question is put for all lanes before the next
/// one, so that the tables are fetched for many packets at a time.
///
/// Reads: lanes whose verdict is `route`; `vsi`, `ingress`, the IPv4 header.
/// Writes: `vsi`, `ingress`, `vlan`, `egress`, `verdict`, `segmentations` (a packet that is to be
/// fragmented); MAC addresses, TTL and header checksum of the frame.
/// Drops: the `ip…` reasons, `rpfFail`, `ttlExceeded`, `noRoute`, `blackhole`, `nhFailed`,
/// `nhUnresolvedQueueFull`, `mtuExceededDf`, `l3L2EgressMismatch`, `routerMacMismatch`.
/// Cost: a walk of two to five cache lines for the route, a probe of the neighbor table, a look at
/// the FDB where the neighbor was the last time; no walk and no probe for a run of packets to one
/// destination.
/// Standard: RFC 1812 sections 5.2 and 5.3, RFC 1624, RFC 1191, RFC 7126.
public enum RouteStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let admitted = admit(pipeline)
        if admitted > 0 {
            pipeline.tables.routes.find(
                keys: batch.keys, count: admitted, values: batch.routes, walks: batch.walks)
            NextHopLookup.process(findNextHops(admitted, pipeline), pipeline)
        }
        var kept = 0
        for position in 0..<batch.activeCount.value {
            let lane = Int(batch.active[position])
            if batch.verdict[lane].isSettled { continue }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    /// Settles what is not to be routed. Leaves the rest in `routed`, with VRF and destination of
    /// each in `keys`.
    /// - Returns: how many.
    @_noLocks
    private static func admit(_ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let routes = pipeline.tables.routes
        var count = 0
        for position in 0..<batch.activeCount.value {
            let lane = batch.active[position]
            guard case .route = batch.verdict[Int(lane)],
                let index = interface(Int(lane), pipeline)
            else { continue }
            let interface = pipeline.tables.interfaces[index]
            let frame = batch.frame(Int(lane))
            let fields: RouteChecks.Fields
            if let plain = RouteChecks.Fields(plain: frame) {
                fields = plain
            } else {
                let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
                if let reason = RouteChecks.reasonAgainst(header) {
                    drop(Int(lane), reason, pipeline)
                    continue
                }
                fields = RouteChecks.Fields(header)
            }
            if let reason = RouteChecks.reasonAgainst(
                source: fields.source, from: batch.ingress[Int(lane)], interface: index,
                pipeline.tables)
            {
                drop(Int(lane), reason, pipeline)
                continue
            }
            // Ethernet padding must not travel on.
            let end = EthernetHeader.byteCount &+ fields.totalLength
            if end < frame.count { batch.truncate(Int(lane), to: end) }
            let needsNothing =
                interface.forwards && interface.policyCount == 0 && fields.timeToLive > 1
            let destination = fields.destination
            routes.prefetch(vrf: interface.vrf, address: destination)
            batch.routed[count] = RoutedLane(
                lane: lane, interface: UInt16(truncatingIfNeeded: index),
                flags: needsNothing ? RoutedLane.isPlain : 0)
            batch.keys[count] = UInt64(interface.vrf) &<< 32 | UInt64(destination)
            count &+= 1
        }
        return count
    }

    /// The index of the interface by which a packet comes in, or nil when it was settled here.
    @_noLocks @inline(__always)
    private static func interface(_ lane: Int, _ pipeline: Pipeline) -> Int? {
        let batch = pipeline.batch
        let tables = pipeline.tables
        guard batch.etherType[lane] == EtherType.ipv4 else {
            // ARP replies to the gateway end here; nothing else of layer 3 is spoken.
            batch.verdict[lane] = .consumed
            return nil
        }
        let index = Int(tables.vsis[Int(batch.vsi[lane])].interface)
        guard index >= 0, index < tables.interfaces.count else {
            drop(lane, .routerMacMismatch, pipeline)
            return nil
        }
        return index
    }

    /// Finds the next hops: what the neighbor table is to be asked to `keys`, the interface into
    /// `routed`.
    /// - Returns: how many of the lanes in `routed` are left.
    @_noLocks
    private static func findNextHops(_ count: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let tables = pipeline.tables
        var kept = 0
        // A VRF and an address fit 48 bits.
        var last = UInt64.max
        var found: UInt64 = 0
        var lastQuestion = ProbeTable.noKey
        for index in 0..<count {
            var routed = batch.routed[index]
            let key = batch.keys[index]
            if key != last {
                last = key
                found = batch.routes[index]
            }
            let hop: Int
            if routed.has(RoutedLane.isPlain), RouteTable.isSinglePath(found) {
                hop = RouteTable.nextHop(found, flowHash: 0)
            } else {
                guard let chosen = nextHop(&routed, found, pipeline) else { continue }
                hop = chosen
            }
            let nextHop = tables.nextHops[hop]
            routed.interface = UInt16(truncatingIfNeeded: nextHop.interface)
            let question = NeighborTable.key(
                vsi: tables.interfaces[Int(nextHop.interface)].vsi,
                address: nextHop.address == 0
                    ? UInt32(truncatingIfNeeded: key) : nextHop.address)
            if question != lastQuestion {
                lastQuestion = question
                tables.neighbors.table.prefetch(question)
            }
            batch.routed[kept] = routed
            batch.keys[kept] = question
            kept &+= 1
        }
        return kept
    }

    /// The index of the next hop, by a policy of the ingress interface or by the route; nil when
    /// the packet was for the gateway itself or may go no further.
    @_noLocks
    private static func nextHop(
        _ routed: inout RoutedLane, _ found: UInt64, _ pipeline: Pipeline
    ) -> Int? {
        let batch = pipeline.batch
        let lane = Int(routed.lane)
        let interface = pipeline.tables.interfaces[Int(routed.interface)]
        let header = IPv4Header(frame: batch.frame(lane), at: EthernetHeader.byteCount)
        if RouteTable.isOwn(found) {
            LocalDelivery.deliver(lane, header, interface, pipeline)
            return nil
        }
        // What the gateway sends itself is not forwarded (RFC 1812 section 2.2.8.1).
        guard interface.forwards || batch.ingress[lane].isOwn else {
            drop(lane, .ipForwardingDisabled, pipeline)
            return nil
        }
        guard header.timeToLive > 1 else {
            // A packet that arrives with 0 should not have been sent; nobody is told.
            if header.timeToLive == 1 { pipeline.puntICMPError(lane, type: 11, code: 0, mtu: 0) }
            drop(lane, .ttlExceeded, pipeline)
            return nil
        }
        let policy = RouteChecks.policy(lane, header, interface, pipeline)
        if policy >= 0 {
            routed.policy = UInt16(truncatingIfNeeded: policy)
            routed.flags |= RoutedLane.hasPolicy
            return Int(pipeline.tables.policies[policy].nextHop)
        }
        return nextHop(lane, header, found, pipeline)
    }

    /// The index of a route's next hop, or nil when the packet was dropped.
    @_noLocks
    private static func nextHop(
        _ lane: Int, _ header: IPv4Header, _ found: UInt64, _ pipeline: Pipeline
    ) -> Int? {
        if RouteTable.isForward(found) {
            guard RouteTable.nextHopCount(found) > 1 else {
                return RouteTable.nextHop(found, flowHash: 0)
            }
            let hash = FlowHash.hash(
                frame: header.frame, etherType: EtherType.ipv4, layer3Offset: header.offset)
            return RouteTable.nextHop(found, flowHash: hash)
        }
        if found == 0 {
            pipeline.puntICMPError(lane, type: 3, code: 0, mtu: 0)
            drop(lane, .noRoute, pipeline)
        } else {
            drop(lane, RouteTable.isEdge(found) ? .ipMartianDst : .blackhole, pipeline)
        }
        return nil
    }

    @_noLocks
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) {
        pipeline.batch.drop(lane, reason, pipeline.counters)
    }
}
