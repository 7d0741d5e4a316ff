public import Memory
internal import Tables

/// One element for each lane of a batch.
public typealias LaneColumn<Element: BitwiseCopyable> = FixedColumn<256, Element>
/// One element for each output of a batch.
public typealias OutputColumn<Element: BitwiseCopyable> = FixedColumn<1024, Element>

/// The memory behind a `PacketBatch`: the columns themselves.
struct PacketColumns {
    // Written by receive.
    let frames: LaneColumn<UInt>
    let lengths: LaneColumn<UInt32>
    let slots: LaneColumn<UInt32>
    let ingressDevice: LaneColumn<UInt16>
    let outerSource: LaneColumn<UInt32>
    let outerTOS: LaneColumn<UInt8>
    let segmentations: LaneColumn<Segmentation>
    /// A tag that lies beside the frame and not in it: `tagPresent | tagIsService | TCI`, or 0.
    let vlan: LaneColumn<UInt32>

    // Written by the stages.
    let vni: LaneColumn<UInt32>
    let vsi: LaneColumn<UInt16>
    let ingress: LaneColumn<Destination>
    let destinationMAC: LaneColumn<UInt64>
    let sourceMAC: LaneColumn<UInt64>
    let etherType: LaneColumn<UInt16>
    let egress: LaneColumn<Destination>
    let verdict: LaneColumn<Verdict>
    /// Flow entropy with bit 32 set, or 0 while nobody needed it.
    let flowHash: LaneColumn<UInt64>

    /// How far a flooded lane reaches.
    let floodScope: LaneColumn<FloodScope>

    /// The lanes still on their way, in order.
    let active: LaneColumn<UInt16>
    let activeCount: Cell<Int>
    let laneCount: Cell<Int>

    // One row for each copy that leaves.
    let outputLane: OutputColumn<UInt16>
    let outputDestination: OutputColumn<Destination>
    let outputSourcePort: OutputColumn<UInt32>
    let outputTOS: OutputColumn<UInt8>
    let outputTTL: OutputColumn<UInt8>
    let outputDoNotFragment: OutputColumn<Bool>
    let outputCount: Cell<Int>

    // Scratch of the table lookups.
    let keys: LaneColumn<UInt64>
    let foundSlots: LaneColumn<Int32>
    // Scratch of the route stage.
    let routed: LaneColumn<RoutedLane>
    /// What the routing table answered.
    let routes: LaneColumn<UInt64>
    /// Walks through the routing table that are not at their end.
    let walks: LaneColumn<UInt64>

    /// Nanoseconds of the monotonic clock and quarters of a second, set by the worker each turn.
    let now: Cell<UInt64>
    let coarseTime: Cell<UInt32>

    init() {
        frames = LaneColumn(repeating: 0)
        lengths = LaneColumn(repeating: 0)
        slots = LaneColumn(repeating: 0)
        ingressDevice = LaneColumn(repeating: 0)
        outerSource = LaneColumn(repeating: 0)
        outerTOS = LaneColumn(repeating: 0)
        segmentations = LaneColumn(repeating: .none)
        vlan = LaneColumn(repeating: 0)
        vni = LaneColumn(repeating: 0)
        vsi = LaneColumn(repeating: 0)
        ingress = LaneColumn(repeating: .none)
        destinationMAC = LaneColumn(repeating: 0)
        sourceMAC = LaneColumn(repeating: 0)
        etherType = LaneColumn(repeating: 0)
        egress = LaneColumn(repeating: .none)
        verdict = LaneColumn(repeating: .pending)
        flowHash = LaneColumn(repeating: 0)
        floodScope = LaneColumn(repeating: .all)
        active = LaneColumn(repeating: 0)
        activeCount = Cell(0)
        laneCount = Cell(0)
        outputLane = OutputColumn(repeating: 0)
        outputDestination = OutputColumn(repeating: .none)
        outputSourcePort = OutputColumn(repeating: 0)
        outputTOS = OutputColumn(repeating: 0)
        outputTTL = OutputColumn(repeating: 0)
        outputDoNotFragment = OutputColumn(repeating: false)
        outputCount = Cell(0)
        keys = LaneColumn(repeating: 0)
        foundSlots = LaneColumn(repeating: -1)
        routed = LaneColumn(repeating: RoutedLane(lane: 0, interface: 0))
        routes = LaneColumn(repeating: 0)
        walks = LaneColumn(repeating: 0)
        now = Cell(0)
        coarseTime = Cell(0)
    }

    func deallocate() {
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
        floodScope.deallocate()
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
        routed.deallocate()
        routes.deallocate()
        walks.deallocate()
        now.deallocate()
        coarseTime.deallocate()
    }
}
