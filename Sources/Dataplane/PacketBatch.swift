internal import Memory
internal import Tables
public import Wire

/// A vector of up to 256 lanes, one column for each thing the stages know of a packet, and the list
/// of outputs that the lanes become.
///
/// A trivial handle, one pointer wide, over memory that one worker owns from start to stop: all
/// columns in one stretch (`PacketLayout`), so that a row of one is a pointer and a constant away.
///
/// Thread-safety: one worker. Lifetime of a lane: one turn.
/// Capacity: `laneCapacity` lanes, `outputCapacity` outputs; replication that needs more goes on
/// after the outputs so far have been sent.
@safe
public struct PacketBatch: Sendable {
    /// That of a `LaneColumn`.
    public static let laneCapacity = 256
    /// That of an `OutputColumn`.
    public static let outputCapacity = 1024

    /// `ingressDevice` of a lane that came from the underlay.
    public static let underlay: UInt16 = 0xFFFF
    /// `vlan` of a lane with a tag: this bit, the TPID's and the TCI.
    public static let tagPresent: UInt32 = 0x1_0000
    /// The tag's TPID is 0x88a8 (802.1ad) and not 0x8100.
    public static let tagIsService: UInt32 = 0x2_0000

    // One thread's memory; the handle may be handed over to it.
    nonisolated(unsafe) let memory: UnsafeMutableRawPointer

    public init() {
        unsafe memory = .allocate(byteCount: PacketLayout.byteCount, alignment: 64)
        precondition(MemoryLayout<Segmentation>.stride <= 12)
        // Zeros are what most columns begin with.
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: PacketLayout.byteCount)
        for lane in 0..<Self.laneCapacity {
            segmentations[lane] = .none
            verdict[lane] = .pending
            floodScope[lane] = .all
            foundSlots[lane] = -1
            routed[lane] = RoutedLane(lane: 0, interface: 0)
        }
    }

    /// The bytes of a lane as the stages so far have left them.
    @_noLocks @inline(__always)
    public func frame(_ lane: Int) -> FrameView {
        // A lane in use always has the address that receive or the parse stage gave it.
        unsafe FrameView(
            base: UnsafeMutablePointer(bitPattern: frames[lane]).unsafelyUnwrapped,
            count: Int(lengths[lane]))
    }

    @_noLocks @inline(__always)
    func setFrame(_ lane: Int, _ frame: FrameView) {
        frames[lane] = unsafe UInt(bitPattern: frame.pointer)
        lengths[lane] = UInt32(truncatingIfNeeded: frame.count)
    }

    /// Adds a lane for a received frame. False when the batch is full.
    /// - Parameters:
    ///   - slot: the buffer that holds it.
    ///   - device: index of the device, or `underlay`; then the frame begins with the VXLAN header.
    @_noLocks
    public func append(
        _ frame: FrameView, slot: UInt32, device: UInt16, segmentation: Segmentation,
        vlan tag: UInt32 = 0, outerSource source: UInt32 = 0, outerTOS tos: UInt8 = 0
    ) -> Bool {
        let lane = laneCount.value
        guard lane < Self.laneCapacity else { return false }
        setFrame(lane, frame)
        slots[lane] = slot
        ingressDevice[lane] = device
        segmentations[lane] = segmentation
        vlan[lane] = tag
        outerSource[lane] = source
        outerTOS[lane] = tos
        ingress[lane] = .none
        verdict[lane] = .pending
        flowHash[lane] = 0
        floodScope[lane] = .all
        active[lane] = UInt8(truncatingIfNeeded: lane)
        laneCount.value = lane &+ 1
        activeCount.value = lane &+ 1
        return true
    }

    /// Forgets all lanes.
    @_noLocks
    public func removeAll() {
        laneCount.value = 0
        activeCount.value = 0
        routableCount.value = 0
        outputCount.value = 0
        outputBytes.value = 0
    }

    /// Ends a lane under one reason. The stage calls `removeSettled` when it has seen all lanes.
    @_noLocks @inline(never)
    public func drop(_ lane: Int, _ reason: DropReason, _ counters: Counters) {
        verdict[lane] = .dropped
        counters.count(reason)
        let place = ingress[lane]
        if place.isPort { counters.add(1, port: place.index, .rxDrops) }
    }

    /// Takes the lanes that are settled out of `active`.
    @_noLocks @inline(never)
    func removeSettled() {
        var kept = 0
        for position in 0..<min(activeCount.value, Self.laneCapacity) {
            let lane = active[position]
            if verdict[Int(lane)].isSettled { continue }
            active[kept] = lane
            kept &+= 1
        }
        activeCount.value = kept
    }

    /// Has the route stage take a lane, no more often than once; a verdict alone does not.
    @_noLocks @inline(__always)
    public func route(_ lane: Int) {
        verdict[lane] = .route
        let count = routableCount.value
        routable[count] = UInt8(truncatingIfNeeded: lane)
        routableCount.value = count &+ 1
    }

    /// Bytes in the lanes still on their way.
    @_noLocks @inline(__always)
    public func activeBytes() -> UInt64 {
        var bytes: UInt64 = 0
        // While none has ended, the active lanes are all there are, in order.
        if activeCount.value == laneCount.value { return lengths.sum(laneCount.value) }
        for position in 0..<activeCount.value {
            bytes &+= UInt64(lengths[Int(active[position])])
        }
        return bytes
    }

    /// Moves the start of a lane's frame forward by `amount` bytes.
    @_noLocks
    public func advance(_ lane: Int, by amount: Int) {
        frames[lane] = frames[lane] &+ UInt(bitPattern: amount)
        lengths[lane] = lengths[lane] &- UInt32(truncatingIfNeeded: amount)
    }

    /// Cuts bytes off the end of a lane's frame.
    @_noLocks
    public func truncate(_ lane: Int, to count: Int) {
        lengths[lane] = min(lengths[lane], UInt32(truncatingIfNeeded: count))
    }

    public func deallocate() { unsafe memory.deallocate() }
}
