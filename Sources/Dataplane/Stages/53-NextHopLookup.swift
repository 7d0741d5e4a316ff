internal import Memory
internal import Tables
internal import Wire

/// The second half of the route stage: from the next hop to the frame that leaves.
///
/// Each function takes the first `count` lanes of `routed` and leaves there those that go on.
enum NextHopLookup {
    /// Takes packets whose next hops are in `keys`, which the neighbor table has been told to
    /// prefetch, to their verdict.
    /// - Returns: how many leave.
    @_noLocks
    static func process(_ count: Int, _ pipeline: Pipeline) -> Int {
        guard count > 0 else { return 0 }
        let found = findNeighbors(count, pipeline)
        if let order = pipeline.punts.holdOrder, order.isWatching(pipeline.batch.now.value) {
            return forwardInOrder(found, order, pipeline)
        }
        return forward(found, pipeline)
    }

    /// Finds the neighbors: the numbers of their records to `foundSlots`. Fetches the FDB's entries
    /// from where the neighbors were the last time.
    @_noLocks
    private static func findNeighbors(_ asked: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let neighbors = pipeline.tables.neighbors
        let places = pipeline.tables.forwarding.table.reader
        let count = min(asked, PacketBatch.laneCapacity)
        var isComplete = true
        var last = ProbeTable.noKey
        var record = -1
        for index in 0..<count {
            let key = batch.keys[index]
            if key != last {
                last = key
                record = neighbors.record(of: key)
                if record >= 0 {
                    places.prefetch(slot: neighbors.slotHint(ofRecord: record))
                } else {
                    isComplete = false
                }
            }
            batch.foundSlots[index] = Int32(truncatingIfNeeded: record)
        }
        return isComplete ? count : askTable(count, pipeline)
    }

    /// Asks the ARP table for the neighbors whose records are not known yet, in passes that each
    /// fetch what the next one reads.
    @_noLocks @inline(never)
    private static func askTable(_ count: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        let neighbors = pipeline.tables.neighbors
        let table = neighbors.table.reader
        // The route is known: what its lookup worked with serves this one.
        let indices = batch.routes
        let questions = batch.walks
        var asked = 0
        for index in 0..<count where batch.foundSlots[index] < 0 {
            indices[asked] = UInt64(truncatingIfNeeded: index)
            questions[asked] = batch.keys[index]
            asked &+= 1
        }
        table.guess(questions.column, count: asked, slots: batch.guesses.column)
        var isComplete = true
        for row in 0..<asked {
            let slot = table.find(questions[row], guess: batch.guesses[row])
            let value = slot >= 0 ? table.value(at: slot) : 0
            guard NeighborTable.isResolved(value), !NeighborTable.isOwn(value) else {
                isComplete = false
                continue
            }
            let record = NeighborTable.record(of: value)
            neighbors.prefetch(record: record)
            batch.foundSlots[Int(indices[row])] = Int32(truncatingIfNeeded: record)
        }
        let places = pipeline.tables.forwarding.table.reader
        for row in 0..<asked {
            let record = batch.foundSlots[Int(indices[row])]
            guard record >= 0 else { continue }
            places.prefetch(slot: neighbors.slotHint(ofRecord: Int(record)))
        }
        return isComplete ? count : settleRest(count, pipeline)
    }

    /// Ends what has no neighbor with a MAC address, or sends it another way.
    @_noLocks @inline(never)
    private static func settleRest(_ count: Int, _ pipeline: Pipeline) -> Int {
        let batch = pipeline.batch
        var kept = 0
        for index in 0..<count {
            var record = batch.foundSlots[index]
            if record < 0 {
                let found = pipeline.tables.neighbors.find(batch.keys[index])
                let value =
                    NeighborTable.isResolved(found) && !NeighborTable.isOwn(found)
                    ? found : settle(index, found, pipeline)
                if value == 0 { continue }
                record = Int32(truncatingIfNeeded: NeighborTable.record(of: value))
            }
            batch.routed[kept] = batch.routed[index]
            batch.keys[kept] = batch.keys[index]
            batch.foundSlots[kept] = record
            kept &+= 1
        }
        return kept
    }

