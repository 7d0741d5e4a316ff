public import Memory
public import Tables
public import Wire

/// A vector of up to 256 lanes, one column for each thing the stages know of a packet, and the list
/// of outputs that the lanes become.
///
/// A trivial handle, one pointer wide, over memory that one worker owns from start to stop.
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

    // Written by receive.
    public var frames: LaneColumn<UInt> { @_noLocks get { unsafe columns.pointee.frames } }
    public var lengths: LaneColumn<UInt32> { @_noLocks get { unsafe columns.pointee.lengths } }
    public var slots: LaneColumn<UInt32> { @_noLocks get { unsafe columns.pointee.slots } }
    public var ingressDevice: LaneColumn<UInt16> {
        @_noLocks get { unsafe columns.pointee.ingressDevice }
    }
    public var outerSource: LaneColumn<UInt32> {
        @_noLocks get { unsafe columns.pointee.outerSource }
    }
    public var outerTOS: LaneColumn<UInt8> { @_noLocks get { unsafe columns.pointee.outerTOS } }
    public var segmentations: LaneColumn<Segmentation> {
        @_noLocks get { unsafe columns.pointee.segmentations }
    }
    /// A tag that lies beside the frame and not in it: `tagPresent | tagIsService | TCI`, or 0.
    public var vlan: LaneColumn<UInt32> { @_noLocks get { unsafe columns.pointee.vlan } }

    // Written by the stages.
    public var vni: LaneColumn<UInt32> { @_noLocks get { unsafe columns.pointee.vni } }
    public var vsi: LaneColumn<UInt16> { @_noLocks get { unsafe columns.pointee.vsi } }
    public var ingress: LaneColumn<Destination> { @_noLocks get { unsafe columns.pointee.ingress } }
    public var destinationMAC: LaneColumn<UInt64> {
        @_noLocks get { unsafe columns.pointee.destinationMAC }
    }
    public var sourceMAC: LaneColumn<UInt64> { @_noLocks get { unsafe columns.pointee.sourceMAC } }
    public var etherType: LaneColumn<UInt16> { @_noLocks get { unsafe columns.pointee.etherType } }
    public var egress: LaneColumn<Destination> { @_noLocks get { unsafe columns.pointee.egress } }
    public var verdict: LaneColumn<Verdict> { @_noLocks get { unsafe columns.pointee.verdict } }
    /// Flow entropy with bit 32 set, or 0 while nobody needed it.
    public var flowHash: LaneColumn<UInt64> { @_noLocks get { unsafe columns.pointee.flowHash } }

    /// How far a flooded lane reaches.
    public var floodScope: LaneColumn<FloodScope> {
        @_noLocks get { unsafe columns.pointee.floodScope }
    }

    /// The lanes still on their way, in order.
    public var active: LaneColumn<UInt16> { @_noLocks get { unsafe columns.pointee.active } }
    public var activeCount: Cell<Int> { @_noLocks get { unsafe columns.pointee.activeCount } }
    public var laneCount: Cell<Int> { @_noLocks get { unsafe columns.pointee.laneCount } }

    // One row for each copy that leaves.
    public var outputLane: OutputColumn<UInt16> {
        @_noLocks get { unsafe columns.pointee.outputLane }
    }
    public var outputDestination: OutputColumn<Destination> {
        @_noLocks get { unsafe columns.pointee.outputDestination }
    }
    public var outputSourcePort: OutputColumn<UInt32> {
        @_noLocks get { unsafe columns.pointee.outputSourcePort }
    }
    public var outputTOS: OutputColumn<UInt8> { @_noLocks get { unsafe columns.pointee.outputTOS } }
    public var outputTTL: OutputColumn<UInt8> { @_noLocks get { unsafe columns.pointee.outputTTL } }
    public var outputDoNotFragment: OutputColumn<Bool> {
        @_noLocks get { unsafe columns.pointee.outputDoNotFragment }
    }
    public var outputCount: Cell<Int> { @_noLocks get { unsafe columns.pointee.outputCount } }

    // Scratch of the table lookups.
    public var keys: LaneColumn<UInt64> { @_noLocks get { unsafe columns.pointee.keys } }
    public var foundSlots: LaneColumn<Int32> { @_noLocks get { unsafe columns.pointee.foundSlots } }
    // Scratch of the route stage.
    var routed: LaneColumn<RoutedLane> { @_noLocks get { unsafe columns.pointee.routed } }
    /// What the routing table answered.
    var routes: LaneColumn<UInt64> { @_noLocks get { unsafe columns.pointee.routes } }
    /// Walks through the routing table that are not at their end.
    var walks: LaneColumn<UInt64> { @_noLocks get { unsafe columns.pointee.walks } }

    /// Nanoseconds of the monotonic clock and quarters of a second, set by the worker each turn.
    public var now: Cell<UInt64> { @_noLocks get { unsafe columns.pointee.now } }
    public var coarseTime: Cell<UInt32> { @_noLocks get { unsafe columns.pointee.coarseTime } }

    // One thread's memory; the handle may be handed over to it.
    nonisolated(unsafe) private let columns: UnsafeMutablePointer<PacketColumns>

    public init() {
        unsafe columns = .allocate(capacity: 1)
        unsafe columns.initialize(to: PacketColumns())
    }

    /// The bytes of a lane as the stages so far have left them.
    @_noLocks @inline(__always)
    public func frame(_ lane: Int) -> FrameView {
        // A lane in use always has the address that receive or the parse stage gave it.
        unsafe FrameView(
            base: UnsafeMutablePointer(bitPattern: frames[lane]).unsafelyUnwrapped,
            count: Int(lengths[lane]))
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
        frames[lane] = unsafe UInt(bitPattern: frame.pointer)
        lengths[lane] = UInt32(truncatingIfNeeded: frame.count)
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
        active[lane] = UInt16(truncatingIfNeeded: lane)
        laneCount.value = lane &+ 1
        activeCount.value = lane &+ 1
        return true
    }

    /// Forgets all lanes.
    @_noLocks
    public func removeAll() {
        laneCount.value = 0
        activeCount.value = 0
        outputCount.value = 0
    }

    /// Ends a lane under one reason. The stage takes it from `active` by itself.
    @_noLocks
    public func drop(_ lane: Int, _ reason: DropReason, _ counters: Counters) {
        verdict[lane] = .dropped
        counters.count(reason)
        let place = ingress[lane]
        if place.isPort { counters.add(1, port: place.index, .rxDrops) }
    }

    /// Bytes in the lanes still on their way.
    @_noLocks @inline(__always)
    public func activeBytes() -> UInt64 {
        var bytes: UInt64 = 0
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

    public func deallocate() {
        unsafe columns.pointee.deallocate()
        unsafe columns.deallocate()
    }
}
