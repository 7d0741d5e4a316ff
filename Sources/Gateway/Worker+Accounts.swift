internal import Dataplane
internal import Memory
internal import Tables
internal import Uring

/// What every send costs and brings: buffers held and let go, packets counted once.
extension Worker {
    /// Queues a send and charges it; a failure is taken back when its completion says so.
    @_noLocks
    func commit(_ operation: SendOperation, _ lane: Int, _ place: Destination, packets: Int) {
        let slot = batch.slots[lane]
        let note = SendNote(
            slot: slot, place: place, bytes: operation.byteCount, packets: packets,
            isSegmented: packets > 1)
        slots.retain(slot)
        guard sender.commit(operation, tag: Source.send, note: note.bits) else {
            release(slot)
            counters.count(.txRingFull)
            return
        }
    }

    /// The same for a send into a tunnel whose operation has more than the VXLAN packets in it.
    /// - Parameters:
    ///   - packets: VXLAN packets that reach the peer, and `bytes` their UDP payload.
    @_noLocks
    func commit(
        _ operation: SendOperation, _ lane: Int, toPeer peer: Int, packets: Int, bytes: Int
    ) {
        let slot = batch.slots[lane]
        let note = SendNote(
            slot: slot, place: .peer(peer), bytes: bytes, packets: packets, isSegmented: false)
        slots.retain(slot)
        guard sender.commit(operation, tag: Source.send, note: note.bits) else {
            release(slot)
            counters.count(.txRingFull)
            return
        }
    }

    @_noLocks
    func abandon(_ operation: SendOperation) {
        sender.abandon(operation)
        counters.count(.txError)
    }

    /// Queues a send of several lanes, whose buffers are in `group`.
    /// - Parameter bytes: what its place is charged with.
    @_noLocks
    func commit(
        _ operation: SendOperation, group: Int, _ place: Destination, bytes: Int,
        isSegmented: Bool
    ) {
        let count = slotGroups.count(group)
        let note = SendNote(
            group: group, place: place, bytes: bytes, packets: count,
            isSegmented: isSegmented)
        guard sender.commit(operation, tag: Source.send, note: note.bits) else {
            release(group: group)
            counters.count(.txRingFull, UInt64(truncatingIfNeeded: count))
            return
        }
    }

    @_noLocks
    func release(group: Int) {
        for index in 0..<slotGroups.count(group) { release(slotGroups.slot(group, index)) }
        slotGroups.giveBack(group)
    }

    /// A send has ended: its buffers have one user less, and it is counted where it went or why it
    /// did not.
    @_noLocks
    func finish(_ completion: Completion) {
        guard let bits = sender.finish(completion) else { return }
        let note = SendNote(bits: bits)
        var lanes: UInt64 = 1
        if note.isGrouped {
            lanes = UInt64(truncatingIfNeeded: slotGroups.count(note.group))
            release(group: note.group)
        } else {
            release(note.slot)
        }
        let place = note.place
        if completion.result >= 0 {
            counters.add(lanes, .transmitted)
            charge(note, place)
            return
        }
        if note.isSegmented, place.isPeer, isRefusal(completion.result) {
            refusesSegmentation[place.index] = true
        }
        counters.count(SendNote.reason(completion.result, isPort: place.isPort), lanes)
        if place.isPort { counters.add(lanes, port: place.index, .txDrops) }
    }

    @_noLocks
    private func charge(_ note: SendNote, _ place: Destination) {
        let packets = UInt64(truncatingIfNeeded: note.packets)
        let bytes = UInt64(truncatingIfNeeded: note.bytes)
        if place.isPeer {
            counters.add(packets, peer: place.index, .txPackets)
            counters.add(bytes, peer: place.index, .txBytes)
        } else {
            counters.add(packets, port: place.index, .txPackets)
            counters.add(bytes, port: place.index, .txBytes)
        }
    }

    /// EIO: the route has no checksum offload; EINVAL: the kernel does not cut for this socket.
    @_noLocks
    private func isRefusal(_ result: Int32) -> Bool { result == -5 || result == -22 }
}
