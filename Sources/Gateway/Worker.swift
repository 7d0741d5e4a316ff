internal import CLinux
internal import Dataplane
internal import Memory
internal import Synchronization
internal import Tables
internal import Uring
internal import Wire

/// One shard of the dataplane: a ring, buffers, a queue of every port, and the loop that takes
/// packets from receive to transmit on one core.
///
/// A turn: commands, completions, the stages, sends, one `io_uring_enter`.
///
/// Only trivial handles, so that the hot path counts no references; `close` ends what they stand
/// for.
///
/// Thread-safety: made, run and ended on its own thread; the rest of the program meets it through
/// `WorkerLink` and the published tables.
@safe
struct Worker {
    /// Devices of one gateway.
    static var maximumDevices: Int { @_noLocks get { 4096 } }
    /// Lanes of a turn come from at most so many completions.
    static var completionCapacity: Int { @_noLocks get { 8192 } }
    static var deferredCapacity: Int { @_noLocks get { 4096 } }
    static let submissionEntries: UInt32 = 2048
    static let completionEntries: UInt32 = 16_384
    static let sendOperations = 4096
    static let largeSendOperations = 64

    // One thread's memory.
    private let state: UnsafeMutablePointer<WorkerState>

    var number: Int { @_noLocks get { unsafe state.pointee.number } }
    var agentDescriptor: Int32 { @_noLocks get { unsafe state.pointee.agentDescriptor } }
    var ring: UringInstance { @_noLocks get { unsafe state.pointee.ring } }
    var sender: BatchSender { @_noLocks get { unsafe state.pointee.sender } }
    var slots: SlotPool { @_noLocks get { unsafe state.pointee.slots } }
    var slotGroups: SlotGroups { @_noLocks get { unsafe state.pointee.slotGroups } }
    var queues: TunnelQueues { @_noLocks get { unsafe state.pointee.queues } }
    var run: PortRun {
        @_noLocks get { unsafe state.pointee.run }
        @_noLocks nonmutating set { unsafe state.pointee.run = newValue }
    }
    var underlayBuffers: BufferRing { @_noLocks get { unsafe state.pointee.underlayBuffers } }
    /// Takes an output into the run, in place: a copy of it for each would cost more than all else.
    @_noLocks
    func extendRun(_ output: Int, _ frame: FrameView, _ port: Int) -> Bool {
        unsafe state.pointee.run.take(output, frame, port)
    }
    var accessBuffers: BufferRing { @_noLocks get { unsafe state.pointee.accessBuffers } }
    var underlayReceiver: MultishotReceiver {
        @_noLocks get { unsafe state.pointee.underlayReceiver }
    }
    var underlay: UnderlayFiles {
        @_noLocks get { unsafe state.pointee.underlay }
        @_noLocks nonmutating set { unsafe state.pointee.underlay = newValue }
    }
    var tap: TunnelTap {
        @_noLocks get { unsafe state.pointee.tap }
        @_noLocks nonmutating set { unsafe state.pointee.tap = newValue }
    }
    var nextIdentification: UInt16 {
        @_noLocks get { unsafe state.pointee.nextIdentification }
        @_noLocks nonmutating set { unsafe state.pointee.nextIdentification = newValue }
    }
    var devices: UnsafeMutablePointer<DevicePort> { @_noLocks get { unsafe state.pointee.devices } }
    var completions: UnsafeMutablePointer<Completion> {
        @_noLocks get { unsafe state.pointee.completions }
    }
    var deferred: UnsafeMutablePointer<Completion> {
        @_noLocks get { unsafe state.pointee.deferred }
    }
    var deferredCount: Int {
        @_noLocks get { unsafe state.pointee.deferredCount }
        @_noLocks nonmutating set { unsafe state.pointee.deferredCount = newValue }
    }
    var framesToWorker: FrameRing<OrderHeader> {
        @_noLocks get { unsafe state.pointee.framesToWorker }
    }
    var holdOrder: HoldOrder { @_noLocks get { unsafe state.pointee.holdOrder } }
    var batch: PacketBatch { @_noLocks get { unsafe state.pointee.batch } }
    var counters: Counters { @_noLocks get { unsafe state.pointee.counters } }
    var snapshot: Snapshot { @_noLocks get { unsafe state.pointee.snapshot } }
    var refusesSegmentation: Column<Bool> {
        @_noLocks get { unsafe state.pointee.refusesSegmentation }
    }
    var pipeline: Pipeline {
        @_noLocks get { unsafe state.pointee.pipeline }
        @_noLocks nonmutating set { unsafe state.pointee.pipeline = newValue }
    }
    var deviceBound: Int {
        @_noLocks get { unsafe state.pointee.deviceBound }
        @_noLocks nonmutating set { unsafe state.pointee.deviceBound = newValue }
    }
    var hasLeavingDevices: Bool {
        @_noLocks get { unsafe state.pointee.hasLeavingDevices }
        @_noLocks nonmutating set { unsafe state.pointee.hasLeavingDevices = newValue }
    }
    var wakeFile: UringFile { @_noLocks get { unsafe state.pointee.wakeFile } }
    var wakeDescriptor: Int32 { @_noLocks get { unsafe state.pointee.wakeDescriptor } }
    var hasMultishotRead: Bool { @_noLocks get { unsafe state.pointee.hasMultishotRead } }
    var spin: SpinWindow {
        @_noLocks get { unsafe state.pointee.spin }
        @_noLocks nonmutating set { unsafe state.pointee.spin = newValue }
    }
    var gather: GatherWindow {
        @_noLocks get { unsafe state.pointee.gather }
        @_noLocks nonmutating set { unsafe state.pointee.gather = newValue }
    }
    /// Completions of receives since `gather` last looked.
    var arrived: UInt64 {
        @_noLocks get { unsafe state.pointee.arrived }
        @_noLocks nonmutating set { unsafe state.pointee.arrived = newValue }
    }
    var lastWork: UInt64 {
        @_noLocks get { unsafe state.pointee.lastWork }
        @_noLocks nonmutating set { unsafe state.pointee.lastWork = newValue }
    }
    var lastHousekeeping: UInt64 {
        @_noLocks get { unsafe state.pointee.lastHousekeeping }
        @_noLocks nonmutating set { unsafe state.pointee.lastHousekeeping = newValue }
    }
    var lastRefusalReset: UInt64 {
        @_noLocks get { unsafe state.pointee.lastRefusalReset }
        @_noLocks nonmutating set { unsafe state.pointee.lastRefusalReset = newValue }
    }
    var toldAgent: UInt64 {
        @_noLocks get { unsafe state.pointee.toldAgent }
        @_noLocks nonmutating set { unsafe state.pointee.toldAgent = newValue }
    }

