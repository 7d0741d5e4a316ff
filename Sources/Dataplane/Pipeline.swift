internal import CLinux
public import Memory
public import Tables
internal import Wire

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
    public let punts: PuntPort
    /// For each port, the time in nanoseconds before which its ARP budget is spent; then that of
    /// the tunnels, that of ICMP errors, and that of answers to pings.
    public let policers: Column<UInt64>
    public var tables: TableView

    /// ARP packets that may come at once beyond the steady rate.
    static var arpBurst: UInt64 { @_noLocks get { 32 } }
    /// Words of `policers`: the ports, the tunnels together, ICMP errors, answers to pings.
    public static var policerCount: Int { CounterLayout.maximumPorts + 3 }
    /// The word for ICMP errors, which the agent draws on as well.
    public static var icmpPolicer: Int { @_noLocks get { CounterLayout.maximumPorts &+ 1 } }
    /// Answers to pings that the agent is asked about: 1000 a second, 100 at once. An operator's
    /// pings are few; a flood of replies nobody asked for must not keep the agent from learning.
    static var echoIntervalNanoseconds: UInt64 { @_noLocks get { 1_000_000 } }
    static var echoBurst: UInt64 { @_noLocks get { 100 } }

    public init(
        batch: PacketBatch, counters: Counters, punts: PuntPort,
        policers: Column<UInt64>, tables: TableView
    ) {
        self.batch = batch
        self.counters = counters
        self.punts = punts
        self.policers = policers
        self.tables = tables
    }

    /// Runs the lanes of the batch through every stage up to their fate.
    @_noLocks
    public func process() {
        var clock = StageClock(self)
        clock.run(.parse, ParseStage.process)
        clock.run(.classify, ClassifyStage.process)
        clock.run(.learn, LearnStage.process)
        clock.run(.bridge, BridgeStage.process)
        clock.run(.route, RouteStage.process)
    }

    /// Makes the next outputs. False when there are more after these.
    @_noLocks
    public func makeOutputs(_ cursor: inout ReplicateStage.Cursor) -> Bool {
        let start = vx_clocks()
        let isComplete = ReplicateStage.process(self, &cursor)
        let replicated = batch.outputCount.value
        let bytes = batch.outputBytes.value
        let middle = vx_clocks()
        EncapsulateStage.process(self)
        let end = vx_clocks()
        counters.record(.replicate, packets: replicated, bytes: bytes, clocks: middle &- start)
        counters.record(.encapsulate, packets: replicated, bytes: bytes, clocks: end &- middle)
        return isComplete
    }

    /// Runs stages one after the other over the active lanes and accounts for each. One look at the
    /// clock ends a stage and begins the next, so that accounting is part of what it accounts for.
    private struct StageClock {
        private let pipeline: Pipeline
        private var start: UInt64
        private var packets: Int
        private var bytes: UInt64

        @_noLocks @inline(__always)
        init(_ pipeline: Pipeline) {
            self.pipeline = pipeline
            packets = pipeline.batch.activeCount.value
            bytes = pipeline.batch.activeBytes()
            start = vx_clocks()
        }

        @_noLocks @inline(__always)
        mutating func run(_ stage: Stage, _ process: (Pipeline) -> Void) {
            guard packets > 0 else { return }
            process(pipeline)
            let end = vx_clocks()
            pipeline.counters.record(
                stage, packets: packets, bytes: bytes, clocks: end &- start)
            start = end
            // Frames have their length from the parse stage; later it is a matter of how many.
            let left = pipeline.batch.activeCount.value
            if left != packets || stage == .parse {
                packets = left
                bytes = pipeline.batch.activeBytes()
            }
        }
    }

    /// Runs lanes that the agent sent: those that are to be routed.
    @_noLocks
    public func processOrders() {
        punts.holdOrder?.setResuming(true)
        var clock = StageClock(self)
        clock.run(.route, RouteStage.process)
        punts.holdOrder?.setResuming(false)
    }

    /// Tells the agent; when its ring is full the event is counted and the next packet tells again.
    @_noLocks
    public func punt(_ event: PuntEvent) {
        if !punts.push(event) { counters.count(.learnRingFull) }
    }

    /// Hands a copy of a lane's frame to the agent. False when there is no room.
    @_noLocks @discardableResult
    func puntFrame(_ lane: Int, _ kind: PuntHeader.Kind, _ frame: FrameView) -> Bool {
        punts.push(header(lane, kind), frame)
    }

    @_noLocks
    private func header(_ lane: Int, _ kind: PuntHeader.Kind) -> PuntHeader {
        var header = PuntHeader(kind: kind, vsi: batch.vsi[lane], place: batch.ingress[lane])
        header.outerSource = batch.outerSource[lane]
        return header
    }

    /// Sends a frame that answers the lane's own back to where that came from. A VTEP that traffic
    /// has only just made known has no index before the agent gives it one; the agent sends then.
    @_noLocks
    func sendBack(_ lane: Int) {
        let origin = batch.ingress[lane]
        guard origin.bits == Destination.unknownPeer.bits else {
            batch.egress[lane] = origin
            batch.verdict[lane] = .forward
            return
        }
        // A tag beside the frame would be lost on the way through the agent.
        guard batch.vlan[lane] == 0, admitsARP(from: origin, now: batch.now.value),
            puntFrame(lane, .answer, batch.frame(lane))
        else { return batch.drop(lane, .txUnreachable, counters) }
        batch.verdict[lane] = .consumed
    }

    /// Has a packet wait with the agent for its next hop. False when there is no room.
    /// - Parameter key: of the neighbor table, whose lower bits are the next hop.
    @_noLocks
    func hold(_ lane: Int, interface: Int32, key: UInt64) -> Bool {
        let order = punts.holdOrder
        if let order, let barrier = order.barrier(behindParked: key),
            park(lane, behind: barrier, order)
        {
            return true
        }
        var header = header(lane, .hold)
        header.interface = interface
        header.nextHop = UInt32(truncatingIfNeeded: key)
        header.segmentation = batch.segmentations[lane]
        guard punts.push(header, batch.frame(lane)) else { return false }
        order?.noteHeld(key, position: punts.frameBytes, now: batch.now.value)
        batch.verdict[lane] = .held
        counters.add(1, .held)
        return true
    }

    /// Has a packet wait with the worker until others are no more on their way. False when there is
    /// no room.
    @_noLocks
    func park(_ lane: Int, behind barrier: HoldOrder.Barrier, _ order: HoldOrder) -> Bool {
        let frame = batch.frame(lane)
        var header = OrderHeader(
            kind: .resume, vsi: batch.vsi[lane], destination: batch.ingress[lane],
            segmentation: batch.segmentations[lane])
        header.outerSource = batch.outerSource[lane]
        guard unsafe order.park(header, frame.pointer, count: frame.count, behind: barrier) else {
            return false
        }
        batch.verdict[lane] = .held
        counters.add(1, .held)
        return true
    }

    /// Has the agent tell the sender of a packet, if the rules allow it (RFC 1812 section 4.3.2.7)
    /// and the rate does (section 4.3.2.8). The lane is dropped by the caller.
    @_noLocks
    func puntICMPError(_ lane: Int, type: UInt8, code: UInt8, mtu: UInt16) {
        let frame = batch.frame(lane)
        guard ICMPErrorRules.allow(frame, destination: batch.destinationMAC[lane]) else { return }
        guard
            admits(
                Self.icmpPolicer, tables.settings.icmpIntervalNanoseconds, Policer.icmpBurst,
                now: batch.now.value)
        else { return counters.count(.icmpRateLimited) }
        var header = header(lane, .icmpError)
        header.icmpType = type
        header.icmpCode = code
        header.mtu = mtu
        _ = punts.push(header, frame.prefix(min(frame.count, ICMPErrorRules.quotedFrame)))
    }

    /// Hands the agent what may answer a ping of the gateway's own. The lane is consumed either
    /// way.
    @_noLocks
    func puntEchoAnswer(_ lane: Int) {
        let word = CounterLayout.maximumPorts &+ 2
        guard
            admits(word, Self.echoIntervalNanoseconds, Self.echoBurst, now: batch.now.value)
        else { return counters.count(.icmpRateLimited) }
        puntFrame(lane, .echoAnswer, batch.frame(lane))
    }

    /// The budget for ARP to the gateway, one for each port and one for all tunnels.
    @_noLocks
    func admitsARP(from place: Destination, now: UInt64) -> Bool {
        let interval = tables.settings.arpIntervalNanoseconds
        if place.isPort { return admits(place.index, interval, Self.arpBurst, now: now) }
        // Behind the tunnels are many gateways, which speak for many hosts.
        return admits(CounterLayout.maximumPorts, interval / 16, Self.arpBurst &* 16, now: now)
    }

    @_noLocks
    private func admits(
        _ index: Int, _ interval: UInt64, _ burst: UInt64, now: UInt64
    ) -> Bool {
        Policer(words: policers, index: index).admits(interval, burst: burst, now: now)
    }
}
