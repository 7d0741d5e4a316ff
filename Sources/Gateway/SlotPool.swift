internal import Memory

/// How many lanes and sends still use each receive buffer of one worker.
///
/// A slot is a buffer's group above 16 bits and its number within the group below. A buffer goes
/// back to the kernel when the last user lets go.
/// The third group is not the kernel's: frames that come from the agent lie in it.
///
/// Thread-safety: its worker. Capacity: two groups of `buffersPerGroup`, one of `originCount`.
@safe
struct SlotPool {
    /// Super-packets of 64 KiB need buffers of that size; 512 hold more than one turn takes in, and
    /// all of them touched are 35 MB.
    static var buffersPerGroup: Int { @_noLocks get { 512 } }
    static var underlayGroup: UInt16 { @_noLocks get { 0 } }
    static var accessGroup: UInt16 { @_noLocks get { 1 } }
    static var originGroup: UInt16 { @_noLocks get { 2 } }
    /// Frames of the agent in one batch; those beyond wait in their ring.
    static var originCount: Int { @_noLocks get { 64 } }
    /// In front of what the kernel writes, so that a header always fits before a frame.
    static let headroom = 64
    /// 64 KiB with what the kernel puts in front. An odd multiple of a cache line, so that the
    /// first lines of all buffers do not fall into one set of the cache.
    static let stride = 64 * 1093
    static let bufferLength = stride - headroom - 64

    private let users: Column<UInt16>
    private let origins: Column<UInt32>
    private let originCountFree: Cell<Int>
    /// Held by hand, so that the pool stays a trivial value that hot code may copy.
    private let region: Unmanaged<PageRegion>
    let base: UnsafeMutableRawPointer

    init() {
        let count = Self.buffersPerGroup * 2 + Self.originCount
        users = Column(count: count, repeating: 0)
        origins = Column(count: Self.originCount, repeating: 0)
        originCountFree = Cell(Self.originCount)
        for index in 0..<Self.originCount { origins[index] = UInt32(index) }
        let pages = PageRegion(byteCount: count * Self.stride)
        unsafe base = pages.base
        unsafe region = Unmanaged.passRetained(pages)
    }

    @_noLocks
    static func slot(group: UInt16, buffer: Int) -> UInt32 {
        UInt32(group) &<< 16 | UInt32(truncatingIfNeeded: buffer) & 0xFFFF
    }
    @_noLocks
    static func group(of slot: UInt32) -> UInt16 { UInt16(truncatingIfNeeded: slot &>> 16) }
    @_noLocks
    static func buffer(of slot: UInt32) -> Int { Int(slot & 0xFFFF) }

    /// A slot for a frame from the agent, or nil when all are in use.
    @_noLocks
    func takeOrigin() -> UInt32? {
        guard originCountFree.value > 0 else { return nil }
        originCountFree.value = originCountFree.value &- 1
        return Self.slot(
            group: Self.originGroup, buffer: Int(origins[originCountFree.value]))
    }

    @_noLocks
    func giveBackOrigin(_ slot: UInt32) {
        origins[originCountFree.value] = slot & 0xFFFF
        originCountFree.value = originCountFree.value &+ 1
    }

    /// Where the frame of an origin slot begins, and how many bytes it may have.
    @_noLocks
    func originFrame(_ slot: UInt32) -> (UnsafeMutablePointer<UInt8>, Int) {
        let offset = Self.index(slot) &* Self.stride &+ Self.headroom
        return unsafe (
            (base + offset).assumingMemoryBound(to: UInt8.self), Self.bufferLength
        )
    }

    /// One more user.
    @_noLocks
    func retain(_ slot: UInt32) {
        let index = Self.index(slot)
        users[index] = users[index] &+ 1
    }

    /// One user less; true when it was the last.
    @_noLocks
    func release(_ slot: UInt32) -> Bool {
        let index = Self.index(slot)
        let left = users[index] &- 1
        users[index] = left
        return left == 0
    }

    @_noLocks
    private static func index(_ slot: UInt32) -> Int {
        Int(group(of: slot)) &* buffersPerGroup &+ buffer(of: slot)
    }

    /// Buffers of a group that a lane or a send uses.
    func usedCount() -> Int {
        var used = 0
        for index in 0..<users.count where users[index] != 0 { used += 1 }
        return used
    }

    func deallocate() {
        users.deallocate()
        origins.deallocate()
        originCountFree.deallocate()
        unsafe region.release()
    }
}
