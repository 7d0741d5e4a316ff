/// When which frame is due: an absolute schedule, so that the rate is exact over any length of
/// time, whatever the machine does in between.
///
/// A sender that was held up catches up, but at no more than four times the asked rate: what
/// waits does not leave as one burst that no network was asked to carry.
///
/// All times are nanoseconds of one clock.
public struct Pacer: Sendable {
    public let start: UInt64
    /// No frame leaves from here on.
    public let end: UInt64
    /// Frames that were due before the end of a paced run may leave so much later, which hides the
    /// last hiccup of the machine.
    public static var grace: UInt64 { @_noLocks get { 20_000_000 } }
    /// How many times the asked rate a sender that lags behind may reach.
    private static var catchUp: Double { @_noLocks get { 4 } }
    /// Frames in all.
    public let limit: UInt64
    /// Frames in a nanosecond; 0 is without limit.
    private let perNanosecond: Double
    /// Frames that leave together.
    private let burst: UInt64
    private let depth: Double
    private var tokens: Double
    private var lastRefill: UInt64
    /// Frames that left or are on their way out.
    public private(set) var offered: UInt64 = 0

    /// - Parameters:
    ///   - packetsPerSecond: nil is as fast as possible.
    ///   - duration: nanoseconds; nil is without end.
    ///   - limit: frames; nil is without end.
    ///   - burst: frames that become due together.
    public init(
        start: UInt64, packetsPerSecond: Double?, duration: UInt64?, limit: UInt64?, burst: Int
    ) {
        self.start = start
        perNanosecond = (packetsPerSecond ?? 0) / 1e9
        let grace = packetsPerSecond == nil ? 0 : Self.grace
        end = duration.map { start + $0 + grace } ?? .max
        var frames = limit ?? .max
        // A frame is due at the start and one after each interval that ends within the duration.
        if let duration, perNanosecond > 0 {
            frames = min(frames, Self.frames(in: Double(duration) * perNanosecond))
        }
        self.limit = frames
        self.burst = UInt64(max(1, burst))
        // What a sender that catches up sends in a millisecond, and a full batch at least.
        depth = max(64, perNanosecond * Self.catchUp * 1e6)
        tokens = depth
        lastRefill = start
    }

    /// Nothing is due any more, now or later.
    @_noLocks
    public func isOver(at now: UInt64) -> Bool { offered >= limit || now >= end }

    /// Frames that may leave now, at most `most`.
    @_noLocks
    public mutating func due(at now: UInt64, most: Int) -> Int {
        guard now >= start, !isOver(at: now) else { return 0 }
        let left = min(limit &- offered, UInt64(truncatingIfNeeded: most))
        guard perNanosecond > 0 else { return Int(left) }
        let gained = Double(now &- lastRefill) * perNanosecond * Self.catchUp
        tokens = min(depth, tokens + gained)
        lastRefill = now
        var frames = scheduled(at: now) &- min(offered, scheduled(at: now))
        frames = min(frames, UInt64(tokens))
        frames = min(left, frames)
        // The last burst of a run may be a part of one.
        return frames < burst && frames < limit &- offered ? 0 : Int(frames)
    }

    /// Frames were handed to the device.
    @_noLocks
    public mutating func take(_ frames: Int) {
        offered &+= UInt64(truncatingIfNeeded: frames)
        if perNanosecond > 0 { tokens -= Double(frames) }
    }

    /// The device did not take them: they are due again.
    @_noLocks
    public mutating func giveBack(_ frames: Int) {
        offered &-= min(offered, UInt64(truncatingIfNeeded: frames))
    }

    /// Nanoseconds until something may be due; 0 when it is or when all is over.
    @_noLocks
    public func wait(at now: UInt64) -> UInt64 {
        if now < start { return start &- now }
        guard perNanosecond > 0, !isOver(at: now) else { return 0 }
        let wanted = min(burst, limit &- offered)
        let moment = Double(offered &+ wanted &- 1) / perNanosecond
        var wait = max(0, moment - Double(now &- start))
        let missing = Double(wanted) - tokens
        if missing > 0 { wait = max(wait, missing / (Self.catchUp * perNanosecond)) }
        return min(UInt64(wait) &+ 1, end &- now)
    }

    /// The moment at which the interval of the last frame ends.
    public var scheduledEnd: UInt64 {
        @_noLocks get {
            guard perNanosecond > 0 else { return start }
            return min(end, start &+ UInt64(Double(offered) / perNanosecond))
        }
    }

    /// Frames that the schedule has asked for until now; 0 when there is neither rate nor limit.
    public func asked(at now: UInt64) -> UInt64 {
        guard perNanosecond > 0 else { return limit == .max ? 0 : limit }
        return now < start ? 0 : scheduled(at: now)
    }

    /// Intervals begun, where a ten millionth of one is an error of rounding.
    private static func frames(in intervals: Double) -> UInt64 {
        UInt64((intervals - 1e-7).rounded(.up))
    }

    /// Frames due since the start.
    @_noLocks
    private func scheduled(at now: UInt64) -> UInt64 {
        min(limit, UInt64(Double(now &- start) * perNanosecond) &+ 1)
    }
}
