public import Memory

/// Keeps packets whose next hop has just become known behind those of the same next hop that wait
/// for it with the agent.
///
/// Those come back by the agent's orders, a turn of the agent or more after the next hop is in the
/// tables. Until then the worker parks what comes for it, in a ring of its own, and takes that up
/// when the last of those that waited has come back or was dropped. Nobody counts them: they have
/// once
/// - the turn of the agent that made the next hop known has ended, which let go what it kept,
/// - one has ended that took the last packet the worker handed over for it,
/// - and all orders of those turns have been taken.
///
/// An agent that is held up longer than `patience` is not waited for, and what the ring has no room
/// for goes on at once: order is given up then, no packet is.
///
/// A trivial handle, one pointer wide. Thread-safety: one worker. Cost: one word is read while
/// nothing has waited lately.
/// Capacity: `count` next hops that packets wait for; the one among `ways` that was sent to longest
/// ago is forgotten for another. `capacity` bytes of packets.
@safe
public struct HoldOrder: Sendable {
    /// What must have happened before a packet may go on.
    struct Barrier: BitwiseCopyable {
        /// Bytes handed to the agent when the last packet that waits had been.
        var position: UInt64
        /// The agent's turn in which the next hop may have become known.
        var turn: UInt64 = 0
        /// In nanoseconds, when it may go on in any case; 0 while the next hop is not known.
        var deadline: UInt64 = 0
    }

    struct ParkedHeader: BitwiseCopyable {
        let order: OrderHeader
        let barrier: Barrier
    }

    private struct Entry: BitwiseCopyable {
        /// Of the neighbor table; 0 is none.
        var key: UInt64
        var barrier: Barrier
    }

    private struct State {
        let entries: Column<Entry>
        let parked: FrameRing<ParkedHeader>
        let orders: FrameRing<OrderHeader>
        let progress: AgentProgress
        var used = 0
        var watchedUntil: UInt64 = 0
        var isResuming = false
        // The agent's progress whose orders have all been taken.
        var ended: UInt64 = 0
        var takenBytes: UInt64 = 0
    }

    nonisolated(unsafe) private let state: UnsafeMutablePointer<State>

    private static var count: Int { @_noLocks get { 4096 } }
    private static var ways: Int { @_noLocks get { 4 } }
    /// Twice what can be on its way back, and as much again for what comes while that is sent.
    static let capacity = 4 << 20
    /// A turn of the agent takes less than a millisecond, unless an operator has it rebuild tables.
    static var patience: UInt64 { @_noLocks get { 100_000_000 } }
    /// Next hops that packets have waited for longer ago are not looked for.
    static var memory: UInt64 { @_noLocks get { 60_000_000_000 } }

    /// - Parameter orders: where the worker takes what the agent sends back.
    public init(orders: FrameRing<OrderHeader>, progress: AgentProgress) {
        let none = Entry(key: 0, barrier: Barrier(position: 0))
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(
            to: State(
                entries: Column(count: Self.count, repeating: none),
                parked: FrameRing(capacity: Self.capacity), orders: orders, progress: progress))
    }

    // MARK: Stages

    /// There may be something to look for.
    @_noLocks
    func isWatching(_ now: UInt64) -> Bool {
        unsafe now < state.pointee.watchedUntil && !state.pointee.isResuming
    }

    /// What comes back is what the others are behind of.
    @_noLocks
    func setResuming(_ isResuming: Bool) { unsafe state.pointee.isResuming = isResuming }

    /// A packet has been handed to the agent for a next hop that is not known.
    @_noLocks
    func noteHeld(_ key: UInt64, position: UInt64, now: UInt64) {
        unsafe state.pointee.watchedUntil = now &+ Self.memory
        let entries = unsafe state.pointee.entries
        let first = Self.firstPlace(key)
        var place = first
        for candidate in first..<first &+ Self.ways {
            if entries[candidate].key == key {
                place = candidate
                break
            }
            // A free one has the least position of all.
            if entries[candidate].barrier.position < entries[place].barrier.position {
                place = candidate
            }
        }
        if entries[place].key == 0 { unsafe state.pointee.used &+= 1 }
        entries[place] = Entry(key: key, barrier: Barrier(position: position))
    }

