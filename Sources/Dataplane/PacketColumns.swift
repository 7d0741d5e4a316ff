public import Memory
public import Tables

/// One element for each lane of a batch.
public typealias LaneColumn<Element: BitwiseCopyable> = FixedColumn<256, Element>
/// One element for each output of a batch.
public typealias OutputColumn<Element: BitwiseCopyable> = FixedColumn<1024, Element>

/// Where in the memory behind a `PacketBatch` its columns lie, in bytes from the start.
///
/// Constants to the compiler: a row is loaded by one instruction, where columns with memory of
/// their own cost one load more each, again in every round of a loop.
///
/// Layout: the scalars in the first cache line, then the columns, each with room for the widest
/// element and one cache line more than a power of two, so that the rows of one lane do not meet in
/// one set of the cache.
enum PacketLayout {
    enum LaneField: Int {
        // Written by receive.
        case frames, lengths, slots, ingressDevice, outerSource, outerTOS, vlan
        // Written by the stages.
        case vni, vsi, ingress, destinationMAC, sourceMAC, etherType, egress, verdict, flowHash
        case floodScope, active, routable
        // Scratch of the table lookups, then of the route stage.
        case keys, foundSlots, guesses, routed, routes, walks
        /// The widest: twelve bytes a lane.
        case segmentations
    }

    enum OutputField: Int {
        case outputLane, outputDestination, outputSourcePort
        case outputFields
    }

    static var activeCount: Int { @_noLocks get { 0 } }
    static var laneCount: Int { @_noLocks get { 8 } }
    static var outputCount: Int { @_noLocks get { 16 } }
    static var now: Int { @_noLocks get { 24 } }
    static var coarseTime: Int { @_noLocks get { 32 } }
    static var routableCount: Int { @_noLocks get { 40 } }
    static var outputBytes: Int { @_noLocks get { 48 } }

    @_noLocks @inline(__always)
    static func at(_ field: LaneField) -> Int { 64 &+ field.rawValue &* (256 &* 8 &+ 64) }

    @_noLocks @inline(__always)
    static func at(_ field: OutputField) -> Int {
        at(.segmentations) &+ 256 &* 12 &+ 64 &+ field.rawValue &* (1024 &* 4 &+ 64)
    }

    static var byteCount: Int { at(.outputFields) + 1024 * 4 }
}

extension PacketBatch {
    // Written by receive.
    public var frames: LaneColumn<UInt> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.frames)) }
    }
    public var lengths: LaneColumn<UInt32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.lengths)) }
    }
    public var slots: LaneColumn<UInt32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.slots)) }
    }
    public var ingressDevice: LaneColumn<UInt16> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.ingressDevice)) }
    }
    public var outerSource: LaneColumn<UInt32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.outerSource)) }
    }
    public var outerTOS: LaneColumn<UInt8> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.outerTOS)) }
    }
    /// A tag that lies beside the frame and not in it: `tagPresent | tagIsService | TCI`, or 0.
    public var vlan: LaneColumn<UInt32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.vlan)) }
    }
    public var segmentations: LaneColumn<Segmentation> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.segmentations)) }
    }

    // Written by the stages.
    public var vni: LaneColumn<UInt32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.vni)) }
    }
    public var vsi: LaneColumn<UInt16> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.vsi)) }
    }
    public var ingress: LaneColumn<Destination> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.ingress)) }
    }
    public var destinationMAC: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.destinationMAC)) }
    }
    public var sourceMAC: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.sourceMAC)) }
    }
    public var etherType: LaneColumn<UInt16> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.etherType)) }
    }
    public var egress: LaneColumn<Destination> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.egress)) }
    }
    public var verdict: LaneColumn<Verdict> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.verdict)) }
    }
    /// Flow entropy with bit 32 set, or 0 while nobody needed it.
    public var flowHash: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.flowHash)) }
    }
    /// How far a flooded lane reaches.
    public var floodScope: LaneColumn<FloodScope> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.floodScope)) }
    }
    /// The lanes still on their way, in order.
    public var active: LaneColumn<UInt8> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.active)) }
    }
    /// The lanes whose verdict is `route`, in order.
    var routable: LaneColumn<UInt8> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.routable)) }
    }
    var routableCount: Cell<Int> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.routableCount) }
    }
    public var activeCount: Cell<Int> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.activeCount) }
    }
    public var laneCount: Cell<Int> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.laneCount) }
    }

    // One row for each copy that leaves.
    public var outputLane: OutputColumn<UInt8> {
        @_noLocks get { unsafe OutputColumn(at: memory + PacketLayout.at(.outputLane)) }
    }
    public var outputDestination: OutputColumn<Destination> {
        @_noLocks get { unsafe OutputColumn(at: memory + PacketLayout.at(.outputDestination)) }
    }
    public var outputSourcePort: OutputColumn<UInt32> {
        @_noLocks get { unsafe OutputColumn(at: memory + PacketLayout.at(.outputSourcePort)) }
    }
    /// What the outer IPv4 header says of the packet.
    public var outputFields: OutputColumn<OuterFields> {
        @_noLocks get { unsafe OutputColumn(at: memory + PacketLayout.at(.outputFields)) }
    }
    public var outputCount: Cell<Int> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.outputCount) }
    }

    /// Bytes of the frames in the outputs.
    var outputBytes: Cell<UInt64> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.outputBytes) }
    }

    // Scratch of the table lookups.
    public var keys: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.keys)) }
    }
    public var foundSlots: LaneColumn<Int32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.foundSlots)) }
    }
    /// Slots where what `foundSlots` lacks most likely is.
    var guesses: LaneColumn<Int32> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.guesses)) }
    }
    // Scratch of the route stage.
    var routed: LaneColumn<RoutedLane> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.routed)) }
    }
    /// What the routing table answered.
    var routes: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.routes)) }
    }
    /// Walks through the routing table that are not at their end.
    var walks: LaneColumn<UInt64> {
        @_noLocks get { unsafe LaneColumn(at: memory + PacketLayout.at(.walks)) }
    }

    /// Nanoseconds of the monotonic clock and quarters of a second, set by the worker each turn.
    public var now: Cell<UInt64> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.now) }
    }
    public var coarseTime: Cell<UInt32> {
        @_noLocks get { unsafe Cell(at: memory + PacketLayout.coarseTime) }
    }
}
