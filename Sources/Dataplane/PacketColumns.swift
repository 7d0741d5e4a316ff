internal import Memory
internal import Tables

/// The memory behind a `PacketBatch`: the columns themselves.
struct PacketColumns {
    // Written by receive.
    let frames: Column<UInt>
    let lengths: Column<UInt32>
    let slots: Column<UInt32>
    let ingressDevice: Column<UInt16>
    let outerSource: Column<UInt32>
    let outerTOS: Column<UInt8>
    let segmentations: Column<Segmentation>
    /// A tag that lies beside the frame and not in it: `tagPresent | tagIsService | TCI`, or 0.
    let vlan: Column<UInt32>

    // Written by the stages.
    let vni: Column<UInt32>
    let vsi: Column<UInt16>
    let ingress: Column<Destination>
    let destinationMAC: Column<UInt64>
    let sourceMAC: Column<UInt64>
    let etherType: Column<UInt16>
    let egress: Column<Destination>
    let verdict: Column<Verdict>
    /// Flow entropy with bit 32 set, or 0 while nobody needed it.
    let flowHash: Column<UInt64>

    /// How far a flooded lane reaches.
    let floodScope: Column<FloodScope>

    /// The lanes still on their way, in order.
    let active: Column<UInt16>
    let activeCount: Cell<Int>
    let laneCount: Cell<Int>

    // One row for each copy that leaves.
    let outputLane: Column<UInt16>
    let outputDestination: Column<Destination>
    let outputSourcePort: Column<UInt32>
    let outputTOS: Column<UInt8>
    let outputTTL: Column<UInt8>
    let outputDoNotFragment: Column<Bool>
    let outputCount: Cell<Int>

    // Scratch of the table lookups.
    let keys: Column<UInt64>
    let foundSlots: Column<Int32>
    // Scratch of the route stage.
    let routed: Column<RoutedLane>
    /// What the routing table answered.
    let routes: Column<UInt64>
    /// Walks through the routing table that are not at their end.
    let walks: Column<UInt64>

    /// Nanoseconds of the monotonic clock and quarters of a second, set by the worker each turn.
    let now: Cell<UInt64>
    let coarseTime: Cell<UInt32>

    init() {
        let lanes = PacketBatch.laneCapacity
        let outputs = PacketBatch.outputCapacity
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
        floodScope = Column(count: lanes, repeating: .all)
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
        routed = Column(count: lanes, repeating: RoutedLane(lane: 0, interface: 0))
        routes = Column(count: lanes, repeating: 0)
        walks = Column(count: lanes, repeating: 0)
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
