internal import Memory
internal import Tables
internal import Wire

/// Finds the layer-2 domain a frame belongs to: by VNI and source VTEP, or by port and VLAN.
///
/// Reads: `vni`, `outerSource` (underlay), `ingressDevice`, `vlan`.
/// Writes: `vsi`, `ingress`, `vlan` (0 when the tag was only the way to the port, or the tag behind
/// that one, which leaves the frame then).
/// Drops: `vxlanBadSource`, `vxlanUnknownPeer`, `vxlanUnknownVni`, `vxlanPeerNotInVni`,
/// `innerVlanDenied`, `portVlanDenied`, `innerRunt`.
/// Cost: two probes of small read-only maps for a tunnelled frame, one load for a local one.
/// Standard: RFC 7348 sections 4.1, 6.1 and 7.
public enum ClassifyStage {
    @_noLocks
    public static func process(_ pipeline: Pipeline) {
        let batch = pipeline.batch
        var kept = 0
        var run = PortRun()
        let count = min(batch.activeCount.value, PacketBatch.laneCapacity)
        var position = 0
        while position < count {
            let lane = Int(batch.active[position])
            let device = batch.ingressDevice[lane]
            if device == PacketBatch.underlay {
                let passed = passTunnelled(from: position, count, to: kept, pipeline)
                kept &+= passed
                position &+= passed
                guard passed == 0 else { continue }
                position &+= 1
                guard classifyTunnelled(lane, pipeline) else { continue }
                pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .rxPackets)
            } else {
                position &+= 1
                if device == run.device, batch.vlan[lane] == 0 {
                    run.frames.take(lane, batch)
                } else {
                    guard classifyLocal(lane, pipeline) else { continue }
                    pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .rxPackets)
                    run.begin(lane, pipeline)
                }
            }
            batch.active[kept] = UInt16(truncatingIfNeeded: lane)
            kept &+= 1
        }
        run.frames.end(pipeline)
        batch.activeCount.value = kept
    }

    /// Frames of one place and one VSI, which are classified alike and counted together.
    private struct Run {
        private let ingress: Destination
        private let vsi: UInt16
        private var packets: UInt64 = 0
        private var bytes: UInt64 = 0

        @_noLocks @inline(__always)
        init(_ ingress: Destination, vsi: UInt16) {
            self.ingress = ingress
            self.vsi = vsi
        }

        @_noLocks @inline(__always)
        mutating func take(_ lane: Int, _ batch: PacketBatch) {
            batch.ingress[lane] = ingress
            batch.vsi[lane] = vsi
            packets &+= 1
            bytes &+= UInt64(batch.lengths[lane])
        }

        /// Counts the frames taken since it last did.
        @_noLocks @inline(__always)
        mutating func end(_ pipeline: Pipeline) {
            guard packets > 0 else { return }
            let counters = pipeline.counters
            if ingress.isPort {
                counters.add(packets, port: ingress.index, .rxPackets)
                counters.add(bytes, port: ingress.index, .rxBytes)
            } else {
                counters.add(packets, peer: ingress.index, .rxPackets)
                counters.add(bytes, peer: ingress.index, .rxBytes)
            }
            counters.add(packets, vsi: Int(vsi), .rxPackets)
            packets = 0
            bytes = 0
        }
    }

    /// Untagged frames of one device.
    private struct PortRun {
        /// `PacketBatch.underlay` where there is no run.
        private(set) var device = PacketBatch.underlay
        var frames = Run(.none, vsi: 0)

        @_noLocks @inline(__always)
        init() {}

        /// From now on frames are like this one, if its port is that of untagged frames.
        @_noLocks @inline(__always)
        mutating func begin(_ lane: Int, _ pipeline: Pipeline) {
            frames.end(pipeline)
            let batch = pipeline.batch
            let port = pipeline.tables.devices[Int(batch.ingressDevice[lane])].nativePort
            let ingress = batch.ingress[lane]
            frames = Run(ingress, vsi: batch.vsi[lane])
            device =
                ingress.index == Int(port) ? batch.ingressDevice[lane] : PacketBatch.underlay
        }
    }

    /// Classifies tunnelled frames as nearly all are, up to the first that is not: untagged, from a
    /// peer that is known and may carry its VNI.
    /// - Parameter row: of `active`, for the first.
    /// - Returns: how many.
    @_noLocks @inline(never)
    private static func passTunnelled(
        from first: Int, _ count: Int, to row: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        var run = PeerRun()
        var passed = 0
        // No call in this loop, so that all it needs stays in registers.
        while first &+ passed < count {
            let lane = Int(batch.active[first &+ passed])
            guard batch.ingressDevice[lane] == PacketBatch.underlay, batch.vlan[lane] == 0 else {
                break
            }
            let source = batch.outerSource[lane]
            let vni = batch.vni[lane]
            if source != run.source || vni != run.vni {
                run.frames.end(pipeline)
                guard let next = PeerRun(source, vni, pipeline.tables) else { break }
                run = next
            }
            run.frames.take(lane, batch)
            batch.active[row &+ passed] = UInt16(truncatingIfNeeded: lane)
            passed &+= 1
        }
        run.frames.end(pipeline)
        return passed
    }

    /// Frames of one VNI from one peer.
    private struct PeerRun {
        let source: UInt32
        let vni: UInt32
        var frames: Run

        /// A run that no frame belongs to: no VNI has so many bits.
        @_noLocks @inline(__always)
        init() {
            source = 0
            vni = .max
            frames = Run(.none, vsi: 0)
        }

        /// Nil says nothing.
        @_noLocks @inline(__always)
        init?(_ source: UInt32, _ vni: UInt32, _ tables: TableView) {
            let peer = tables.peerOfAddress.findFirst(source)
            let index = tables.vsiOfVNI.findFirst(vni)
            guard peer >= 0, index >= 0, IPv4Address(bits: source).isUnicastSource,
                source != tables.settings.vtepAddress
            else { return nil }
            let vsi = UInt16(truncatingIfNeeded: index)
            let membership = TableSet.membershipKey(peer: peer, vsi: vsi)
            guard
                tables.peers[peer].carriesEveryVNI || tables.membership.findFirst(membership) >= 0
            else { return nil }
            self.source = source
            self.vni = vni
            frames = Run(.peer(peer), vsi: vsi)
        }
    }

    @_noLocks @inline(never)
    private static func classifyTunnelled(_ lane: Int, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let source = batch.outerSource[lane]
        guard IPv4Address(bits: source).isUnicastSource, source != tables.settings.vtepAddress
        else { return drop(lane, .vxlanBadSource, pipeline) }
        let peer = tables.peerOfAddress.find(source)
        if peer >= 0 {
            batch.ingress[lane] = .peer(peer)
            pipeline.counters.add(1, peer: peer, .rxPackets)
            pipeline.counters.add(UInt64(batch.lengths[lane]), peer: peer, .rxBytes)
        } else {
            guard tables.settings.acceptsUnknownPeers else {
                return drop(lane, .vxlanUnknownPeer, pipeline)
            }
            batch.ingress[lane] = .unknownPeer
        }
        let vsi = tables.vsiOfVNI.find(batch.vni[lane])
        guard vsi >= 0 else { return drop(lane, .vxlanUnknownVni, pipeline) }
        let index = UInt16(truncatingIfNeeded: vsi)
        batch.vsi[lane] = index
        if peer >= 0, !tables.peers[peer].carriesEveryVNI,
            tables.membership.find(TableSet.membershipKey(peer: peer, vsi: index)) < 0
        {
            return drop(lane, .vxlanPeerNotInVni, pipeline)
        }
        return batch.vlan[lane] == 0 || settleTag(lane, tables.vsis[vsi].innerVLAN, pipeline)
    }

    /// What becomes of a tag that was not the way to the port. One behind it never becomes the
    /// outermost by that, or a frame could name a VLAN that its port does not have.
    @_noLocks @inline(never)
    private static func settleTag(
        _ lane: Int, _ policy: VSIRecord.InnerVLAN, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let tag = batch.vlan[lane]
        guard tag != 0 else { return true }
        // A priority tag names no VLAN and counts as none.
        if tag & 0xFFF != 0 || tag & PacketBatch.tagIsService != 0 {
            switch policy {
            case .drop: return drop(lane, .innerVlanDenied, pipeline)
            case .strip: break
            case .keep: return true
            }
        }
        guard !EtherType.isTag(batch.etherType[lane]) else {
            return drop(lane, .innerVlanDenied, pipeline)
        }
        batch.vlan[lane] = 0
        return true
    }

    @_noLocks @inline(never)
    private static func classifyLocal(_ lane: Int, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        let tables = pipeline.tables
        let index = Int(batch.ingressDevice[lane])
        // A device that has left the tables since its frame was received.
        guard index < tables.devices.count else { return drop(lane, .portDown, pipeline) }
        let device = tables.devices[index]
        let tag = batch.vlan[lane]
        var port = Int(device.nativePort)
        var bytes = UInt64(batch.lengths[lane])
        var isMapped = false
        if tag != 0 {
            bytes &+= UInt64(EthernetHeader.tagByteCount)
            let mapped = mappedPort(device, tag, tables)
            isMapped = mapped >= 0
            if isMapped { port = mapped }
        }
        guard port >= 0 else {
            let isUntagged = tag & (PacketBatch.tagIsService | 0xFFF) == 0
            return drop(lane, isUntagged ? .portVlanDenied : .innerVlanDenied, pipeline)
        }
        if isMapped {
            batch.vlan[lane] = 0
            guard ParseStage.popTagIfPresent(lane, pipeline) else { return false }
        }
        // Only a VSI that keeps tags carries a VLAN that no port maps.
        guard tag == 0 || settleTag(lane, keepsTags(port, tables) ? .keep : .drop, pipeline) else {
            return false
        }
        batch.ingress[lane] = .port(port)
        batch.vsi[lane] = tables.ports[port].vsi
        pipeline.counters.add(1, port: port, .rxPackets)
        pipeline.counters.add(bytes, port: port, .rxBytes)
        return true
    }

    @_noLocks
    private static func mappedPort(
        _ device: DeviceRecord, _ tag: UInt32, _ tables: TableView
    ) -> Int {
        guard device.vlanTable >= 0, tag & PacketBatch.tagIsService == 0 else { return -1 }
        return Int(tables.vlanPorts[Int(device.vlanTable) &+ Int(tag & 0xFFF)])
    }

    @_noLocks
    private static func keepsTags(_ port: Int, _ tables: TableView) -> Bool {
        switch tables.vsis[Int(tables.ports[port].vsi)].innerVLAN {
        case .keep: return true
        case .drop, .strip: return false
        }
    }

    @_noLocks @inline(never)
    private static func drop(_ lane: Int, _ reason: DropReason, _ pipeline: Pipeline) -> Bool {
        pipeline.batch.drop(lane, reason, pipeline.counters)
        return false
    }
}
