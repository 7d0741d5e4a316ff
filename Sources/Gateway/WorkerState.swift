internal import Dataplane
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring

/// What a worker consists of, in one block that its handle points to: passing it by value would
/// copy some hundred words at every call.
@safe
struct WorkerState {
    let number: Int
    /// The agent sleeps until something is written here.
    let agentDescriptor: Int32
    let ring: UringInstance
    let sender: BatchSender
    let slots: SlotPool
    let slotGroups: SlotGroups
    let queues: TunnelQueues
    /// The run of TCP segments to one port that is being gathered.
    var run = PortRun()
    let underlayBuffers: BufferRing
    let accessBuffers: BufferRing
    let underlayReceiver: MultishotReceiver
    var underlay: UnderlayFiles
    var tap: TunnelTap
    /// Of the next outer IPv4 header that the worker writes itself.
    var nextIdentification: UInt16
    let devices: UnsafeMutablePointer<DevicePort>
    let completions: UnsafeMutablePointer<Completion>
    /// What was taken from the ring in the middle of a turn and waits for the next.
    let deferred: UnsafeMutablePointer<Completion>
    var deferredCount = 0
    let framesToWorker: FrameRing<OrderHeader>
    let holdOrder: HoldOrder
    let batch: PacketBatch
    let counters: Counters
    let snapshot: Snapshot
    /// Peers whose route refuses segmented sends.
    let refusesSegmentation: Column<Bool>
    var pipeline: Pipeline
    var deviceBound = 0
    var hasLeavingDevices = false
    let wakeFile: UringFile
    let wakeDescriptor: Int32
    let hasMultishotRead: Bool
    var spin: SpinWindow
    var gather: GatherWindow
    var arrived: UInt64 = 0
    var lastWork: UInt64 = 0
    var lastHousekeeping: UInt64 = 0
    var lastRefusalReset: UInt64 = 0
    var toldAgent: UInt64 = 0

    /// On the worker's own thread, to which the ring belongs.
    init(making link: WorkerLink, _ plan: WorkerThread.Plan) throws(UringError) {
        number = link.number
        agentDescriptor = link.agentDescriptor.number
        ring = try UringInstance(
            entries: Worker.submissionEntries, completionEntries: Worker.completionEntries)
        ring.reserveFiles(plan.underlay.fileCount + Worker.maximumDevices + 8)
        slots = SlotPool()
        slotGroups = SlotGroups()
        queues = TunnelQueues()
        underlayBuffers = try Worker.buffers(slots, SlotPool.underlayGroup, ring)
        accessBuffers = try Worker.buffers(slots, SlotPool.accessGroup, ring)
        sender = BatchSender(
            ring: ring, count: Worker.sendOperations, largeCount: Worker.largeSendOperations)
        underlay = UnderlayFiles(plan.underlay, ring: ring)
        hasMultishotRead = UringFeatures(probing: ring).hasMultishotRead
        let file = ring.register(plan.underlay.receivingDescriptor(link.number))
        tap = TunnelTap(plan.underlay, file: file)
        // Far from where the other workers begin, to whom the same peers belong (RFC 6864).
        nextIdentification = UInt16(truncatingIfNeeded: link.number &* 0x9E37)
        underlayReceiver = MultishotReceiver(
            kind: tap.isInUse ? (hasMultishotRead ? .frames : .singleFrames) : .datagrams,
            file: file, buffers: underlayBuffers, userData: Worker.Source.underlay)
        if !plan.underlay.isRead(by: link.number) {
            _ = underlayReceiver.stop(on: ring, cancelUserData: Worker.Source.cancel)
        }
        unsafe devices = .allocate(capacity: Worker.maximumDevices)
        unsafe devices.initialize(repeating: DevicePort(), count: Worker.maximumDevices)
        unsafe completions = .allocate(capacity: Worker.completionCapacity)
        unsafe deferred = .allocate(capacity: Worker.deferredCapacity)
        framesToWorker = link.framesToWorker
        holdOrder = HoldOrder(orders: link.framesToWorker, progress: link.progress)
        batch = PacketBatch()
        counters = link.counters
        snapshot = plan.snapshot
        refusesSegmentation = Column(count: CounterLayout.maximumPeers + 1, repeating: false)
        wakeFile = ring.register(link.wakeDescriptor.number)
        wakeDescriptor = link.wakeDescriptor.number
        // The agent has published before any worker starts.
        let tables = unsafe plan.snapshot.observe(link.number)!.assumingMemoryBound(
            to: TableSet.self)
        spin = unsafe SpinWindow(limit: tables.pointee.settings.spinNanoseconds)
        gather = unsafe GatherWindow(limit: tables.pointee.settings.gatherNanoseconds, now: 0)
        pipeline = unsafe Pipeline(
            batch: batch, counters: link.counters,
            punts: PuntPort(
                events: link.workerToAgent, frames: link.framesToAgent, holdOrder: holdOrder),
            policers: plan.policers, tables: TableView(tables))
    }
}
