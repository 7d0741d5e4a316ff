internal import CLinux
internal import Dataplane
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// Frames that come from the agent: its own, and packets that have waited. Behind these go those
/// that the worker has parked itself.
extension Worker {
    /// A turn for what the agent has sent. It is rare, so that it need not be hot.
    func serveOrders() {
        guard let address = unsafe snapshot.observe(number) else { return }
        pipeline.tables = unsafe TableView(address.assumingMemoryBound(to: TableSet.self))
        setTime()
        while !framesToWorker.isEmpty {
            if !takeOrders() { break }
            drainSends()
        }
        while holdOrder.hasParked {
            if !takeParked() { break }
            drainSends()
        }
        replenish()
        ring.submit()
        tellAgent()
    }

    /// One batch of orders. False when no slot is free.
    private func takeOrders() -> Bool {
        var resumed: UInt64 = 0
        while batch.laneCount.value < PacketBatch.laneCapacity {
            guard let order = unsafe framesToWorker.next() else { break }
            guard unsafe append(order.header, order.bytes, order.count) else { break }
            if case .resume = unsafe order.header.kind { resumed &+= 1 }
            framesToWorker.advance()
        }
        return process(resumed: resumed)
    }

    /// The first of the parked packets may go on.
    var canResumeParked: Bool {
        guard holdOrder.hasParked else { return false }
        return unsafe holdOrder.next(now: vx_monotonic_nanoseconds()) != nil
    }

    /// One batch of parked packets. False when none may go on or no slot is free.
    private func takeParked() -> Bool {
        var resumed: UInt64 = 0
        while batch.laneCount.value < PacketBatch.laneCapacity {
            guard let packet = unsafe holdOrder.next(now: batch.now.value),
                unsafe append(packet.header, packet.bytes, packet.count)
            else { break }
            resumed &+= 1
            holdOrder.advance()
        }
        return process(resumed: resumed)
    }

    /// Runs the batch through the stages. False when it is empty.
    private func process(resumed: UInt64) -> Bool {
        let count = batch.laneCount.value
        guard count > 0 else { return false }
        counters.add(resumed, .released)
        let originated = UInt64(truncatingIfNeeded: count) &- resumed
        counters.add(originated, .received)
        counters.add(originated, .originated)
        pipeline.processOrders()
        finishBatch(count)
        return true
    }

    /// Copies a frame into a lane. False when no slot is free.
    private func append(
        _ header: OrderHeader, _ frame: UnsafeMutablePointer<UInt8>, _ length: Int
    ) -> Bool {
        guard let slot = slots.takeOrigin() else { return false }
        let (bytes, capacity) = unsafe slots.originFrame(slot)
        let count = min(length, capacity)
        unsafe bytes.update(from: frame, count: count)
        slots.retain(slot)
        append(header, unsafe FrameView(base: bytes, count: count), slot)
        return true
    }

    @_noLocks
    private func append(_ header: OrderHeader, _ view: FrameView, _ slot: UInt32) {
        let lane = batch.laneCount.value
        _ = batch.append(
            view, slot: slot, device: PacketBatch.underlay, segmentation: header.segmentation,
            outerSource: header.outerSource)
        batch.vsi[lane] = header.vsi
        batch.vlan[lane] = 0
        batch.etherType[lane] = view.holds(14, at: 0) ? view.loadUInt16(at: 12) : 0
        batch.destinationMAC[lane] = view.holds(12, at: 0) ? view.loadMACAddress(at: 0).bits : 0
        batch.sourceMAC[lane] = view.holds(12, at: 0) ? view.loadMACAddress(at: 6).bits : 0
        switch header.kind {
        case .resume:
            batch.ingress[lane] = header.destination
            batch.route(lane)
        case .route:
            batch.ingress[lane] = .own(0)
            batch.route(lane)
        case .send:
            batch.ingress[lane] = .own(0)
            batch.egress[lane] = header.destination
            batch.verdict[lane] = .forward
        case .flood:
            batch.ingress[lane] = header.destination
            batch.floodScope[lane] = header.scope
            batch.verdict[lane] = .replicate
        }
    }
}