    /// As `forward`, but for packets that are to stay behind others, which wait with the agent for
    /// the same next hop: those are parked.
    @_noLocks @inline(never)
    private static func forwardInOrder(
        _ count: Int, _ order: HoldOrder, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let now = batch.now.value
        order.update()
        var last = ProbeTable.noKey
        var barrier: HoldOrder.Barrier?
        var kept = 0
        for index in 0..<count {
            let key = batch.keys[index]
            if key != last {
                last = key
                barrier = order.barrier(key, now: now)
            }
            let routed = batch.routed[index]
            if let barrier, pipeline.park(routed.lane, behind: barrier, order) { continue }
            batch.routed[kept] = routed
            batch.foundSlots[kept] = batch.foundSlots[index]
            kept &+= 1
        }
        return forward(kept, pipeline)
    }

    /// A packet whose next hop has no MAC address: it takes another way, or it ends here.
    /// - Returns: the neighbor it takes instead, or 0.
    @_noLocks @inline(never)
    private static func settle(_ index: Int, _ neighbor: UInt32, _ pipeline: Pipeline) -> UInt32 {
        let batch = pipeline.batch
        var key = batch.keys[index]
        var value = neighbor
        if let detour = NextHopDetour.find(batch.routed[index], neighbor, pipeline) {
            batch.routed[index] = detour.routed
            key = detour.key
            value = detour.neighbor
            if NeighborTable.isResolved(value), !NeighborTable.isOwn(value) {
                batch.keys[index] = key
                return value
            }
        }
        let routed = batch.routed[index]
        end(routed, key, value, pipeline)
        countPolicy(routed, pipeline)
        return 0
    }

    /// It waits with the agent, or its sender hears that nobody is there.
    @_noLocks
    private static func end(
        _ routed: RoutedLane, _ key: UInt64, _ neighbor: UInt32, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let lane = routed.lane
        if NeighborTable.isOwn(neighbor) {
            batch.verdict[lane] = .consumed
        } else if NeighborTable.isFailed(neighbor) {
            pipeline.puntICMPError(lane, type: 3, code: 1, mtu: 0)
            batch.drop(lane, .nhFailed, pipeline.counters)
        } else if !pipeline.hold(lane, interface: Int32(routed.interface), key: key) {
            batch.drop(lane, .nhUnresolvedQueueFull, pipeline.counters)
        }
    }

    /// What all packets out of one interface have in common.
    private struct Exit {
        let index: Int
        let place: Destination
        let vsi: UInt16
        /// Its MAC address: the upper two octets in the lower bits, and the other four.
        let upperMAC: UInt64
        let lowerMAC: UInt32
        /// Bytes of a frame that is too large for none of its ways.
        let certainFrame: Int

        @_noLocks @inline(__always)
        init(_ index: Int, _ tables: TableView) {
            let interface = tables.interfaces[index]
            self.index = index
            place = .own(index)
            vsi = interface.vsi
            upperMAC = interface.mac &>> 32
            lowerMAC = UInt32(truncatingIfNeeded: interface.mac)
            let mtu = interface.mtu == 0 ? 0xFFFF : Int(interface.mtu)
            certainFrame = EthernetHeader.byteCount &+ min(mtu, tables.certainTunnelMTU)
        }
    }

    /// Rewrites the frames and sends them where the neighbors are.
    /// - Returns: how many.
    @_noLocks
    private static func forward(_ count: Int, _ pipeline: Pipeline) -> Int {
        var dropped = 0
        var index = 0
        while index < count {
            index = forwardPlain(from: index, count, pipeline)
            guard index < count else { break }
            if !forwardOther(index, pipeline) { dropped &+= 1 }
            index &+= 1
        }
        return count &- dropped
    }

