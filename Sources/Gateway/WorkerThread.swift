internal import CLinux
internal import Dataplane
internal import Dispatch
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring

/// The thread of one worker: a serial Dispatch queue of its own, pinned to a CPU.
///
/// A queue without a target has a thread to itself, whatever the global pool does. The block on it
/// calls nothing that could make another thread, which would inherit the CPU.
final class WorkerThread: Sendable {
    let link: WorkerLink
    let cpu: Int
    private let queue: DispatchQueue
    private let finished = DispatchGroup()

    /// What a worker needs to make itself on its thread.
    struct Plan: Sendable {
        let underlay: UnderlayPlan
        let snapshot: Snapshot
        let policers: Column<UInt64>
    }

    init(link: WorkerLink, cpu: Int) {
        self.link = link
        self.cpu = cpu
        queue = DispatchQueue(label: "vxgate-worker-\(link.number)", qos: .userInteractive)
    }

    /// Starts the worker and waits until it has made its ring.
    /// - Throws: what the kernel refused.
    func start(_ plan: Plan) throws(GatewayError) {
        let outcome = StartOutcome()
        finished.enter()
        queue.async { [self] in
            _ = vx_pin_thread(Int32(cpu))
            serve(plan, outcome)
            _ = vx_unpin_thread()
            finished.leave()
        }
        if let error = outcome.wait() { throw error }
    }

    func stop() {
        link.shouldStop.store(true, ordering: .releasing)
        link.wake()
        finished.wait()
    }

    private func serve(_ plan: Plan, _ outcome: StartOutcome) {
        do {
            var worker = try Worker(link: link, plan: plan)
            outcome.report(nil)
            worker.run(link)
            worker.close()
        } catch {
            outcome.report(error)
        }
    }
}

/// One message from a thread that starts to the one that waits for it.
private final class StartOutcome: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let error = Mutex<GatewayError?>(nil)

    func report(_ value: GatewayError?) {
        error.withLock { $0 = value }
        semaphore.signal()
    }

    func wait() -> GatewayError? {
        semaphore.wait()
        return error.withLock { $0 }
    }
}

extension Worker {
    /// Makes ring, buffers and arenas. On the worker's own thread, to which the ring belongs.
    init(link: WorkerLink, plan: WorkerThread.Plan) throws(GatewayError) {
        do throws(UringError) {
            try self.init(making: link, plan)
        } catch {
            throw GatewayError("worker \(link.number): \(error)")
        }
    }

    private init(making link: WorkerLink, _ plan: WorkerThread.Plan) throws(UringError) {
        number = link.number
        agentDescriptor = link.agentDescriptor.number
        ring = try UringInstance(
            entries: Self.submissionEntries, completionEntries: Self.completionEntries)
        let sets = plan.underlay.plain + plan.underlay.segmented
        ring.reserveFiles(sets.reduce(0) { $0 + $1.count } + Self.maximumDevices + 8)
        slots = SlotPool()
        slotGroups = SlotGroups()
        queues = TunnelQueues()
        underlayBuffers = try Self.buffers(slots, SlotPool.underlayGroup, ring)
        accessBuffers = try Self.buffers(slots, SlotPool.accessGroup, ring)
        sender = BatchSender(
            ring: ring, count: Self.sendOperations, largeCount: Self.largeSendOperations)
        underlay = UnderlayFiles(plan.underlay, ring: ring)
        underlayReceiver = MultishotReceiver(
            kind: .datagrams,
            file: ring.register(plan.underlay.receiving[link.number].descriptor),
            buffers: underlayBuffers, userData: Source.underlay)
        unsafe devices = .allocate(capacity: Self.maximumDevices)
        unsafe devices.initialize(repeating: DevicePort(), count: Self.maximumDevices)
        unsafe completions = .allocate(capacity: Self.completionCapacity)
        unsafe deferred = .allocate(capacity: Self.deferredCapacity)
        framesToWorker = link.framesToWorker
        batch = PacketBatch()
        counters = link.counters
        snapshot = plan.snapshot
        refusesSegmentation = Column(count: CounterLayout.maximumPeers + 1, repeating: false)
        wakeFile = ring.register(link.wakeDescriptor.number)
        wakeDescriptor = link.wakeDescriptor.number
        hasMultishotRead = UringFeatures(probing: ring).hasMultishotRead
        // The agent has published before any worker starts.
        let tables = unsafe plan.snapshot.observe(link.number)!.assumingMemoryBound(
            to: TableSet.self)
        pipeline = unsafe Pipeline(
            batch: batch, counters: link.counters,
            punts: PuntPort(events: link.workerToAgent, frames: link.framesToAgent),
            policers: plan.policers, tables: TableView(tables))
    }

    private static func buffers(
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
        pipeline.punts.deallocate()
        slots.deallocate()
        slotGroups.deallocate()
        queues.deallocate()
    }
}
