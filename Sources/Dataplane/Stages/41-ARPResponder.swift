internal import Memory
internal import Tables
internal import Wire

/// The part of the bridge stage that looks into ARP: checks the sender, tells the agent what it
/// says, and answers in place what the gateway knows.
///
/// A request for an address of the gateway itself is answered to whoever asks, never copied. Where
/// ARP suppression is on, a broadcast request from an access port for a known address is answered
/// for its owner. A probe is answered by the true owner only, or every duplicate-address check
/// would fail; a unicast request goes to its owner.
///
/// It stands in the worker and not in the agent because the answer is the request rewritten: no
/// copy, no second account, and a flood of requests costs no other thread anything.
///
/// Reads: the ARP packet, `vsi`, `ingress`, the neighbor table.
/// Writes: the frame, `verdict`, `egress`; the ring `workerToAgent`.
/// Drops: `arpMalformed`, `arpSenderMismatch`, `arpOutsideSubnet`, `arpOwnAddressClaimed`,
/// `arpRate`.
/// Cost: two probes of the neighbor table.
/// Standard: RFC 826, RFC 1027, RFC 5227, RFC 9161 section 3.
enum ARPResponder {
    /// - Parameter isKnown: the FDB has the destination.
    /// - Returns: true when the lane has its verdict; false when it goes on as any frame.
    @_noLocks
    static func settle(
        _ lane: Int, _ vsi: VSIRecord, isKnown: Bool, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let frame = batch.frame(lane)
        let packet = ARPPacket(frame: frame, at: EthernetHeader.byteCount)
        guard case .valid = packet.check() else { return drop(lane, .arpMalformed, pipeline) }
        let sender = packet.senderMAC
        let address = packet.senderIP
        guard !sender.isGroup, !sender.isZero, !address.isMulticast, !address.isReserved else {
            return drop(lane, .arpMalformed, pipeline)
        }
        guard sender.bits == batch.sourceMAC[lane] || isVirtualRouter(lane, sender, vsi, pipeline)
        else { return drop(lane, .arpSenderMismatch, pipeline) }
        let neighbors = pipeline.tables.neighbors
        let index = batch.vsi[lane]
        if address.bits != 0 {
            let known = neighbors.find(vsi: index, address: address.bits)
            if NeighborTable.isOwn(known) {
                if batch.ingress[lane].isPort {
                    return drop(lane, .arpOwnAddressClaimed, pipeline)
                }
                if hears(packet, vsi, pipeline) {
                    batch.verdict[lane] = .consumed
                    return true
                }
            } else {
                guard mayHold(address, vsi, pipeline) else {
                    return drop(lane, .arpOutsideSubnet, pipeline)
                }
                if packet.isAnnouncement { pipeline.counters.count(.arpGratuitous) }
                if !vsi.has(.proxiesARP) { report(lane, packet, known, pipeline) }
            }
        }
        if vsi.has(.proxiesARP) {
            return hand(lane, packet, vsi, isKnown: isKnown, pipeline)
        }
        guard packet.operation == ARPPacket.request else { return false }
        return answer(lane, vsi, packet, pipeline)
    }

    /// A router that shares an address with others says so from its own MAC address, or in its own
    /// name from the shared one (RFC 5798 section 8.1.2). Never in the name of this gateway.
    @_noLocks
    private static func isVirtualRouter(
        _ lane: Int, _ sender: MACAddress, _ vsi: VSIRecord, _ pipeline: Pipeline
    ) -> Bool {
        let source = pipeline.batch.sourceMAC[lane]
        guard isVirtualRouter(sender.bits) || isVirtualRouter(source) else { return false }
        guard vsi.interface >= 0 else { return true }
        let own = pipeline.tables.interfaces[Int(vsi.interface)].mac
        return sender.bits != own && source != own
    }

    /// 00:00:5e:00:01:00 and up to ff (RFC 5798 section 7.3).
    @_noLocks
    private static func isVirtualRouter(_ mac: UInt64) -> Bool { mac &>> 8 == 0x00_005E_0001 }

    /// A packet out of a tunnel speaks for an address of the gateway itself. True when it goes no
    /// further: hosts must not take another gateway's MAC address for their own gateway's.
    ///
    /// Gateways may share addresses, and then this is no conflict; no action is taken either way
    /// (RFC 5227 section 2.4 is about hosts). A question is not held back, for its answer is for
    /// the one who asks.
    @_noLocks
    private static func hears(
        _ packet: ARPPacket, _ vsi: VSIRecord, _ pipeline: Pipeline
    ) -> Bool {
        if !vsi.has(.sharesAddresses) { pipeline.counters.count(.arpConflict) }
        if packet.isAnnouncement { pipeline.counters.count(.arpGratuitous) }
        return packet.isAnnouncement || packet.operation != ARPPacket.request
    }

    /// Local proxy ARP: the agent answers, rewrites and relays. What hosts say to each other
    /// directly is bridged, but for a host's question to a MAC address that nobody knows: flooded,
    /// it would take the host's own into every tunnel.
    @_noLocks
    private static func hand(
        _ lane: Int, _ packet: ARPPacket, _ vsi: VSIRecord, isKnown: Bool, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let destination = MACAddress(bits: batch.destinationMAC[lane])
        let interface = pipeline.tables.interfaces[Int(vsi.interface)]
        let isLost =
            !isKnown && packet.operation == ARPPacket.request && batch.ingress[lane].isPort
        guard destination.isGroup || destination.bits == interface.mac || isLost else {
            return false
        }
        if packet.operation == ARPPacket.request,
            !RouteChecks.isHost(packet.targetIP.bits, interface, pipeline.tables)
        {
            return drop(lane, .arpOutsideSubnet, pipeline)
        }
        guard pipeline.admitsARP(from: batch.ingress[lane], now: batch.now.value),
            pipeline.puntFrame(lane, .arp, packet.frame)
        else { return drop(lane, .arpRate, pipeline) }
        if packet.isProbe, batch.ingress[lane].isPort, !isOwn(packet.targetIP, lane, pipeline) {
            pipeline.counters.count(.arpProbeNotProxied)
        }
        batch.verdict[lane] = .consumed
        return true
    }

