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
        let (asked, admitted) = admit(pipeline)
        guard asked > 0 else { return }
        var forwarded = 0
        if admitted > 0 {
            pipeline.tables.routes.find(
                keys: batch.keys.column, count: admitted, values: batch.routes.column,
                walks: batch.walks.column)
            forwarded = NextHopLookup.process(findNextHops(admitted, pipeline), pipeline)
        }
        if forwarded < asked { removeSettled(batch) }
    }

    @_noLocks
    private static func removeSettled(_ batch: PacketBatch) {
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
    /// - Returns: how many there were to be routed, and how many of them are left.
    @_noLocks
    private static func admit(_ pipeline: Pipeline) -> (asked: Int, admitted: Int) {
        let batch = pipeline.batch
        var asked = 0
        var count = 0
        var entrance = Entrance(of: batch.vsi[0], pipeline.tables)
        for position in 0..<batch.activeCount.value {
            let lane = batch.active[position]
            guard case .route = batch.verdict[Int(lane)] else { continue }
            asked &+= 1
            let vsi = batch.vsi[Int(lane)]
            if vsi != entrance.vsi { entrance = Entrance(of: vsi, pipeline.tables) }
            guard let fields = admit(Int(lane), entrance, pipeline) else { continue }
            let isPlain = entrance.isPlain && fields.timeToLive > 1
            let key = UInt64(entrance.vrf) &<< 32 | UInt64(fields.destination)
            batch.routed[count] = RoutedLane(
                lane: lane, interface: entrance.interface, isPlain: isPlain)
            batch.keys[count] = key
            count &+= 1
        }
        return (asked, count)
    }

    /// What all packets out of one VSI have in common.
    private struct Entrance {
        let vsi: UInt16
        let vrf: UInt16
        /// Index of its interface, or -1.
        let interface: Int
        /// It forwards and has no policies.
        let isPlain: Bool
        let checksReversePath: Bool

        @_noLocks
        init(of vsi: UInt16, _ tables: TableView) {
            self.vsi = vsi
            let index = Int(tables.vsis[Int(vsi)].interface)
            guard index >= 0, index < tables.interfaces.count else {
                vrf = 0
                interface = -1
                isPlain = false
                checksReversePath = false
                return
            }
            let record = tables.interfaces[index]
            vrf = record.vrf
            interface = index
            isPlain = record.forwards && record.policyCount == 0
            if case .off = record.reversePath {
                checksReversePath = false
            } else {
                checksReversePath = true
            }
        }
    }

    /// What is to be known of the header, or nil when the packet was settled here.
    @_noLocks @inline(__always)
    private static func admit(
        _ lane: Int, _ entrance: Entrance, _ pipeline: Pipeline
    ) -> RouteChecks.Fields? {
        let batch = pipeline.batch
        guard batch.etherType[lane] == EtherType.ipv4 else {
            // ARP replies to the gateway end here; nothing else of layer 3 is spoken.
            batch.verdict[lane] = .consumed
            return nil
        }
        guard entrance.interface >= 0 else {
            drop(lane, .routerMacMismatch, pipeline)
            return nil
        }
        let frame = batch.frame(lane)
        let fields: RouteChecks.Fields
        if let plain = RouteChecks.Fields(plain: frame) {
            fields = plain
        } else {
            let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
            if let reason = RouteChecks.reasonAgainst(header) {
                drop(lane, reason, pipeline)
                return nil
            }
            fields = RouteChecks.Fields(header)
        }
        let routes = pipeline.tables.routes
        if entrance.checksReversePath
            || routes.mayBeSpecial(vrf: entrance.vrf, address: fields.source),
            let reason = RouteChecks.reasonAgainst(
                source: fields.source, from: batch.ingress[lane], entrance.interface,
                pipeline.tables)
        {
            drop(lane, reason, pipeline)
            return nil
        }
        // Ethernet padding must not travel on.
        let end = EthernetHeader.byteCount &+ fields.totalLength
        if end < frame.count { batch.truncate(lane, to: end) }
        return fields
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
        var lastHop = -1
        var nextHop = NextHopRecord(interface: 0, address: 0)
        var vsi: UInt16 = 0
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
                guard let chosen = chooseNextHop(&routed, found, pipeline) else { continue }
                hop = chosen
            }
            if hop != lastHop {
                lastHop = hop
                nextHop = tables.nextHops[hop]
                vsi = tables.interfaces[Int(nextHop.interface)].vsi
            }
            routed.interface = Int(nextHop.interface)
            let question = NeighborTable.key(
                vsi: vsi,
                address: nextHop.address == 0
                    ? UInt32(truncatingIfNeeded: key) : nextHop.address)
            if question != lastQuestion {
                lastQuestion = question
                tables.neighbors.prefetch(question)
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
    private static func chooseNextHop(
        _ routed: inout RoutedLane, _ found: UInt64, _ pipeline: Pipeline
    ) -> Int? {
        let batch = pipeline.batch
        let lane = routed.lane
        let interface = pipeline.tables.interfaces[routed.interface]
        let header = IPv4Header(frame: batch.frame(lane), at: EthernetHeader.byteCount)
        if RouteTable.isOwn(found) {
            LocalDelivery.deliver(lane, header, interface, pipeline)
            return nil
        }
        // Before all else: what goes to a whole subnet gets no answer (RFC 1812 section 4.3.2.7)
        // and no policy.
        guard !RouteTable.isEdge(found) else {
            drop(lane, .ipMartianDst, pipeline)
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
            routed.setPolicy(policy)
            return Int(pipeline.tables.policies[policy].nextHop)
        }
        return nextHop(of: found, lane, header, pipeline)
    }

    /// The index of a route's next hop, or nil when the packet was dropped.
    @_noLocks
    private static func nextHop(
        of found: UInt64, _ lane: Int, _ header: IPv4Header, _ pipeline: Pipeline
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
            drop(lane, .blackhole, pipeline)
        }
        return nil
    }

    @_noLocks
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) {
        pipeline.batch.drop(lane, reason, pipeline.counters)
    }
}