    /// Sees how far the agent has come.
    @_noLocks
    func update() {
        let ended = unsafe state.pointee.progress.ended
        let takenBytes = unsafe state.pointee.progress.takenBytes
        guard unsafe state.pointee.orders.isEmpty else { return }
        unsafe state.pointee.ended = ended
        unsafe state.pointee.takenBytes = takenBytes
    }

    /// What a packet has to wait for whose next hop is in the tables; nil when it may go on.
    @_noLocks
    func barrier(_ key: UInt64, now: UInt64) -> Barrier? {
        let place = place(of: key)
        guard place >= 0 else { return nil }
        let entries = unsafe state.pointee.entries
        if entries[place].barrier.deadline == 0 {
            entries[place].barrier.turn = unsafe state.pointee.progress.begun
            entries[place].barrier.deadline = now &+ Self.patience
        }
        let barrier = entries[place].barrier
        if unsafe state.pointee.parked.isEmpty, isOver(barrier, now) {
            forget(place)
            return nil
        }
        return barrier
    }

    /// What a packet has to wait for whose next hop has become unknown again behind parked ones.
    @_noLocks
    func barrier(behindParked key: UInt64) -> Barrier? {
        guard unsafe !state.pointee.isResuming, unsafe !state.pointee.parked.isEmpty else {
            return nil
        }
        let place = place(of: key)
        guard place >= 0 else { return nil }
        let barrier = unsafe state.pointee.entries[place].barrier
        return barrier.deadline == 0 ? nil : barrier
    }

    /// False when there is no room.
    @_noLocks
    func park(
        _ order: OrderHeader, _ frame: UnsafePointer<UInt8>, count: Int, behind barrier: Barrier
    ) -> Bool {
        unsafe state.pointee.parked.push(
            ParkedHeader(order: order, barrier: barrier), frame, count: count)
    }

    // MARK: Worker

    /// Packets are parked, so that there is something to wait for.
    public var hasParked: Bool { @_noLocks get { unsafe !state.pointee.parked.isEmpty } }

    /// The first parked packet, if nothing it was to be behind of is on its way any more. Its bytes
    /// stay where they are until `advance`.
    @unsafe
    public func next(
        now: UInt64
    ) -> (header: OrderHeader, bytes: UnsafeMutablePointer<UInt8>, count: Int)? {
        guard let record = unsafe state.pointee.parked.next() else { return nil }
        update()
        guard isOver(unsafe record.header.barrier, now) else { return nil }
        return unsafe (record.header.order, record.bytes, record.count)
    }

    /// Gives back the packet that `next` returned.
    public func advance() { unsafe state.pointee.parked.advance() }

    // MARK: Places

    @_noLocks
    private func isOver(_ barrier: Barrier, _ now: UInt64) -> Bool {
        if now >= barrier.deadline { return true }
        return unsafe state.pointee.takenBytes >= barrier.position
            && state.pointee.ended >= barrier.turn
    }

    @_noLocks
    private func place(of key: UInt64) -> Int {
        let entries = unsafe state.pointee.entries
        let first = Self.firstPlace(key)
        for place in first..<first &+ Self.ways where entries[place].key == key { return place }
        return -1
    }

    @_noLocks
    private func forget(_ place: Int) {
        let none = Entry(key: 0, barrier: Barrier(position: 0))
        unsafe state.pointee.entries[place] = none
        unsafe state.pointee.used &-= 1
        if unsafe state.pointee.used == 0 { unsafe state.pointee.watchedUntil = 0 }
    }

    @_noLocks
    private static func firstPlace(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 54) &* ways
    }

    public func deallocate() {
        unsafe state.pointee.entries.deallocate()
        unsafe state.pointee.parked.deallocate()
        unsafe state.deallocate()
    }
}
