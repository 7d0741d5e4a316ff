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
        var areAllClassified = true
        var isMixed = false
        var run = PortRun()
        let count = min(batch.activeCount.value, PacketBatch.laneCapacity)
        var position = 0
        while position < count {
            let lane = Int(batch.active[position])
            let device = batch.ingressDevice[lane]
            if device == PacketBatch.underlay {
                let passed =
                    isMixed
                    ? passMixed(from: position, count, pipeline)
                    : passRuns(from: position, count, pipeline)
                position &+= passed
                // Whether runs ended for being short or for a frame that is not plain, turns out.
                isMixed = passed > 0
                guard !isMixed else { continue }
                position &+= 1
                guard classifyTunnelled(lane, pipeline) else {
                    areAllClassified = false
                    continue
                }
                pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .rxPackets)
            } else {
                position &+= 1
                if device == run.device, batch.vlan[lane] == 0 {
                    run.frames.take(lane, batch)
                } else {
                    guard classifyLocal(lane, pipeline) else {
                        areAllClassified = false
                        continue
                    }
                    pipeline.counters.add(1, vsi: Int(batch.vsi[lane]), .rxPackets)
                    run.begin(lane, pipeline)
                }
            }
        }
        run.frames.end(pipeline)
        if !areAllClassified { batch.removeSettled() }
    }

    /// Frames of one place and one VSI, which are classified alike and counted together.
    private struct Run {
        private let ingress: Destination
        let vsi: UInt16
        /// That of the packets; the bytes are the next.
        private let counter: Int
        private(set) var packets: UInt64 = 0
        private var bytes: UInt64 = 0

        @_noLocks @inline(__always)
        init(_ ingress: Destination, vsi: UInt16) {
            self.ingress = ingress
            self.vsi = vsi
            counter =
                ingress.isPort
                ? CounterLayout.index(port: ingress.index, .rxPackets)
                : CounterLayout.index(peer: ingress.index, .rxPackets)
        }

        @_noLocks @inline(__always)
        mutating func take(_ lane: Int, _ batch: PacketBatch) {
            batch.ingress[lane] = ingress
            batch.vsi[lane] = vsi
            packets &+= 1
            bytes &+= UInt64(batch.lengths[lane])
        }

        /// Counts the frames taken since it last did, for their place and for their VSI.
        @_noLocks @inline(__always)
        mutating func end(_ pipeline: Pipeline) {
            guard packets > 0 else { return }
            endPlace(pipeline)
            pipeline.counters.add(packets, vsi: Int(vsi), .rxPackets)
            packets = 0
            bytes = 0
        }

        /// Counts the frames for their place, as the last that is done with them.
        @_noLocks @inline(__always)
        func endPlace(_ pipeline: Pipeline) {
            pipeline.counters.page.add(packets, bytes, to: counter)
        }
    }

    /// Frames of one VSI, whatever place they are from.
    private struct VSIRun {
        private var vsi: UInt16 = 0
        private var packets: UInt64 = 0

        @_noLocks @inline(__always)
        init() {}

        @_noLocks @inline(__always)
        mutating func take(_ packets: UInt64, of vsi: UInt16, _ pipeline: Pipeline) {
            if vsi != self.vsi {
                end(pipeline)
                self.vsi = vsi
                self.packets = 0
            }
            self.packets &+= packets
        }

        @_noLocks @inline(__always)
        func end(_ pipeline: Pipeline) {
            if packets > 0 { pipeline.counters.add(packets, vsi: Int(vsi), .rxPackets) }
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
    /// peer that is known and may carry its VNI. Leaves the rest as well when hardly two frames in
    /// a row are of one peer and VNI.
    /// - Returns: how many.
    @_noLocks @inline(never)
    private static func passRuns(
        from first: Int, _ count: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        var run = PeerRun()
        var vsi = VSIRun()
        var runs = 0
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
                runs &+= 2
                guard runs <= passed &+ 8, let next = PeerRun(source, vni, pipeline.tables) else {
                    break
                }
                run.frames.endPlace(pipeline)
                vsi.take(run.frames.packets, of: run.frames.vsi, pipeline)
                run = next
            }
            run.frames.take(lane, batch)
            passed &+= 1
        }
        run.frames.endPlace(pipeline)
        vsi.take(run.frames.packets, of: run.frames.vsi, pipeline)
        vsi.end(pipeline)
        return passed
    }

    /// The same for frames of many peers, where a branch for the end of each run would cost more
    /// than to classify and count every frame for itself.
    /// - Returns: how many.
    @_noLocks @inline(never)
    private static func passMixed(
        from first: Int, _ count: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        var run = VSIRun()
        var passed = 0
        // No call in this loop, so that all it needs stays in registers.
        while first &+ passed < count {
            let lane = Int(batch.active[first &+ passed])
            guard batch.ingressDevice[lane] == PacketBatch.underlay, batch.vlan[lane] == 0,
                let (peer, vsi) = find(
                    batch.outerSource[lane], batch.vni[lane], pipeline.tables)
            else { break }
            batch.ingress[lane] = .peer(peer)
            batch.vsi[lane] = vsi
            pipeline.counters.page.add(
                1, UInt64(batch.lengths[lane]), to: CounterLayout.index(peer: peer, .rxPackets))
            run.take(1, of: vsi, pipeline)
            passed &+= 1
        }
        run.end(pipeline)
        return passed
    }

    /// The peer and the VSI of an outer source and a VNI, when the peer may carry the VNI. Nil says
    /// nothing.
    @_noLocks @inline(__always)
    private static func find(
        _ source: UInt32, _ vni: UInt32, _ tables: TableView
    ) -> (peer: Int, vsi: UInt16)? {
        let peer = tables.peerOfAddress.findFirst(source)
        let index = tables.vsiOfVNI.findFirst(vni)
        guard peer >= 0, index >= 0 else { return nil }
        let vsi = UInt16(truncatingIfNeeded: index)
        let membership = TableSet.membershipKey(peer: peer, vsi: vsi)
        guard tables.peers[peer].carriesEveryVNI || tables.membership.findFirst(membership) >= 0
        else { return nil }
        return (peer, vsi)
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
            guard let (peer, vsi) = find(source, vni, tables) else { return nil }
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