    /// The kinds of completions, in the top byte of their user data; the index of a device below.
    enum Source {
        static var underlay: UInt64 { @_noLocks get { 1 &<< 56 } }
        static var device: UInt64 { @_noLocks get { 2 &<< 56 } }
        static var send: UInt64 { @_noLocks get { 3 &<< 56 } }
        static var wake: UInt64 { @_noLocks get { 4 &<< 56 } }
        static var cancel: UInt64 { @_noLocks get { 5 &<< 56 } }
        @_noLocks
        static func kind(_ userData: UInt64) -> UInt64 { userData & 0xFF00_0000_0000_0000 }
    }

    /// Makes the worker on its own thread, to which the ring belongs.
    init(making link: WorkerLink, _ plan: WorkerThread.Plan) throws(UringError) {
        let made = try WorkerState(making: link, plan)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: made)
    }

    /// Frees the handle's memory, after everything in it has been given back.
    func deallocateState() { unsafe state.deallocate() }

    /// Runs until the link says stop. Called once, on the worker's thread.
    func run(_ link: WorkerLink) {
        _ = ring.armPoll(wakeFile, userData: Source.wake)
        underlayReceiver.armIfNeeded(on: ring)
        ring.submit()
        lastWork = vx_monotonic_nanoseconds()
        while !link.shouldStop.load(ordering: .acquiring) {
            takeCommands(link)
            let hasWorked = turn()
            if !framesToWorker.isEmpty || canResumeParked {
                serveOrders()
            } else if !hasWorked {
                idle(link)
            }
            keepHouse(lastWork)
            if hasLeavingDevices { releaseLeavingDevices(link) }
        }
    }

    /// One turn. False when there was nothing to do.
    @_noLocks
    func turn() -> Bool {
        let waiting = deferredCount
        for index in 0..<waiting { unsafe completions[index] = deferred[index] }
        deferredCount = 0
        let count =
            unsafe waiting
            &+ ring.reap(into: completions + waiting, limit: Worker.completionCapacity &- waiting)
        guard count > 0 else { return false }
        guard let address = unsafe snapshot.observe(number) else { return false }
        pipeline.tables = unsafe TableView(address.assumingMemoryBound(to: TableSet.self))
        setTime()
        spin.setLimit(pipeline.tables.settings.spinNanoseconds)
        gather.setLimit(pipeline.tables.settings.gatherNanoseconds, now: lastWork)
        // Sends first: what they used goes back to the kernel before new packets need it.
        var others: UInt64 = 0
        for index in 0..<count {
            let completion = unsafe completions[index]
            if Source.kind(completion.userData) == Source.send {
                finish(completion)
            } else {
                others &+= 1
            }
        }
        if others > 0 {
            arrived &+= others
            for index in 0..<count {
                let completion = unsafe completions[index]
                receive(completion)
            }
            runBatch()
        }
        replenish()
        counters.add(1, .turns)
        counters.add(UInt64(truncatingIfNeeded: count), .completions)
        counters.add(UInt64(truncatingIfNeeded: ring.pendingSubmissions), .submissions)
        ring.submit()
        tellAgent()
        return true
    }

    /// The time of this turn.
    @_noLocks
    func setTime() {
        let start = vx_monotonic_nanoseconds()
        batch.now.value = start
        batch.coarseTime.value = UInt32(truncatingIfNeeded: start / 250_000_000)
        lastWork = start
    }

    /// The agent sleeps until it is told that something waits for it.
    @_noLocks
    func tellAgent() {
        let told = pipeline.punts.pushedCount
        guard told != toldAgent else { return }
        toldAgent = told
        _ = vx_eventfd_signal(agentDescriptor)
    }

    /// Buffers go back, and receives that ended are armed again.
    @_noLocks
    func replenish() {
        underlayBuffers.publish()
        accessBuffers.publish()
        underlayReceiver.armIfNeeded(on: ring)
        for index in 0..<deviceBound {
            guard unsafe devices[index].isAttached, unsafe !devices[index].isLeaving,
                let receiver = unsafe devices[index].receiver
            else { continue }
            receiver.armIfNeeded(on: ring)
        }
    }
}
