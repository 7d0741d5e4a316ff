internal import Memory
internal import Tables
internal import Wire

/// Routes IPv4 packets that are addressed to a MAC of the gateway, between the VSI-interfaces of
/// one VRF.
///
/// A next hop is used when the neighbor table knows it; the frame leaves by the FDB of the next
/// hop's VSI.
///
/// The lookups are made by column, all lanes of one kind before those of the next, so that the
/// tables are fetched for many packets at a time.
///
/// Reads: lanes whose verdict is `route`; `vsi`, the IPv4 header.
/// Writes: `vsi`, `ingress`, `destinationMAC`, `sourceMAC`, `egress`, `verdict`; MAC addresses, TTL
/// and header checksum of the frame.
/// Drops: the `ip…` reasons, `ttlExceeded`, `noRoute`, `nhFailed`, `routerMacMismatch`.
/// Cost: a probe for each prefix length in use, one of the neighbor table, one of the FDB; none for
/// a run of packets to one destination.
/// Standard: RFC 1812 sections 5.2 and 5.3, RFC 1624.
public enum RouteStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let count = admit(pipeline)
        if count > 0 {
            let left = findNeighbors(findRoutes(count, pipeline), pipeline)
            forward(left, pipeline)
        }
        var kept = 0
        for position in 0..<batch.activeCount.value {
            let lane = Int(batch.active[position])
            switch batch.verdict[lane] {
            case .dropped, .consumed: continue
            case .pending, .forward, .replicate, .route: break
            }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        batch.activeCount.value = kept
    }

    /// Settles what is not to be forwarded. Leaves the rest in `routed` and the VRF and destination
    /// of each in `keys`.
    /// - Returns: how many.
    @_noLocks
    private static func admit(_ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let routes = pipeline.tables.routes
        var count = 0
        var last: UInt64 = .max
        for position in 0..<batch.activeCount.value {
            let lane = Int(batch.active[position])
            guard case .route = batch.verdict[lane], let vrf = admit(lane, pipeline) else {
                continue
            }
            let destination = batch.frame(lane).loadUInt32(at: EthernetHeader.byteCount &+ 16)
            let key = UInt64(vrf) &<< 32 | UInt64(destination)
            if key != last {
                last = key
                routes.prefetch(vrf: vrf, address: destination)
            }
            batch.routed[count] = UInt16(truncatingIfNeeded: lane)
            batch.keys[count] = key
            count &+= 1
        }
        return count
    }

    /// Finds where the destinations in `keys` are reached: the interface to `routedBy`, and what
    /// the neighbor table is asked to `keys`.
    /// - Returns: how many of the lanes in `routed` are left.
    @_noLocks
    private static func findRoutes(_ count: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let routes = pipeline.tables.routes
        let interfaces = pipeline.tables.interfaces
        var kept = 0
        var last: UInt64 = .max
        var found: UInt64 = 0
        for index in 0..<count {
            let lane = batch.routed[index]
            let key = batch.keys[index]
            let destination = UInt32(truncatingIfNeeded: key)
            if key != last {
                last = key
                found = routes.find(
                    vrf: UInt16(truncatingIfNeeded: key &>> 32), address: destination)
            }
            guard found != 0 else {
                batch.drop(Int(lane), .noRoute, pipeline.counters)
                continue
            }
            let interface = RouteTable.interface(of: found)
            let via = RouteTable.via(of: found)
            batch.routed[kept] = lane
            batch.routedBy[kept] = Int32(truncatingIfNeeded: interface)
            batch.keys[kept] = NeighborTable.key(
                vsi: interfaces[interface].vsi, address: via == 0 ? destination : via)
            kept &+= 1
        }
        return kept
    }

    /// The VRF in which the lane is to be routed, or nil when it was settled here.
    @_noLocks
    private static func admit(_ lane: Int, _ pipeline: Pipeline) -> UInt16? {
        let batch = pipeline.batch
        let tables = pipeline.tables
        guard batch.etherType[lane] == EtherType.ipv4 else {
            // ARP replies to the gateway end here; nothing else of layer 3 is spoken.
            batch.verdict[lane] = .consumed
            return nil
        }
        let header = IPv4Header(frame: batch.frame(lane), at: EthernetHeader.byteCount)
        if !isPlain(header.frame), let reason = reasonAgainst(header) {
            batch.drop(lane, reason, pipeline.counters)
            return nil
        }
        let index = Int(tables.vsis[Int(batch.vsi[lane])].interface)
        guard index >= 0, index < tables.interfaces.count else {
            batch.drop(lane, .routerMacMismatch, pipeline.counters)
            return nil
        }
        let ingress = tables.interfaces[index]
        guard !isOwn(header.destination.bits, ingress, tables) else {
            batch.verdict[lane] = .consumed
            return nil
        }
        guard header.timeToLive > 1 else {
            batch.drop(lane, .ttlExceeded, pipeline.counters)
            return nil
        }
        return ingress.vrf
    }

    /// An address of the gateway itself on the interface by which the packet came.
    @_noLocks @inline(__always)
    private static func isOwn(
        _ address: UInt32, _ interface: InterfaceRecord, _ tables: TableView
    ) -> Bool {
        let subnets = tables.subnets
        let first = Int(interface.firstSubnet)
        for index in first..<first &+ Int(interface.subnetCount)
        where subnets[index].address == address {
            return true
        }
        return false
    }

    /// Finds the MACs of the next hops in `keys`: to `destinationMAC`, and what the FDB is asked
    /// to `keys`.
    /// - Returns: how many of the lanes in `routed` are left.
    @_noLocks
    private static func findNeighbors(_ count: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let table = tables.neighbors.table
        table.find(keys: batch.keys, count: count, slots: batch.foundSlots)
        var kept = 0
        for index in 0..<count {
            let lane = Int(batch.routed[index])
            let slot = Int(batch.foundSlots[index])
            guard let neighbor = table.value(at: slot, for: batch.keys[index]) else {
                batch.drop(lane, .nhFailed, pipeline.counters)
                continue
            }
            guard !NeighborTable.isOwn(neighbor) else {
                batch.verdict[lane] = .consumed
                continue
            }
            let mac = NeighborTable.mac(of: neighbor)
            let interface = batch.routedBy[index]
            batch.destinationMAC[lane] = mac
            batch.routed[kept] = UInt16(truncatingIfNeeded: lane)
            batch.routedBy[kept] = interface
            batch.keys[kept] = ForwardingTable.key(
                mac: mac, vsi: tables.interfaces[Int(interface)].vsi)
            kept &+= 1
        }
        return kept
    }

    /// Rewrites the frames in `routed` and sends them where the FDB of their new VSI says.
    @_noLocks
    private static func forward(_ count: Int, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let table = tables.forwarding.table
        table.find(keys: batch.keys, count: count, slots: batch.foundSlots)
        for index in 0..<count {
            let lane = Int(batch.routed[index])
            let number = Int(batch.routedBy[index])
            let interface = tables.interfaces[number]
            let frame = batch.frame(lane)
            _ = IPv4Header(frame: frame, at: EthernetHeader.byteCount).decrementTimeToLive()
            // Twelve bytes of addresses as three words.
            let mac = batch.destinationMAC[lane]
            frame.store(UInt32(truncatingIfNeeded: mac &>> 16), at: 0)
            frame.store(UInt32(truncatingIfNeeded: mac &<< 16 | interface.mac &>> 32), at: 4)
            frame.store(UInt32(truncatingIfNeeded: interface.mac), at: 8)
            batch.sourceMAC[lane] = interface.mac
            batch.vsi[lane] = interface.vsi
            batch.vlan[lane] = 0
            batch.ingress[lane] = .own(number)
            let slot = Int(batch.foundSlots[index])
            if let value = table.value(at: slot, for: batch.keys[index]) {
                batch.egress[lane] = ForwardingTable.destination(of: value)
                batch.verdict[lane] = .forward
            } else {
                batch.verdict[lane] = .replicate
            }
        }
    }

    /// Settles at a few loads what nearly every packet is: a sound header without options and
    /// addresses that `reasonAgainst` has nothing to say of. False says nothing.
    @_noLocks @inline(__always)
    private static func isPlain(_ frame: FrameView) -> Bool {
        let offset = EthernetHeader.byteCount
        guard frame.count >= offset &+ IPv4Header.byteCount else { return false }
        let first = frame.loadUInt64(at: offset)
        let second = frame.loadUInt64(at: offset &+ 8)
        let destination = frame.loadUInt32(at: offset &+ 16)
        let totalLength = Int(truncatingIfNeeded: first &>> 32 & 0xFFFF)
        guard first &>> 56 == 0x45, totalLength >= IPv4Header.byteCount,
            totalLength <= frame.count &- offset
        else { return false }
        let sum =
            (first &>> 32) &+ (first & 0xFFFF_FFFF) &+ (second &>> 32)
            &+ (second & 0xFFFF_FFFF) &+ UInt64(destination)
        return InternetChecksum.fold(sum) == 0xFFFF
            && isOrdinary(UInt32(truncatingIfNeeded: second)) && isOrdinary(destination)
    }

    /// A unicast address outside of the ranges with a meaning of their own: 0, 127, the whole of
    /// 169 for the sake of 169.254, and 224 up.
    @_noLocks @inline(__always)
    private static func isOrdinary(_ address: UInt32) -> Bool {
        let octet = address &>> 24
        return octet &- 1 < 223 && octet != 127 && octet != 169
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