    @_noLocks
    private static func isOwn(_ address: IPv4Address, _ lane: Int, _ pipeline: Pipeline) -> Bool {
        let value = pipeline.tables.neighbors.find(
            vsi: pipeline.batch.vsi[lane], address: address.bits)
        return NeighborTable.isOwn(value)
    }

    @_noLocks
    private static func answer(
        _ lane: Int, _ vsi: VSIRecord, _ packet: ARPPacket, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let wanted = pipeline.tables.neighbors.find(
            vsi: batch.vsi[lane], address: packet.targetIP.bits)
        if NeighborTable.isOwn(wanted) {
            guard !packet.isAnnouncement else {
                batch.verdict[lane] = .consumed
                return true
            }
            guard pipeline.admitsARP(from: batch.ingress[lane], now: batch.now.value) else {
                return drop(lane, .arpRate, pipeline)
            }
            pipeline.counters.count(.arpAnswered)
            return reply(
                lane, packet, pipeline.tables.neighbors.mac(of: wanted), pipeline)
        }
        guard vsi.has(.suppressesARP), batch.ingress[lane].isPort,
            MACAddress(bits: batch.destinationMAC[lane]).isBroadcast
        else { return false }
        guard packet.senderIP.bits != 0 else {
            pipeline.counters.count(.arpProbeNotProxied)
            return false
        }
        let owner = pipeline.tables.neighbors.mac(of: wanted)
        guard owner != 0, !packet.isAnnouncement, owner != packet.senderMAC.bits,
            !isBehindAsker(lane, owner, pipeline)
        else { return false }
        pipeline.counters.count(.arpSuppressed)
        return reply(lane, packet, owner, pipeline)
    }

    /// The owner hears the request itself when it is behind the port that asks.
    @_noLocks
    private static func isBehindAsker(
        _ lane: Int, _ owner: UInt64, _ pipeline: Pipeline
    ) -> Bool {
        let table = pipeline.tables.forwarding.table
        let key = ForwardingTable.key(mac: owner, vsi: pipeline.batch.vsi[lane])
        guard let value = table.value(at: table.find(key), for: key) else { return false }
        return ForwardingTable.destination(of: value).bits == pipeline.batch.ingress[lane].bits
    }

    /// Makes the request its own answer, back to where it came from.
    @_noLocks
    private static func reply(
        _ lane: Int, _ packet: ARPPacket, _ owner: UInt64, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let asker = packet.senderMAC
        let answer = MACAddress(bits: owner)
        packet.rewriteToReply(answer: answer)
        let ethernet = EthernetHeader(frame: packet.frame, at: 0)
        ethernet.destination = asker
        ethernet.source = answer
        zeroPadding(packet.frame)
        batch.sourceMAC[lane] = owner
        batch.destinationMAC[lane] = asker.bits
        pipeline.sendBack(lane)
        return true
    }

    /// What the asker put behind the packet does not go back, and nothing beyond a minimal frame
    /// does.
    @_noLocks
    private static func zeroPadding(_ frame: FrameView) {
        let end = EthernetHeader.byteCount &+ ARPPacket.byteCount
        var offset = end
        while offset < frame.count {
            frame.store(0 as UInt8, at: offset)
            offset &+= 1
        }
    }

    /// A host of a subnet of the interface may have the address, and so may the next hop of an
    /// onlink route there. Nobody has the network address or the broadcast address (RFC 1122
    /// section 3.2.1.3); a /31 and a /32 have none (RFC 3021).
    @_noLocks
    private static func mayHold(
        _ address: IPv4Address, _ vsi: VSIRecord, _ pipeline: Pipeline
    ) -> Bool {
        guard vsi.interface >= 0 else { return true }
        let interface = pipeline.tables.interfaces[Int(vsi.interface)]
        return RouteChecks.isHost(address.bits, interface, pipeline.tables)
    }

    /// Tells the agent of a binding the table does not have; refreshes one that it has.
    @_noLocks
    private static func report(
        _ lane: Int, _ packet: ARPPacket, _ known: UInt32, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let isAnnouncement = packet.isAnnouncement
        let index = batch.vsi[lane]
        let neighbors = pipeline.tables.neighbors
        if neighbors.mac(of: known) == packet.senderMAC.bits,
            neighbors.egress(of: known).bits == batch.ingress[lane].bits
                || NeighborTable.isStatic(known)
        {
            let table = pipeline.tables.neighbors.table
            let key = NeighborTable.key(vsi: index, address: packet.senderIP.bits)
            table.touch(table.find(key), time: batch.coarseTime.value)
            return
        }
        pipeline.punt(
            PuntEvent(
                kind: isAnnouncement ? .addressAnnounced : .addressSeen, vsi: index,
                place: batch.ingress[lane], mac: packet.senderMAC.bits,
                address: packet.senderIP.bits))
    }

    @_noLocks
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) -> Bool {
        pipeline.batch.drop(lane, reason, pipeline.counters)
        return true
    }
}
