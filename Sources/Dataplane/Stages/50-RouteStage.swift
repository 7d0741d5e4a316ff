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
        let asked = batch.routableCount.value
        guard asked > 0 else { return }
        batch.routableCount.value = 0
        let admitted = admit(asked, pipeline)
        var forwarded = 0
        if admitted > 0 {
            pipeline.tables.routes.find(
                keys: batch.keys.column, count: admitted, values: batch.routes.column,
                walks: batch.walks.column)
            forwarded = NextHopLookup.process(findNextHops(admitted, pipeline), pipeline)
        }
        if forwarded < asked { batch.removeSettled() }
    }

    /// Settles what is not to be routed. Leaves the rest in `routed`, with VRF and destination of
    /// each in `keys`.
    /// - Parameter asked: how many of `routable` there are.
    /// - Returns: how many of them are left.
    @_noLocks
    private static func admit(_ asked: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let filter = pipeline.tables.routes.addressFilter
        var entrance = Entrance(of: batch.vsi[Int(batch.routable[0])], pipeline.tables)
        let count = min(asked, PacketBatch.laneCapacity)
        var lastSource = UInt64.max
        for position in 0..<count {
            let lane = batch.routable[position]
            let vsi = batch.vsi[Int(lane)]
            if vsi != entrance.vsi {
                entrance = Entrance(of: vsi, pipeline.tables)
                lastSource = .max
            }
            // No call in this loop, so that all it needs stays in registers.
            guard let fields = entrance.plainFields(Int(lane), filter, batch),
                fields.timeToLive > 1
            else { return admitOthers(asked, from: position, pipeline) }
            if UInt64(fields.source) != lastSource {
                lastSource = UInt64(fields.source)
                guard entrance.isHarmless(fields.source, filter) else {
                    return admitOthers(asked, from: position, pipeline)
                }
            }
            entrance.admit(lane, fields, to: position, entrance.plainWord, batch)
        }
        return count
    }

    /// As `admit`, from the first packet on that is not as nearly every one is.
    @_noLocks @inline(never)
    private static func admitOthers(
        _ asked: Int, from first: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let filter = pipeline.tables.routes.addressFilter
        var count = first
        var entrance = Entrance(of: batch.vsi[Int(batch.routable[first])], pipeline.tables)
        for position in first..<asked {
            let lane = batch.routable[position]
            let vsi = batch.vsi[Int(lane)]
            if vsi != entrance.vsi { entrance = Entrance(of: vsi, pipeline.tables) }
            var plain = entrance.plainFields(Int(lane), filter, batch)
            if let source = plain?.source, !entrance.isHarmless(source, filter) { plain = nil }
            guard let fields = plain ?? examine(Int(lane), entrance, pipeline) else { continue }
            let word = fields.timeToLive > 1 ? entrance.plainWord : entrance.word
            entrance.admit(lane, fields, to: count, word, batch)
            count &+= 1
        }
        return count
    }

    /// What all packets out of one VSI have in common.
    private struct Entrance {
        let vsi: UInt16
        let vrf: UInt16
        /// Index of its interface, or -1.
        let interface: Int
        let checksReversePath: Bool
        /// An EtherType that needs no closer look here, if any: IPv4's where there is an interface
        /// that does not ask for the way back.
        private let etherType: UInt32
        /// What `routed` holds of every packet, and of one that has hops left.
        let word: RoutedLane
        let plainWord: RoutedLane

        @_noLocks @inline(__always)
        init(of vsi: UInt16, _ tables: TableView) {
            self.vsi = vsi
            let index = Int(tables.vsis[Int(vsi)].interface)
            guard index >= 0, index < tables.interfaces.count else {
                vrf = 0
                interface = -1
                checksReversePath = false
                etherType = .max
                word = RoutedLane(lane: 0, interface: 0)
                plainWord = word
                return
            }
            let record = tables.interfaces[index]
            vrf = record.vrf
            interface = index
            if case .off = record.reversePath {
                checksReversePath = false
                etherType = UInt32(EtherType.ipv4)
            } else {
                checksReversePath = true
                etherType = .max
            }
            word = RoutedLane(lane: 0, interface: index)
            plainWord = RoutedLane(
                lane: 0, interface: index,
                isPlain: record.forwards && record.policyCount == 0)
        }

        /// What is to be known of an IPv4 header that needs no closer look but at its source, or
        /// nil.
        @_noLocks @inline(__always)
        func plainFields(
            _ lane: Int, _ filter: RouteTable.AddressFilter, _ batch: PacketBatch
        ) -> RouteChecks.Fields? {
            guard UInt32(batch.etherType[lane]) == etherType else { return nil }
            return RouteChecks.Fields(plain: batch.frame(lane), filter)
        }

        /// The source needs no closer look either; false says nothing.
        @_noLocks @inline(__always)
        func isHarmless(_ source: UInt32, _ filter: RouteTable.AddressFilter) -> Bool {
            filter.isOrdinary(source) && !filter.mayHold(vrf: vrf, address: source)
        }

        @_noLocks @inline(__always)
        func admit(
            _ lane: UInt8, _ fields: RouteChecks.Fields, to row: Int, _ word: RoutedLane,
            _ batch: PacketBatch
        ) {
            // Ethernet padding must not travel on.
            if fields.end < Int(batch.lengths[Int(lane)]) {
                batch.truncate(Int(lane), to: fields.end)
            }
            batch.routed[row] = word.of(lane)
            batch.keys[row] = UInt64(vrf) &<< 32 | UInt64(fields.destination)
        }
    }

    /// What is to be known of the header, or nil when the packet was settled here.
    @_noLocks @inline(never)
    private static func examine(
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
        let header = IPv4Header(frame: batch.frame(lane), at: EthernetHeader.byteCount)
        if let reason = RouteChecks.reasonAgainst(header) {
            drop(lane, reason, pipeline)
            return nil
        }
        let fields = RouteChecks.Fields(header)
        let filter = pipeline.tables.routes.addressFilter
        if entrance.checksReversePath
            || filter.mayHold(vrf: entrance.vrf, address: fields.source),
            let reason = RouteChecks.reasonAgainst(
                source: fields.source, from: batch.ingress[lane], entrance.interface,
                pipeline.tables)
        {
            drop(lane, reason, pipeline)
            return nil
        }
        return fields
    }

    /// Finds the next hops: what the neighbor table is to be asked to `keys`, the interface into
    /// `routed`.
    /// - Returns: how many of the lanes in `routed` are left.
    @_noLocks
    private static func findNextHops(_ admitted: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let neighbors = tables.neighbors
        let count = min(admitted, PacketBatch.laneCapacity)
        // A VRF and an address fit 48 bits.
        var last = UInt64.max
        var found: UInt64 = 0
        var lastHop = -1
        var hop = Hop()
        var question: UInt64 = 0
        for index in 0..<count {
            let key = batch.keys[index]
            let routed = batch.routed[index]
            if key != last {
                last = key
                found = batch.routes[index]
                guard RouteTable.isSinglePath(found) else {
                    return chooseNextHops(admitted, from: index, last, found, pipeline)
                }
                let number = RouteTable.nextHop(found, flowHash: 0)
                if number != lastHop {
                    lastHop = number
                    hop = Hop(number, tables)
                }
                question = hop.question(key)
                neighbors.prefetch(question)
            }
            guard routed.has(RoutedLane.isPlain) else {
                return chooseNextHops(admitted, from: index, last, found, pipeline)
            }
            batch.routed[index] = routed.leaving(by: hop.interface)
            batch.keys[index] = question
        }
        return count
    }

    /// As `findNextHops`, from the first packet on for which the routing table alone does not
    /// decide.
    /// - Parameters:
    ///   - key: that of this packet.
    ///   - value: what the routing table said of it.
    @_noLocks @inline(never)
    private static func chooseNextHops(
        _ count: Int, from first: Int, _ key: UInt64, _ value: UInt64, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let tables = pipeline.tables
        var kept = first
        var last = key
        var found = value
        for index in first..<count {
            var routed = batch.routed[index]
            let key = batch.keys[index]
            if key != last {
                last = key
                found = batch.routes[index]
            }
            guard let number = chooseNextHop(&routed, found, pipeline) else { continue }
            let hop = Hop(number, tables)
            let question = hop.question(key)
            tables.neighbors.prefetch(question)
            batch.routed[kept] = routed.leaving(by: hop.interface)
            batch.keys[kept] = question
            kept &+= 1
        }
        return kept
    }

    /// The way to a next hop.
    private struct Hop {
        let interface: Int
        /// What the neighbor table is asked, but for the destination where that is the next hop.
        private let base: UInt64
        private let destinationMask: UInt64

        @_noLocks @inline(__always)
        init() {
            interface = 0
            base = 0
            destinationMask = 0
        }

        @_noLocks @inline(__always)
        init(_ number: Int, _ tables: TableView) {
            let record = tables.nextHops[number]
            interface = record.interface
            base = record.question
            destinationMask = record.destinationMask
        }

        @_noLocks @inline(__always)
        func question(_ key: UInt64) -> UInt64 { base | key & destinationMask }
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
