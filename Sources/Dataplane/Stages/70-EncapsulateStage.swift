internal import Memory
internal import Tables
internal import Wire

/// Decides the outer headers of every output to a peer; on the `udp` underlay the kernel writes
/// them, so the stage leaves them as columns beside the frame.
///
/// Reads: `outputDestination`, the frame's IP header, `flowHash`.
/// Writes: `outputSourcePort` (an index into the pool of source ports), `outputTOS`, `outputTTL`,
/// `outputDoNotFragment`, `flowHash`.
/// Drops: `encapMtu`, `portDown`, `innerVlanDenied`, `txUnreachable` (a peer that has left).
/// Cost: the flow hash, once for each lane that enters a tunnel, however many copies. It is made
/// here and not in the parse stage because local frames never need it.
/// Standard: RFC 7348 section 5, RFC 6040 section 4.1, RFC 2983.
public enum EncapsulateStage {
    /// Outer IPv4, UDP and VXLAN headers in front of the inner frame, bytes.
    public static var overhead: Int { @_noLocks get { 20 + 8 + 8 } }

    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        let rules = OuterRules(pipeline.tables.settings)
        var kept = 0
        for output in 0..<batch.outputCount.value {
            let destination = batch.outputDestination[output]
            let lane = batch.outputLane[output]
            guard
                destination.isPeer
                    ? encapsulate(Int(lane), kept, destination, rules, pipeline)
                    : deliver(Int(lane), destination, pipeline)
            else { continue }
            batch.outputLane[kept] = lane
            batch.outputDestination[kept] = destination
            kept &+= 1
        }
        batch.outputCount.value = kept
    }

    @_noLocks @inline(__always)
    private static func deliver(
        _ lane: Int, _ destination: Destination, _ pipeline: Pipeline
    ) -> Bool {
        let ports = pipeline.tables.ports
        let port = destination.index
        let vsi = pipeline.batch.vsi[lane]
        // The FDB is newer than the rest of the tables when a configuration is taken in the middle
        // of a turn, and may speak of the port that gets this index in the next set.
        guard destination.isPort, port < ports.count, ports[port].isInUse, ports[port].isUp,
            ports[port].vsi == vsi
        else { return drop(.portDown, pipeline) }
        let tag = pipeline.batch.vlan[lane]
        guard tag == 0 || !leavesAsOtherVLAN(tag, ports[port], pipeline) else {
            return drop(.innerVlanDenied, pipeline)
        }
        pipeline.counters.add(1, vsi: Int(vsi), .txPackets)
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

    /// - Parameter row: the row of the output after those dropped before it.
    @_noLocks @inline(__always)
    private static func encapsulate(
        _ lane: Int, _ row: Int, _ destination: Destination, _ rules: OuterRules,
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
        let inner = InnerFields.read(frame, etherType: batch.etherType[lane])
        var hash = batch.flowHash[lane]
        if hash == 0 {
            hash = 1 &<< 32 | UInt64(inner.flowHash(frame, etherType: batch.etherType[lane]))
            batch.flowHash[lane] = hash
        }
        // The upper bits of hash times count: even over any count, without a division.
        batch.outputSourcePort[row] = UInt32(
            truncatingIfNeeded: ((hash & 0xFFFF_FFFF) &* rules.sourcePortCount) &>> 32)
        batch.outputTOS[row] = rules.typeOfService(inner)
        batch.outputTTL[row] = rules.timeToLive(inner)
        batch.outputDoNotFragment[row] = rules.doNotFragment(inner)
        pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .txPackets)
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
        let mtu = Int(pipeline.tables.settings.underlayMTU) &- 50
        pipeline.puntICMPError(lane, type: 3, code: 4, mtu: UInt16(clamping: mtu))
    }
}