    /// Forwards packets as nearly all are, up to the first that is not: no policy, small enough for
    /// every way, to a neighbor that is where the FDB had it the last time and where its ARP
    /// packets come from.
    /// - Returns: the index of that one.
    @_noLocks @inline(never)
    private static func forwardPlain(
        from first: Int, _ asked: Int, _ pipeline: Pipeline
    ) -> Int {
        let batch = pipeline.batch
        let neighbors = pipeline.tables.neighbors
        let places = pipeline.tables.forwarding.table.reader
        let count = min(asked, PacketBatch.laneCapacity)
        var exit = Exit(batch.routed[first].interface, pipeline.tables)
        var last: Int32 = -1
        var mac: UInt64 = 0
        var egress = Destination.none
        // No call in this loop, so that all it needs stays in registers.
        for index in first..<count {
            let routed = batch.routed[index]
            let record = batch.foundSlots[index]
            if routed.interface != exit.index {
                exit = Exit(routed.interface, pipeline.tables)
                last = -1
            }
            if record != last {
                mac = neighbors.mac(ofRecord: Int(record))
                egress = neighbors.egress(ofRecord: Int(record))
                let key = ForwardingTable.key(mac: mac, vsi: exit.vsi)
                let hint = neighbors.slotHint(ofRecord: Int(record))
                guard let value = places.value(atHint: hint, for: key) else { return index }
                let place = ForwardingTable.destination(of: value)
                // Gateways may share the MAC address that the neighbor has.
                if place.bits != egress.bits, !ForwardingTable.isOwn(value) {
                    guard egress.bits == 0 else { return index }
                    egress = place
                }
                guard egress.bits != 0 else { return index }
                last = record
            }
            let lane = routed.lane
            let frame = batch.frame(lane)
            // The frame ends with the packet since it was admitted.
            guard frame.count <= exit.certainFrame, !routed.has(RoutedLane.hasPolicy) else {
                return index
            }
            send(lane, frame, to: mac, egress, exit, batch)
            batch.verdict[lane] = .forward
        }
        return count
    }

    /// One packet by all the rules. False when it was dropped.
    @_noLocks @inline(never)
    private static func forwardOther(_ index: Int, _ pipeline: Pipeline) -> Bool {
        let batch = pipeline.batch
        let routed = batch.routed[index]
        let lane = routed.lane
        let record = Int(batch.foundSlots[index])
        let exit = Exit(routed.interface, pipeline.tables)
        defer { countPolicy(routed, pipeline) }
        let mac = pipeline.tables.neighbors.mac(ofRecord: record)
        let key = ForwardingTable.key(mac: mac, vsi: exit.vsi)
        guard let egress = search(record, key, pipeline.tables) else {
            batch.drop(lane, .l3L2EgressMismatch, pipeline.counters)
            return false
        }
        guard fits(lane, exit.index, egress, pipeline) else { return false }
        send(lane, batch.frame(lane), to: mac, egress, exit, batch)
        batch.verdict[lane] = egress.bits == 0 ? .replicate : .forward
        return true
    }

    @_noLocks @inline(__always)
    private static func send(
        _ lane: Int, _ frame: FrameView, to mac: UInt64, _ egress: Destination, _ exit: Exit,
        _ batch: PacketBatch
    ) {
        _ = IPv4Header(frame: frame, at: EthernetHeader.byteCount).decrementTimeToLive()
        frame.store(mac &<< 16 | exit.upperMAC, at: 0)
        frame.store(exit.lowerMAC, at: 8)
        batch.vsi[lane] = exit.vsi
        batch.vlan[lane] = 0
        batch.ingress[lane] = exit.place
        batch.egress[lane] = egress
    }

    /// What FDB and ARP table together say of the place of a neighbor; see `egress`.
    @_noLocks
    private static func search(_ record: Int, _ key: UInt64, _ tables: TableView) -> Destination? {
        let neighbors = tables.neighbors
        let places = tables.forwarding.table.reader
        let learned = neighbors.egress(ofRecord: record)
        let hint = neighbors.slotHint(ofRecord: record)
        if let value = places.value(atHint: hint, for: key) { return egress(value, learned) }
        let slot = places.find(key)
        guard slot >= 0 else { return egress(0, learned) }
        neighbors.setSlotHint(slot, ofRecord: record)
        return egress(places.value(at: slot), learned)
    }

