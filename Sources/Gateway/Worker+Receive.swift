internal import CLinux
internal import Dataplane
internal import Memory
internal import Uring
internal import Wire

/// From completions to lanes.
extension Worker {
    @_noLocks
    func receive(_ completion: Completion) {
        let kind = Source.kind(completion.userData)
        if kind == Source.device {
            receiveFrame(completion, Int(completion.userData & 0xFFFF))
        } else if kind == Source.underlay {
            if tap.isInUse { receiveTunnelFrame(completion) } else { receiveDatagram(completion) }
        } else if kind == Source.wake {
            _ = vx_eventfd_drain(wakeDescriptor)
            if !completion.hasMore { _ = ring.armPoll(wakeFile, userData: Source.wake) }
        }
    }

    @_noLocks
    private func receiveDatagram(_ completion: Completion) {
        underlayReceiver.accept(completion)
        if !completion.hasMore { counters.count(.multishotRearmed) }
        guard completion.hasBuffer else { return }
        let buffer = completion.bufferID
        guard let datagram = ReceivedDatagram.parse(completion, in: underlayBuffers) else {
            underlayBuffers.recycle(buffer)
            return
        }
        let slot = SlotPool.slot(group: SlotPool.underlayGroup, buffer: buffer)
        slots.retain(slot)
        if datagram.isTruncated {
            dropAtReceive(.rxTruncated)
        } else {
            // The kernel merges datagrams of one flow; each becomes a lane of its own.
            let total = datagram.payloadLength
            let size = datagram.segmentSize > 0 ? datagram.segmentSize : max(total, 1)
            var offset = 0
            repeat {
                let length = min(size, total &- offset)
                let view = unsafe FrameView(base: datagram.payload + offset, count: length)
                append(
                    view, slot: slot, device: PacketBatch.underlay, segmentation: .none, tag: 0,
                    source: datagram.sourceAddress, tos: datagram.tos)
                offset &+= size
            } while offset < total
        }
        release(slot)
    }

    @_noLocks
    private func receiveFrame(_ completion: Completion, _ index: Int) {
        guard index < deviceBound, let receiver = unsafe devices[index].receiver else { return }
        receiver.accept(completion)
        if !completion.hasMore {
            counters.count(.multishotRearmed)
            if unsafe devices[index].isLeaving {
                endDevice(completion, index)
                return
            }
        }
        guard completion.hasBuffer else { return }
        let buffer = completion.bufferID
        let slot = SlotPool.slot(group: SlotPool.accessGroup, buffer: buffer)
        slots.retain(slot)
        if unsafe devices[index].isTap {
            if let frame = ReceivedFrame.parse(completion, in: accessBuffers) {
                takeFrame(frame, slot, index)
            }
        } else if let packet = ReceivedPacket.parse(completion, in: accessBuffers) {
            takePacket(packet, slot, index)
        }
        release(slot)
    }

    @_noLocks
    private func takeFrame(_ frame: ReceivedFrame, _ slot: UInt32, _ index: Int) {
        guard !frame.isTruncated else { return dropAtReceive(.rxTruncated) }
        let view = unsafe FrameView(base: frame.frame, count: frame.frameLength)
        append(
            view, slot: slot, device: UInt16(truncatingIfNeeded: index),
            segmentation: OffloadMapping.segmentation(frame.offload, frame: view), tag: 0,
            source: 0, tos: 0)
    }

    @_noLocks
    private func takePacket(_ packet: ReceivedPacket, _ slot: UInt32, _ index: Int) {
        guard !packet.isOutgoing else { return }
        guard !packet.isTruncated else { return dropAtReceive(.rxTruncated) }
        let view = unsafe FrameView(base: packet.frame, count: packet.frameLength)
        var tag: UInt32 = 0
        if let control = packet.vlanTCI {
            tag = PacketBatch.tagPresent | UInt32(control)
            if packet.vlanProtocol == EtherType.serviceTag { tag |= PacketBatch.tagIsService }
        }
        append(
            view, slot: slot, device: UInt16(truncatingIfNeeded: index),
            segmentation: OffloadMapping.segmentation(packet.offload, frame: view), tag: tag,
            source: 0, tos: 0)
    }

    /// Adds a lane; a full batch is run first.
    @_noLocks
    func append(
        _ view: FrameView, slot: UInt32, device: UInt16, segmentation: Segmentation, tag: UInt32,
        source: UInt32, tos: UInt8
    ) {
        if batch.laneCount.value == PacketBatch.laneCapacity { runBatch() }
        slots.retain(slot)
        guard
            batch.append(
                view, slot: slot, device: device, segmentation: segmentation, vlan: tag,
                outerSource: source, outerTOS: tos)
        else {
            // Cannot happen after runBatch; the packet must not vanish without an account.
            dropAtReceive(.rxNoBuffer)
            release(slot)
            return
        }
    }

    @_noLocks
    func dropAtReceive(_ reason: DropReason) {
        counters.add(1, .received)
        counters.count(reason)
    }

    /// The last completion of a leaving device. Its buffer, if any, goes straight back.
    @_noLocks
    private func endDevice(_ completion: Completion, _ index: Int) {
        if completion.hasBuffer { accessBuffers.recycle(completion.bufferID) }
        hasLeavingDevices = true
    }

    /// One user less of a slot; a free buffer goes back to the kernel.
    @_noLocks
    func release(_ slot: UInt32) {
        guard slots.release(slot) else { return }
        guard SlotPool.group(of: slot) != SlotPool.originGroup else {
            return slots.giveBackOrigin(slot)
        }
        if SlotPool.group(of: slot) == SlotPool.underlayGroup {
            underlayBuffers.recycle(SlotPool.buffer(of: slot))
        } else {
            accessBuffers.recycle(SlotPool.buffer(of: slot))
        }
    }
}
