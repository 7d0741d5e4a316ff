internal import Memory

/// To which stream a flow belongs: flows are numbered through the streams of a run.
///
/// A trivial handle; `deallocate()` ends it. Thread-safety: immutable.
struct StreamIndex: Sendable {
    /// The first flow of each stream, and the number of all flows.
    private let firsts: Column<UInt32>

    init(_ streams: [StreamPlan]) {
        var next: UInt32 = 0
        var firsts: [UInt32] = [0]
        for stream in streams {
            next += UInt32(stream.flows)
            firsts.append(next)
        }
        self.firsts = Column(firsts, default: 0)
    }

    func deallocate() { firsts.deallocate() }

    /// - Precondition: there is such a flow.
    @_noLocks
    func stream(of flow: UInt32) -> Int {
        var low = 0
        var high = firsts.count &- 1
        while high &- low > 1 {
            let middle = (low &+ high) &>> 1
            if firsts[middle] <= flow { low = middle } else { high = middle }
        }
        return low
    }
}
