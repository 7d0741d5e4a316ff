internal import CLinux
internal import Memory
internal import Uring

/// One sending thread: its share of the flows, its ring, its schedule.
///
/// A turn: what is due is written and queued, handed over with one system call, and the answers
/// are counted. Sends never block: what a full queue refuses is due again.
///
/// Thread-safety: made, run and closed on its own thread.
@safe
struct SendWorker {
    /// Frames of one turn into a device.
    static var deviceBatch: Int { @_noLocks get { 64 } }
    /// Frames of one turn into a tunnel, in segmented sends.
    static var tunnelBatch: Int { @_noLocks get { 256 } }
    /// Datagrams the kernel cuts one send into, and the payload bytes of one send (UDP_SEGMENT).
    static var maximumSegments: Int { @_noLocks get { 64 } }
    static var maximumSegmentedBytes: Int { @_noLocks get { 65_507 } }
    /// Without one frame gone for so long, the run has failed.
    static var patience: UInt64 { @_noLocks get { 2_000_000_000 } }
    /// The thread sleeps when the next frame is due later than this, and asks to be woken so much
    /// earlier: about what waking takes. More would be more even, but on a machine with few cores
    /// it would spin in the place of what it measures.
    static var spinTime: UInt64 { @_noLocks get { 5_000 } }
    /// Pause after the device took no more.
    static var stallPause: Int64 { @_noLocks get { 20_000 } }

    let ring: UringInstance
    let sender: BatchSender
    var route: SendRoute
    var writer: FrameWriter
    /// The worker's flows, stream by stream.
    let flows: Column<Flow>
    let cursors: Column<StreamCursor>
    /// For each stream and file, which of the stream's flows sends next: `fileStride` to a stream.
    let nextFlows: Column<Int>
    let fileStride: Int
    let turns: Column<StreamSchedule.Turn>
    let tally: Tally
    let completions: UnsafeMutablePointer<Completion>
    var pacer: Pacer
    /// False during the warm-up, of which nothing is counted.
    var isCounting = true
    /// The turn of the schedule, and how many of its frames have left.
    var scheduled = 0
    var takenOfTurn = 0
    var stalledSince: UInt64 = 0
    var lastSuccess: UInt64 = 0
    /// The kernel's last refusal other than a full queue, positive.
    var lastError: Int32 = 0
    var hasRefusals = false
    /// No frame has left for so long that none will.
    var hasGivenUp = false

    static var sendTag: UInt64 { @_noLocks get { 1 &<< 56 } }

    /// Ends the ring and frees everything.
    func close() {
        ring.close()
        sender.close()
        route.files.deallocate()
        writer.deallocate()
        flows.deallocate()
        cursors.deallocate()
        nextFlows.deallocate()
        turns.deallocate()
        unsafe completions.deallocate()
    }

    /// One turn. False when the run is over.
    @_noLocks
    mutating func turn() -> Bool {
        let now = vx_monotonic_nanoseconds()
        let due = pacer.due(at: now, most: route.isTunnel ? Self.tunnelBatch : Self.deviceBatch)
        if due > 0 {
            offer(due)
            ring.submit()
            reap(now)
            if hasRefusals { return pauseAfterRefusal() }
            return true
        }
        if sender.inFlight > 0 {
            ring.submit(waitFor: 1, timeoutNanoseconds: 1_000_000)
            reap(now)
            return true
        }
        guard !pacer.isOver(at: now) else { return false }
        wait(pacer.wait(at: now))
        return true
    }

    /// Sleeps through a long gap, and spins through a short one: a sleep ends too late by more
    /// than a frame's time.
    @_noLocks
    private func wait(_ nanoseconds: UInt64) {
        guard nanoseconds > Self.spinTime else { return vx_pause() }
        // Bounded, so that a request to stop is noticed.
        let sleep = min(nanoseconds &- Self.spinTime, 10_000_000)
        ring.submit(waitFor: 1, timeoutNanoseconds: Int64(sleep))
    }

    /// The device takes no more: waits a little. False when it has not taken any for too long.
    @_noLocks
    private mutating func pauseAfterRefusal() -> Bool {
        hasRefusals = false
        ring.submit(waitFor: 1, timeoutNanoseconds: Self.stallPause)
        let now = vx_monotonic_nanoseconds()
        hasGivenUp = now &- max(lastSuccess, pacer.start) >= Self.patience
        return !hasGivenUp
    }
}
