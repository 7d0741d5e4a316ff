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
    let devices: UnsafeMutablePointer<DevicePort>
    let completions: UnsafeMutablePointer<Completion>
    /// What was taken from the ring in the middle of a turn and waits for the next.
    let deferred: UnsafeMutablePointer<Completion>
    var deferredCount = 0
    let framesToWorker: FrameRing<OrderHeader>
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
    var lastWork: UInt64 = 0
    var lastHousekeeping: UInt64 = 0
    var lastRefusalReset: UInt64 = 0
    var toldAgent: UInt64 = 0

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

    /// Runs until the link says stop. Called once, on the worker's thread.
    mutating func run(_ link: WorkerLink) {
        _ = ring.armPoll(wakeFile, userData: Source.wake)
        underlayReceiver.armIfNeeded(on: ring)
        ring.submit()
        lastWork = vx_monotonic_nanoseconds()
        while !link.shouldStop.load(ordering: .acquiring) {
            takeCommands(link)
            let hasWorked = turn()
            if !framesToWorker.isEmpty {
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
    mutating func turn() -> Bool {
        let waiting = deferredCount
        for index in 0..<waiting { unsafe completions[index] = deferred[index] }
        deferredCount = 0
        let count =
            unsafe waiting
            &+ ring.reap(into: completions + waiting, limit: Self.completionCapacity &- waiting)
        guard count > 0 else { return false }
        guard let address = unsafe snapshot.observe(number) else { return false }
        pipeline.tables = unsafe TableView(address.assumingMemoryBound(to: TableSet.self))
        setTime()
        // Sends first: what they used goes back to the kernel before new packets need it.
        var hasPackets = false
        for index in 0..<count {
            let completion = unsafe completions[index]
            if Source.kind(completion.userData) == Source.send {
                finish(completion)
            } else {
                hasPackets = true
            }
        }
        if hasPackets {
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
    mutating func setTime() {
        let start = vx_monotonic_nanoseconds()
        batch.now.value = start
        batch.coarseTime.value = UInt32(truncatingIfNeeded: start / 250_000_000)
        lastWork = start
    }

    /// The agent sleeps until it is told that something waits for it.
    @_noLocks
    mutating func tellAgent() {
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
