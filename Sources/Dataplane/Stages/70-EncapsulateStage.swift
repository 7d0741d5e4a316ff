internal import Memory
internal import Tables
internal import Wire

/// Decides the outer headers of every output to a peer; on the `udp` underlay the kernel writes
/// them, so the stage leaves them as columns beside the frame.
///
/// Reads: `outputDestination`, the frame's IP header, `flowHash`.
/// Writes: `outputSourcePort` (an index into the pool of source ports), `outputFields`, `flowHash`.
/// Drops: `encapMtu`, `portDown`, `innerVlanDenied`, `txUnreachable` (a peer that has left).
/// Cost: the flow hash, a few clocks for TCP and UDP over IPv4; for anything else once for each
/// lane, however many copies. It is made here and not in the parse stage because local frames never
/// need it.
/// Standard: RFC 7348 section 5, RFC 6040 section 4.1, RFC 2983.
public enum EncapsulateStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let rules = OuterRules(pipeline.tables.settings)
        let count = min(batch.outputCount.value, PacketBatch.outputCapacity)
        var doAllLeave = true
        var output = 0
        while true {
            output = passPlain(from: output, count, rules, pipeline)
            guard output < count else { break }
            if !passOther(output, rules, pipeline) {
                batch.outputDestination[output] = .none
                doAllLeave = false
            }
            output &+= 1
        }
        if !doAllLeave { removeDropped(batch) }
    }

    /// Closes the gaps that dropped outputs have left.
    @_noLocks @inline(never)
    private static func removeDropped(_ batch: PacketBatch) {
        var kept = 0
        for output in 0..<min(batch.outputCount.value, PacketBatch.outputCapacity) {
            let destination = batch.outputDestination[output]
            guard destination.bits != Destination.none.bits else { continue }
            batch.outputLane[kept] = batch.outputLane[output]
            batch.outputDestination[kept] = destination
            batch.outputSourcePort[kept] = batch.outputSourcePort[output]
            batch.outputFields[kept] = batch.outputFields[output]
            kept &+= 1
        }
        batch.outputCount.value = kept
    }

    /// Settles outputs as nearly all are, up to the first that is not: IPv4 with TCP or UDP to a
    /// peer, untagged frames to a port.
    /// - Returns: the output that is not settled.
    @_noLocks @inline(never)
    private static func passPlain(
        from first: Int, _ count: Int, _ rules: OuterRules, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let peers = pipeline.tables.peers
        let ports = pipeline.tables.ports
        // The packets of one VSI are counted together.
        var vsi: UInt16 = 0
        var sent: UInt64 = 0
        var output = first
        // No call in this loop, so that all it needs stays in registers.
        while output < count {
            let destination = batch.outputDestination[output]
            let lane = Int(batch.outputLane[output])
            guard batch.vlan[lane] == 0 else { break }
            if batch.vsi[lane] != vsi {
                if sent > 0 { pipeline.counters.add(sent, vsi: Int(vsi), .txPackets) }
                vsi = batch.vsi[lane]
                sent = 0
            }
            let peer = destination.peerIndex
            if peer < peers.count {
                let frame = batch.frame(lane)
                guard peers[peer].isInUse, frame.count <= rules.maximumFrame,
                    let inner = PlainInnerHeader(frame, etherType: batch.etherType[lane]),
                    let fields = rules.outer(inner)
                else { break }
                batch.outputSourcePort[output] = rules.sourcePort(inner.flowHash)
                batch.outputFields[output] = fields
            } else {
                guard destination.isPort, isThere(destination.index, vsi, ports) else { break }
            }
            sent &+= 1
            output &+= 1
        }
        if sent > 0 { pipeline.counters.add(sent, vsi: Int(vsi), .txPackets) }
        return output
    }

    /// The FDB is newer than the rest of the tables when a configuration is taken in the middle of
    /// a turn, and may speak of the port that gets this index in the next set.
    @_noLocks @inline(__always)
    private static func isThere(_ port: Int, _ vsi: UInt16, _ ports: Column<PortRecord>) -> Bool {
        port < ports.count && ports[port].isInUse && ports[port].isUp && ports[port].vsi == vsi
    }

    /// One output by all the rules. False when it was dropped.
    @_noLocks @inline(never)
    private static func passOther(
        _ output: Int, _ rules: OuterRules, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let destination = batch.outputDestination[output]
        let lane = Int(batch.outputLane[output])
        guard
            destination.isPeer
                ? encapsulate(lane, output, destination, rules, pipeline)
                : deliver(lane, destination, pipeline)
        else { return false }
        pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .txPackets)
        return true
    }

    @_noLocks
    private static func deliver(
        _ lane: Int, _ destination: Destination, _ pipeline: Pipeline
    ) -> Bool {
        let ports = pipeline.tables.ports
        let port = destination.index
        guard destination.isPort, isThere(port, pipeline.batch.vsi[lane], ports) else {
            return drop(.portDown, pipeline)
        }
        let tag = pipeline.batch.vlan[lane]
        guard tag == 0 || !leavesAsOtherVLAN(tag, ports[port], pipeline) else {
            return drop(.innerVlanDenied, pipeline)
        }
        return true
    }

    /// A tag that the VSI keeps would be the VLAN of another port of the device, maybe of another
    /// VSI.
    @_noLocks @inline(never)
    private static func leavesAsOtherVLAN(
        _ tag: UInt32, _ port: PortRecord, _ pipeline: Pipeline
    ) -> Bool {
        guard tag & PacketBatch.tagIsService == 0, port.vlan == PortRecord.noVLAN else {
            return false
        }
        let table = Int(pipeline.tables.devices[Int(port.device)].vlanTable)
        return table >= 0 && pipeline.tables.vlanPorts[table &+ Int(tag & 0xFFF)] >= 0
    }

    @_noLocks
    private static func encapsulate(
        _ lane: Int, _ output: Int, _ destination: Destination, _ rules: OuterRules,
        _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let peers = pipeline.tables.peers
        guard destination.index < peers.count, peers[destination.index].isInUse else {
            return drop(.txUnreachable, pipeline)
        }
        let frame = batch.frame(lane)
        let tag = batch.vlan[lane] == 0 ? 0 : EthernetHeader.tagByteCount
        if frame.count &+ tag > rules.maximumFrame, !batch.segmentations[lane].isSuperPacket {
            tooBig(lane, destination, pipeline)
            return drop(.encapMtu, pipeline)
        }
        let etherType = batch.etherType[lane]
        var hash = batch.flowHash[lane]
        if hash == 0 {
            hash = 1 &<< 32 | UInt64(InnerFields.flowHash(frame, etherType: etherType))
            batch.flowHash[lane] = hash
        }
        batch.outputSourcePort[output] = rules.sourcePort(UInt32(truncatingIfNeeded: hash))
        batch.outputFields[output] = rules.outer(InnerFields.read(frame, etherType: etherType))
        return true
    }

    @_noLocks @inline(never)
    private static func drop(_ reason: DropReason, _ pipeline: Pipeline) -> Bool {
        pipeline.counters.count(reason)
        return false
    }

    /// The sender of a bridged packet that may not be fragmented hears of it too, where the gateway
    /// has an address to speak from.
    @_noLocks @inline(never)
    private static func tooBig(_ lane: Int, _ destination: Destination, _ pipeline: Pipeline) {
        let batch = pipeline.batch
        guard batch.etherType[lane] == EtherType.ipv4, case .forward = batch.verdict[lane],
            pipeline.tables.vsis[Int(batch.vsi[lane])].interface >= 0,
            batch.ingress[lane].isPort
        else { return }
        let frame = batch.frame(lane)
        guard frame.holds(IPv4Header.byteCount, at: EthernetHeader.byteCount),
            IPv4Header(frame: frame, at: EthernetHeader.byteCount).dontFragment
        else { return }
        let mtu = Int(pipeline.tables.settings.underlayMTU) &- OuterHeader.packetOverhead
        pipeline.puntICMPError(lane, type: 3, code: 4, mtu: UInt16(clamping: mtu))
    }
}
