internal import Dataplane
internal import Memory
internal import Uring

/// How a worker begins and ends.
extension Worker {
    /// Makes ring, buffers and arenas. On the worker's own thread, to which the ring belongs.
    init(link: WorkerLink, plan: WorkerThread.Plan) throws(GatewayError) {
        do throws(UringError) {
            try self.init(making: link, plan)
        } catch {
            throw GatewayError("worker \(link.number): \(error)")
        }
    }

    static func buffers(
        _ slots: SlotPool, _ group: UInt16, _ ring: UringInstance
    ) throws(UringError) -> BufferRing {
        let offset = Int(group) * SlotPool.buffersPerGroup * SlotPool.stride
        return try unsafe BufferRing(
            ring: ring, groupID: group, count: SlotPool.buffersPerGroup,
            base: slots.base + offset, slotStride: SlotPool.stride,
            headroom: SlotPool.headroom, bufferLength: SlotPool.bufferLength)
    }

    /// Gives everything back. The ring goes first: closing it ends what the kernel still does.
    func close() {
        snapshot.rest(number)
        underlayBuffers.close()
        accessBuffers.close()
        ring.close()
        sender.close()
        underlay.deallocate()
        underlayReceiver.close()
        for index in 0..<deviceBound { unsafe devices[index].receiver?.close() }
        unsafe devices.deallocate()
        unsafe completions.deallocate()
        unsafe deferred.deallocate()
        refusesSegmentation.deallocate()
        batch.deallocate()
        holdOrder.deallocate()
        pipeline.punts.deallocate()
        slots.deallocate()
        slotGroups.deallocate()
        queues.deallocate()
        deallocateState()
    }
}
