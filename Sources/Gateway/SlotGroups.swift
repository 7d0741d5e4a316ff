internal import Memory

/// The buffers of sends that carry several lanes: many small datagrams in one segmented send, or
/// many TCP segments in one frame.
///
/// Thread-safety: its worker. Capacity: `groupCount` groups of `laneCapacity` lanes.
struct SlotGroups {
    static var groupCount: Int { @_noLocks get { 64 } }
    /// Segments of one UDP_SEGMENT send (UDP_MAX_SEGMENTS).
    static var laneCapacity: Int { @_noLocks get { 128 } }

    private let slots: Column<UInt32>
    private let counts: Column<UInt32>
    private let free: Column<UInt32>
    private let freeCount: Cell<Int>

    init() {
        slots = Column(count: Self.groupCount * Self.laneCapacity, repeating: 0)
        counts = Column(count: Self.groupCount, repeating: 0)
        free = Column(count: Self.groupCount, repeating: 0)
        freeCount = Cell(Self.groupCount)
        for group in 0..<Self.groupCount { free[group] = UInt32(group) }
    }

    var hasFree: Bool { @_noLocks get { freeCount.value > 0 } }

    /// An empty group, or -1.
    @_noLocks
    func take() -> Int {
        guard freeCount.value > 0 else { return -1 }
        freeCount.value = freeCount.value &- 1
        let group = Int(free[freeCount.value])
        counts[group] = 0
        return group
    }

    @_noLocks
    func append(_ slot: UInt32, to group: Int) {
        let count = Int(counts[group])
        guard count < Self.laneCapacity else { return }
        slots[group &* Self.laneCapacity &+ count] = slot
        counts[group] = UInt32(truncatingIfNeeded: count &+ 1)
    }

    @_noLocks
    func count(_ group: Int) -> Int { Int(counts[group]) }

    @_noLocks
    func slot(_ group: Int, _ index: Int) -> UInt32 {
        slots[group &* Self.laneCapacity &+ index]
    }

    @_noLocks
    func giveBack(_ group: Int) {
        free[freeCount.value] = UInt32(truncatingIfNeeded: group)
        freeCount.value = freeCount.value &+ 1
    }

    func deallocate() {
        slots.deallocate()
        counts.deallocate()
        free.deallocate()
        freeCount.deallocate()
    }
}
