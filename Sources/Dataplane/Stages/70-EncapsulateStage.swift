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
        var kept = 0
        for output in 0..<batch.outputCount.value {
            let destination = batch.outputDestination[output]
            guard
                destination.isPeer
                    ? encapsulate(output, kept, destination, pipeline)
                    : deliver(output, destination, pipeline)
            else { continue }
            batch.outputLane[kept] = batch.outputLane[output]
            batch.outputDestination[kept] = destination
            kept &+= 1
        }
        batch.outputCount.value = kept
    }

    @_noLocks @inline(__always)
    private static func deliver(
        _ output: Int, _ destination: Destination, _ pipeline: Pipeline
    ) -> Bool {
        let ports = pipeline.tables.ports
        let port = destination.index
        let lane = Int(pipeline.batch.outputLane[output])
        // The FDB is newer than the rest of the tables when a configuration is taken in the middle
        // of a turn, and may speak of the port that gets this index in the next set.
        guard destination.isPort, port < ports.count, ports[port].isInUse, ports[port].isUp,
            ports[port].vsi == pipeline.batch.vsi[lane]
        else {
            pipeline.counters.count(.portDown)
            return false
        }
        guard !leavesAsOtherVLAN(pipeline.batch.vlan[lane], ports[port], pipeline) else {
            pipeline.counters.count(.innerVlanDenied)
            return false
        }
        pipeline.counters.add(1, vsi: Int(pipeline.batch.vsi[lane]), .txPackets)
        return true
    }

    /// A tag that the VSI keeps would be the VLAN of another port of the device, maybe of another
    /// VSI.
    @_noLocks
    private static func leavesAsOtherVLAN(
        _ tag: UInt32, _ port: PortRecord, _ pipeline: Pipeline
    ) -> Bool {
        guard tag != 0, tag & PacketBatch.tagIsService == 0, port.vlan == PortRecord.noVLAN else {
            return false
        }
        let table = Int(pipeline.tables.devices[Int(port.device)].vlanTable)
        return table >= 0 && pipeline.tables.vlanPorts[table &+ Int(tag & 0xFFF)] >= 0
    }

    /// - Parameter row: the row of the output after those dropped before it.
    @_noLocks @inline(__always)
    private static func encapsulate(
        _ output: Int, _ row: Int, _ destination: Destination, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let peers = pipeline.tables.peers
        let settings = pipeline.tables.settings
        let lane = Int(batch.outputLane[output])
        guard destination.index < peers.count, peers[destination.index].isInUse else {
            pipeline.counters.count(.txUnreachable)
            return false
        }
        let frame = batch.frame(lane)
        let tag = batch.vlan[lane] == 0 ? 0 : EthernetHeader.tagByteCount
        let isSuperPacket = batch.segmentations[lane].isSuperPacket
        if settings.underlayMTU > 0, !isSuperPacket,
            frame.count &+ tag &+ overhead > Int(settings.underlayMTU)
        {
            tooBig(lane, destination, pipeline)
            pipeline.counters.count(.encapMtu)
            return false
        }
        if batch.flowHash[lane] == 0 {
            batch.flowHash[lane] = 1 &<< 32 | UInt64(flowHash(lane, frame, batch))
        }
        let spread = UInt64(truncatingIfNeeded: settings.sourcePortCount)
        // The upper bits of hash times count: even over any count, without a division.
        batch.outputSourcePort[row] = UInt32(
            truncatingIfNeeded: ((batch.flowHash[lane] & 0xFFFF_FFFF) &* spread) &>> 32)
        writeOuter(row, lane, frame, pipeline)
        pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .txPackets)
        return true
    }

    /// The sender of a bridged packet that may not be fragmented hears of it too, where the gateway
    /// has an address to speak from.
    @_noLocks
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

    @_noLocks @inline(__always)
    private static func flowHash(
        _ lane: Int, _ frame: FrameView, _ batch: PacketBatch
    ) -> UInt32 {
        let etherType = batch.etherType[lane]
        guard etherType == EtherType.ipv4 else { return FlowHash.hash(frame: frame) }
        return FlowHash.hash(
            frame: frame, etherType: etherType, layer3Offset: EthernetHeader.byteCount)
    }

    @_noLocks @inline(__always)
    private static func writeOuter(
        _ row: Int, _ lane: Int, _ frame: FrameView, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let settings = pipeline.tables.settings
        var innerTOS: UInt8 = 0
        var innerTTL: UInt8 = 64
        var innerDoNotFragment = false
        let offset = EthernetHeader.byteCount
        let etherType = batch.etherType[lane]
        if etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount, at: offset) {
            let header = IPv4Header(frame: frame, at: offset)
            innerTOS = header.typeOfService
            innerTTL = header.timeToLive
            innerDoNotFragment = header.dontFragment
        } else if etherType == EtherType.ipv6, frame.holds(IPv6Header.byteCount, at: offset) {
            let header = IPv6Header(frame: frame, at: offset)
            innerTOS = header.trafficClass
            innerTTL = header.hopLimit
            innerDoNotFragment = true
        }
        let codepoint = settings.dscp == 255 ? innerTOS & 0xFC : settings.dscp &<< 2
        batch.outputTOS[row] = codepoint | ECN.encapsulated(inner: innerTOS & 3)
        // An outer TTL of 0 cannot be sent.
        batch.outputTTL[row] = settings.ttl != 0 ? settings.ttl : max(innerTTL, 1)
        switch settings.doNotFragment {
        case .set: batch.outputDoNotFragment[row] = true
        case .unset: batch.outputDoNotFragment[row] = false
        case .inherit: batch.outputDoNotFragment[row] = innerDoNotFragment
        }
    }
}