    /// Where the next hop is: what its ARP packet came by, unless the FDB knows better. Between
    /// peers it does not, since gateways may share a MAC address. `none` is to flood; nil when a
    /// static FDB entry contradicts the ARP entry.
    /// - Parameter value: the FDB's word for the neighbor's MAC address, 0 when it has none.
    @_noLocks @inline(__always)
    private static func egress(_ value: UInt32, _ learned: Destination) -> Destination? {
        guard value != 0, !ForwardingTable.isOwn(value) else { return learned }
        let place = ForwardingTable.destination(of: value)
        guard place.bits != learned.bits, learned.bits != 0 else { return place }
        if ForwardingTable.isStatic(value) { return nil }
        return learned.isPeer && place.isPeer ? learned : place
    }

    /// The packet fits its way, or it is cut. False when it was dropped.
    @_noLocks
    private static func fits(
        _ lane: Int, _ interface: Int, _ egress: Destination, _ pipeline: Pipeline
    ) -> Bool {
        let header = IPv4Header(frame: pipeline.batch.frame(lane), at: EthernetHeader.byteCount)
        let mtu = mtu(pipeline.tables.interfaces[interface], egress, pipeline.tables)
        return header.totalLength <= mtu || cut(lane, header, to: mtu, pipeline)
    }

    /// That of the interface; towards peers what the underlay leaves of it, on the path to the one
    /// peer when that is known to be shorter.
    @_noLocks
    private static func mtu(
        _ interface: InterfaceRecord, _ egress: Destination, _ tables: TableView
    ) -> Int {
        var mtu = interface.mtu == 0 ? .max : Int(interface.mtu)
        guard !egress.isPort else { return mtu }
        // What is flooded goes to the peers of the VSI, if it has any.
        guard egress.isPeer || tables.vsis[Int(interface.vsi)].peerCount > 0 else { return mtu }
        let underlay = Int(tables.settings.underlayMTU)
        let overhead = OuterHeader.packetOverhead
        if underlay > overhead { mtu = min(mtu, underlay &- overhead) }
        if egress.isPeer, egress.index < tables.peers.count {
            let path = Int(tables.peers[egress.index].pathMTU)
            if path > overhead { mtu = min(mtu, path &- overhead) }
        }
        return mtu
    }

    /// Has a packet beyond the MTU fragmented, unless it is one of many to be cut anyway or may not
    /// be. False when it was dropped.
    @_noLocks
    private static func cut(
        _ lane: Int, _ header: IPv4Header, to mtu: Int, _ pipeline: Pipeline
    ) -> Bool {
        let batch = pipeline.batch
        let segmentation = batch.segmentations[lane]
        if segmentation.isSuperPacket {
            guard let segmenter = Segmenter.make(header.frame, segmentation),
                segmenter.maximumPacketByteCount > mtu
            else { return true }
        }
        if header.dontFragment || segmentation.isSuperPacket {
            pipeline.puntICMPError(lane, type: 3, code: 4, mtu: UInt16(clamping: mtu))
            batch.drop(lane, .mtuExceededDf, pipeline.counters)
            return false
        }
        if segmentation.needsChecksum {
            _ = segmentation.completeChecksum(in: header.frame)
            pipeline.counters.count(.checksumCompleted)
        }
        batch.segmentations[lane] = .fragments(maximumPacketByteCount: mtu)
        return true
    }

    /// A packet that waits comes by again and is counted then.
    @_noLocks
    private static func countPolicy(_ routed: RoutedLane, _ pipeline: Pipeline) {
        guard routed.has(RoutedLane.hasPolicy) else { return }
        if case .held = pipeline.batch.verdict[routed.lane] { return }
        pipeline.counters.add(
            1, policy: Int(pipeline.tables.policies[routed.policy].counter))
    }
}
