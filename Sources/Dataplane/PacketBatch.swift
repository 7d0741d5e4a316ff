public import Memory
public import Tables
public import Wire

/// A vector of up to 256 lanes, one column for each thing the stages know of a packet, and the list of
/// outputs that the lanes become.
///
/// A trivial handle over memory that one worker owns from start to stop.
///
/// Thread-safety: one worker. Lifetime of a lane: one turn.
/// Capacity: `laneCapacity` lanes, `outputCapacity` outputs; replication that needs more goes on after
/// the outputs so far have been sent.
public struct PacketBatch: Sendable {
    public static let laneCapacity = 256
    public static let outputCapacity = 1024

    /// `ingressDevice` of a lane that came from the underlay.
    public static let underlay: UInt16 = 0xFFFF
    /// `vlan` of a lane with a tag: this bit, the TPID's and the TCI.
    public static let tagPresent: UInt32 = 0x1_0000
    /// The tag's TPID is 0x88a8 (802.1ad) and not 0x8100.
    public static let tagIsService: UInt32 = 0x2_0000

    // Written by receive.
    public let frames: Column<UInt>
    public let lengths: Column<UInt32>
    public let slots: Column<UInt32>
    public let ingressDevice: Column<UInt16>
    public let outerSource: Column<UInt32>
    public let outerTOS: Column<UInt8>
    public let segmentations: Column<Segmentation>
    /// A tag that lies beside the frame and not in it: `tagPresent | tagIsService | TCI`, or 0.
    public let vlan: Column<UInt32>

    // Written by the stages.
    public let vni: Column<UInt32>
    public let vsi: Column<UInt16>
    public let ingress: Column<Destination>
    public let destinationMAC: Column<UInt64>
    public let sourceMAC: Column<UInt64>
    public let etherType: Column<UInt16>
    public let egress: Column<Destination>
    public let verdict: Column<Verdict>
    /// Flow entropy with bit 32 set, or 0 while nobody needed it.
    public let flowHash: Column<UInt64>

    /// The lanes still on their way, in order.
    public let active: Column<UInt16>
    public let activeCount: Cell<Int>
    public let laneCount: Cell<Int>

    // One row for each copy that leaves.
    public let outputLane: Column<UInt16>
    public let outputDestination: Column<Destination>
    public let outputSourcePort: Column<UInt32>
    public let outputTOS: Column<UInt8>
    public let outputTTL: Column<UInt8>
    public let outputDoNotFragment: Column<Bool>
    public let outputCount: Cell<Int>

    // Scratch of the table lookups.
    public let keys: Column<UInt64>
    public let foundSlots: Column<Int32>

    /// Nanoseconds of the monotonic clock and quarters of a second, set by the worker each turn.
    public let now: Cell<UInt64>
    public let coarseTime: Cell<UInt32>

    public init() {
        let lanes = Self.laneCapacity
        let outputs = Self.outputCapacity
        frames = Column(count: lanes, repeating: 0)
        lengths = Column(count: lanes, repeating: 0)
        slots = Column(count: lanes, repeating: 0)
        ingressDevice = Column(count: lanes, repeating: 0)
        outerSource = Column(count: lanes, repeating: 0)
        outerTOS = Column(count: lanes, repeating: 0)
        segmentations = Column(count: lanes, repeating: .none)
        vlan = Column(count: lanes, repeating: 0)
        vni = Column(count: lanes, repeating: 0)
        vsi = Column(count: lanes, repeating: 0)
        ingress = Column(count: lanes, repeating: .none)
        destinationMAC = Column(count: lanes, repeating: 0)
        sourceMAC = Column(count: lanes, repeating: 0)
        etherType = Column(count: lanes, repeating: 0)
        egress = Column(count: lanes, repeating: .none)
        verdict = Column(count: lanes, repeating: .pending)
        flowHash = Column(count: lanes, repeating: 0)
        active = Column(count: lanes, repeating: 0)
        activeCount = Cell(0)
        laneCount = Cell(0)
        outputLane = Column(count: outputs, repeating: 0)
        outputDestination = Column(count: outputs, repeating: .none)
        outputSourcePort = Column(count: outputs, repeating: 0)
        outputTOS = Column(count: outputs, repeating: 0)
        outputTTL = Column(count: outputs, repeating: 0)
        outputDoNotFragment = Column(count: outputs, repeating: false)
        outputCount = Cell(0)
        keys = Column(count: lanes, repeating: 0)
        foundSlots = Column(count: lanes, repeating: -1)
        now = Cell(0)
        coarseTime = Cell(0)
    }

    /// The bytes of a lane as the stages so far have left them.
    @_noLocks
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
    @_noLocks
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

    public func deallocate() {
        frames.deallocate()
        lengths.deallocate()
        slots.deallocate()
        ingressDevice.deallocate()
        outerSource.deallocate()
        outerTOS.deallocate()
        segmentations.deallocate()
        vlan.deallocate()
        vni.deallocate()
        vsi.deallocate()
        ingress.deallocate()
        destinationMAC.deallocate()
        sourceMAC.deallocate()
        etherType.deallocate()
        egress.deallocate()
        verdict.deallocate()
        flowHash.deallocate()
        active.deallocate()
        activeCount.deallocate()
        laneCount.deallocate()
        outputLane.deallocate()
        outputDestination.deallocate()
        outputSourcePort.deallocate()
        outputTOS.deallocate()
        outputTTL.deallocate()
        outputDoNotFragment.deallocate()
        outputCount.deallocate()
        keys.deallocate()
        foundSlots.deallocate()
        now.deallocate()
        coarseTime.deallocate()
    }
}
