public import Memory
internal import Wire

/// The two ways by which a worker speaks to the agent: events, and frames that are copied.
///
/// A trivial handle, one pointer wide. Thread-safety: the worker pushes; the agent takes from the
/// rings it was made with.
@safe
public struct PuntPort: Sendable {
    nonisolated(unsafe) private let rings: UnsafeMutablePointer<Rings>

    private struct Rings {
        let events: SPSCRing<PuntEvent>
        let frames: FrameRing<PuntHeader>
        let holdOrder: HoldOrder?
    }

    /// - Parameter holdOrder: nil where packets come one by one, and none while the agent works.
    public init(
        events: SPSCRing<PuntEvent>, frames: FrameRing<PuntHeader>, holdOrder: HoldOrder? = nil
    ) {
        unsafe rings = .allocate(capacity: 1)
        unsafe rings.initialize(
            to: Rings(events: events, frames: frames, holdOrder: holdOrder))
    }

    public var holdOrder: HoldOrder? { @_noLocks get { unsafe rings.pointee.holdOrder } }

    /// Of all frames pushed so far.
    var frameBytes: UInt64 { @_noLocks get { unsafe rings.pointee.frames.pushedBytes } }

    /// False when the ring is full.
    @_noLocks
    func push(_ event: PuntEvent) -> Bool { unsafe rings.pointee.events.push(event) }

    /// False when the ring is full.
    @_noLocks
    func push(_ header: PuntHeader, _ frame: FrameView) -> Bool {
        unsafe rings.pointee.frames.push(header, frame.pointer, count: frame.count)
    }

    /// Grows whenever something was pushed.
    public var pushedCount: UInt64 {
        @_noLocks get {
            unsafe rings.pointee.events.pushedCount &+ rings.pointee.frames.pushedBytes
        }
    }

    /// Frees the handle; the rings belong to who made them.
    public func deallocate() { unsafe rings.deallocate() }
}
