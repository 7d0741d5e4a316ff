internal import Dataplane
internal import Tables
internal import Uring
internal import Wire

/// From completions of the underlay's tap to lanes: the outer headers are ours to check, and to
/// take off.
extension Worker {
    @_noLocks
    func receiveTunnelFrame(_ completion: Completion) {
        underlayReceiver.accept(completion)
        if !completion.hasMore { counters.count(.multishotRearmed) }
        guard completion.hasBuffer else { return }
        let buffer = completion.bufferID
        let parsed = ReceivedFrame.parse(
            completion, in: underlayBuffers, headerByteCount: tap.headerByteCount)
        guard let frame = parsed else {
            underlayBuffers.recycle(buffer)
            return
        }
        let slot = SlotPool.slot(group: SlotPool.underlayGroup, buffer: buffer)
        slots.retain(slot)
        if frame.isTruncated {
            dropAtReceive(.rxTruncated)
        } else {
            take(frame, slot)
        }
        release(slot)
    }

    @_noLocks
    private func take(_ frame: ReceivedFrame, _ slot: UInt32) {
        let view = unsafe FrameView(base: frame.frame, count: frame.frameLength)
        let vouching = OffloadHeader.needsChecksum | OffloadHeader.checksumIsValid
        let packet = OuterPacket.parse(
            view, isVouched: frame.offload.flags & vouching != 0, vtep: tap.outer.source,
            port: tap.outer.destinationPort)
        switch packet {
        case .refused(let reason): dropAtReceive(reason)
        case .tooLong(let report):
            counters.add(1, .received)
            counters.add(1, .consumed)
            pipeline.punt(
                PuntEvent(
                    kind: .pathTooLong, vsi: 0, place: .none, mac: 0, address: report.peer,
                    mtu: report.mtu))
        case .vxlan(let datagram): take(datagram, of: view, frame, slot)
        }
    }

    /// One datagram, which may hold a super-packet, or several that the kernel has merged.
    @_noLocks
    private func take(
        _ datagram: OuterPacket.Datagram, of view: FrameView, _ frame: ReceivedFrame, _ slot: UInt32
    ) {
        guard let offload = TunnelOffload.received(frame.offload, frame.tunnelOffsets) else {
            return dropAtReceive(.outerBadLength)
        }
        let total = datagram.payloadByteCount
        let payload = view.dropFirst(datagram.payloadOffset).prefix(total)
        let size = offload.datagramByteCount > 0 ? offload.datagramByteCount : max(total, 1)
        var offset = 0
        repeat {
            let piece = payload.dropFirst(offset).prefix(min(size, total &- offset))
            let segmentation = OffloadMapping.segmentation(
                offload.inner, frame: piece.dropFirst(min(VXLANHeader.byteCount, piece.count)))
            append(
                piece, slot: slot, device: PacketBatch.underlay, segmentation: segmentation,
                tag: 0, source: datagram.source, tos: datagram.typeOfService)
            offset &+= size
        } while offset < total
    }
}
