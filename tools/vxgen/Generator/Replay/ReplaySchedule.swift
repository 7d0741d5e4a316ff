/// When which frame of a replay is due, in nanoseconds after the start.
public struct ReplaySchedule: Sendable {
    private let moments: [UInt64]
    /// Nanoseconds from the first frame of one loop to that of the next.
    private let period: Double
    private let loops: UInt64?

    /// - Parameter frames: at least one. One that is older than those before it is due with them.
    public init(_ frames: [Capture.Frame], _ timing: ReplayPlan.Timing, loops: UInt64?) {
        self.loops = loops
        switch timing {
        case .captured(let speed):
            var latest = frames[0].time
            moments = frames.map { frame in
                latest = max(latest, frame.time)
                return UInt64(Double(latest - frames[0].time) / speed)
            }
            // The gap between two loops is the mean one between frames.
            let length = Double(moments.last ?? 0)
            period = frames.count > 1 ? length * Double(frames.count) / Double(frames.count - 1) : 0
        case .rate(let rate):
            let bytes = frames.reduce(0) { $0 + $1.byteCount + FrameWriter.checkByteCount }
            let perSecond = rate.packetsPerSecond(
                meanByteCount: Double(bytes) / Double(frames.count))
            let gap = perSecond.map { 1e9 / $0 } ?? 0
            moments = frames.indices.map { UInt64(Double($0) * gap) }
            period = gap * Double(frames.count)
        }
    }

    /// Frames in all; nil is without end.
    public var count: UInt64? { loops.map { $0 &* UInt64(moments.count) } }

    /// The frame with this number, counted through all loops; nil after the last.
    public func frame(_ number: UInt64) -> (index: Int, moment: UInt64)? {
        let count = UInt64(moments.count)
        let loop = number / count
        if let loops, loop >= loops { return nil }
        let index = Int(number % count)
        return (index, UInt64(Double(loop) * period) + moments[index])
    }
}
