internal import Memory
internal import Tables
internal import Wire

/// Another way for a packet whose next hop does not answer: another next hop of the same route, or
/// for a policy the routing table.
///
/// A next hop that is being asked for keeps its flows, which wait: they would change their way when
/// it answers.
enum NextHopDetour {
    struct Detour {
        var routed: RoutedLane
        /// What the neighbor table was asked, and its answer.
        var key: UInt64
        var neighbor: UInt32
    }

    /// - Parameter neighbor: the neighbor table's word for the next hop, which is not resolved.
    /// - Returns: nil when there is no other way.
    @_noLocks
    static func find(
        _ routed: RoutedLane, _ neighbor: UInt32, _ pipeline: Pipeline
    ) -> Detour? {
        guard NeighborTable.isFailed(neighbor) else { return nil }
        let hasPolicy = routed.has(RoutedLane.hasPolicy)
        let tables = pipeline.tables
        let header = IPv4Header(
            frame: pipeline.batch.frame(routed.lane), at: EthernetHeader.byteCount)
        let route = tables.routes.find(
            vrf: tables.interfaces[routed.interface].vrf, address: header.destination.bits)
        guard RouteTable.isForward(route), hasPolicy || RouteTable.nextHopCount(route) > 1 else {
            return nil
        }
        let hash = FlowHash.hash(
            frame: header.frame, etherType: EtherType.ipv4, layer3Offset: header.offset)
        let target = header.destination.bits
        let lane = UInt8(truncatingIfNeeded: routed.lane)
        if let detour = choose(route, hash, target, lane, tables, { NeighborTable.isResolved($0) })
        {
            return detour
        }
        return choose(route, hash, target, lane, tables) { !NeighborTable.isFailed($0) }
    }

    /// Shares the flows among those next hops of a route that are good.
    @_noLocks @inline(__always)
    private static func choose(
        _ route: UInt64, _ hash: UInt32, _ target: UInt32, _ lane: UInt8, _ tables: TableView,
        _ isGood: (UInt32) -> Bool
    ) -> Detour? {
        let first = RouteTable.nextHop(route, flowHash: 0)
        let end = first &+ RouteTable.nextHopCount(route)
        var count: UInt64 = 0
        for hop in first..<end where isGood(ask(hop, target, lane, tables).neighbor) { count &+= 1 }
        guard count > 0 else { return nil }
        var left = (UInt64(hash) &* count) &>> 32
        for hop in first..<end {
            let detour = ask(hop, target, lane, tables)
            guard isGood(detour.neighbor) else { continue }
            if left == 0 { return detour }
            left &-= 1
        }
        return nil
    }

    @_noLocks
    private static func ask(
        _ hop: Int, _ target: UInt32, _ lane: UInt8, _ tables: TableView
    ) -> Detour {
        let nextHop = tables.nextHops[hop]
        let key = nextHop.question | UInt64(target) & nextHop.destinationMask
        return Detour(
            routed: RoutedLane(lane: lane, interface: nextHop.interface), key: key,
            neighbor: tables.neighbors.find(key))
    }
}
