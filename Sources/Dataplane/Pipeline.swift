internal import CLinux
public import Memory
public import Tables

/// The path of a packet, stage by stage, over one batch: the table of contents of the dataplane.
///
/// Pure: no system call, no clock, no global state. Time comes in with the batch, packets go out as
/// its outputs, and what the tables lack leaves through the ring `workerToAgent`.
///
/// Thread-safety: one worker. Everything it points to is the worker's own, but for `tables` (see
/// `TableSet`) and `policers`, whose words are shared and changed by compare and exchange.
public struct Pipeline: Sendable {
    public let batch: PacketBatch
    public let counters: Counters
    public let workerToAgent: SPSCRing<PuntEvent>
    /// For each port, the time in nanoseconds before which its ARP budget is spent.
    public let policers: Column<UInt64>
    public var tables: TableView

    /// ARP packets that may come at once beyond the steady rate.
    static var arpBurst: UInt64 { @_noLocks get { 32 } }

    public init(
        batch: PacketBatch, counters: Counters, workerToAgent: SPSCRing<PuntEvent>,
        policers: Column<UInt64>, tables: TableView
    ) {
        self.batch = batch
        self.counters = counters
        self.workerToAgent = workerToAgent
        self.policers = policers
        self.tables = tables
    }

    /// Runs the lanes of the batch through every stage up to their fate.
    @_noLocks
    public func process() {
        run(.parse, ParseStage.process)
        run(.classify, ClassifyStage.process)
        run(.learn, LearnStage.process)
        run(.bridge, BridgeStage.process)
        run(.route, RouteStage.process)
    }

    /// Makes the next outputs. False when there are more after these.
    @_noLocks
    public func makeOutputs(_ cursor: inout ReplicateStage.Cursor) -> Bool {
        let start = vx_clocks()
        let isComplete = ReplicateStage.process(self, &cursor)
        let middle = vx_clocks()
        let replicated = batch.outputCount.value
        let bytes = outputBytes()
        let encapsulateStart = vx_clocks()
        EncapsulateStage.process(self)
        let end = vx_clocks()
        counters.record(.replicate, packets: replicated, bytes: bytes, clocks: middle &- start)
        counters.record(
            .encapsulate, packets: replicated, bytes: bytes, clocks: end &- encapsulateStart)
        return isComplete
    }

    /// Runs one stage over the active lanes and accounts for it.
    @_noLocks @inline(__always)
    private func run(_ stage: Stage, _ process: (Pipeline) -> Void) {
        let packets = batch.activeCount.value
        guard packets > 0 else { return }
        let bytes = batch.activeBytes()
        let start = vx_clocks()
        process(self)
        counters.record(
            stage, packets: packets, bytes: bytes, clocks: vx_clocks() &- start)
    }

    @_noLocks
    private func outputBytes() -> UInt64 {
        var bytes: UInt64 = 0
        for output in 0..<batch.outputCount.value {
            bytes &+= UInt64(batch.lengths[Int(batch.outputLane[output])])
        }
        return bytes
    }

    /// Tells the agent; when its ring is full the event is counted and the next packet tells again.
    @_noLocks
    func punt(_ event: PuntEvent) {
        if !workerToAgent.push(event) { counters.count(.learnRingFull) }
    }

    /// The budget for ARP to the gateway, one for each port (GCRA, the virtual-scheduling form of
    /// the leaky bucket, ITU-T I.371 annex A): exact whichever workers the packets of a port come
    /// to.
    @_noLocks
    func admitsARP(from place: Destination, now: UInt64) -> Bool {
        let interval = tables.settings.arpIntervalNanoseconds
        guard interval > 0, place.isPort, place.index < policers.count else { return true }
        let word = unsafe policers.pointer(at: place.index)
        while true {
            let due = unsafe vx_load_relaxed_u64(word)
            if due > now &+ interval &* Self.arpBurst { return false }
            let next = max(due, now) &+ interval
            if unsafe vx_compare_exchange_u64(word, due, next) { return true }
        }
    }
}
