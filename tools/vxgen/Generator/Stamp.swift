public import Wire

/// What every frame carries in the first 18 bytes of its UDP payload, so that it is recognized
/// wherever it comes out: beyond bridges, routers and tunnels.
///
/// Layout, big endian: magic 3, stream 3, sequence 4, time 5, check 3. It just fits the shortest
/// Ethernet frame. The magic names the run, so that stragglers of another one do not count. The
/// time is the low 40 bits of CLOCK_MONOTONIC in nanoseconds: enough for latencies of 18 minutes.
public struct Stamp: Equatable, Sendable, BitwiseCopyable {
    public var magic: UInt32
    public var stream: UInt32
    public var sequence: UInt32
    public var time: UInt64

    public static var byteCount: Int { @_noLocks get { 18 } }
    public static var timeMask: UInt64 { @_noLocks get { 0xFF_FFFF_FFFF } }
    /// Streams that 24 bits can number.
    public static var maximumStreams: Int { @_noLocks get { 1 &<< 24 } }

    /// Keeps the low bits that the layout has room for.
    @_noLocks
    public init(magic: UInt32, stream: UInt32, sequence: UInt32, time: UInt64) {
        self.magic = magic & 0xFF_FFFF
        self.stream = stream & 0xFF_FFFF
        self.sequence = sequence
        self.time = time & Self.timeMask
    }

    /// The magic of a run: 'V', and 16 bits that differ from run to run.
    public static func magic(of run: UInt64) -> UInt32 {
        0x56_0000 | UInt32(truncatingIfNeeded: SplitMix.mix(run)) & 0xFFFF
    }

    /// The magic of frames that do not count: no run has it.
    public static let warmUpMagic: UInt32 = 0x57_0000

    @_noLocks
    public func store(to frame: FrameView, at offset: Int) {
        frame.store(magic &<< 8 | stream &>> 16, at: offset)
        frame.store(UInt16(truncatingIfNeeded: stream), at: offset &+ 4)
        frame.store(sequence, at: offset &+ 6)
        frame.store(UInt32(truncatingIfNeeded: time &>> 8), at: offset &+ 10)
        let low = UInt32(truncatingIfNeeded: time & 0xFF)
        frame.store(low &<< 24 | check, at: offset &+ 14)
    }

    /// The magic of whatever lies there.
    @_noLocks
    public static func loadMagic(from frame: FrameView, at offset: Int) -> UInt32 {
        frame.loadUInt32(at: offset) &>> 8
    }

    /// - Returns: nil when the check does not match what it covers.
    @_noLocks
    public static func load(from frame: FrameView, at offset: Int) -> Stamp? {
        let first = frame.loadUInt32(at: offset)
        let last = frame.loadUInt32(at: offset &+ 14)
        let stamp = Stamp(
            magic: first &>> 8,
            stream: (first & 0xFF) &<< 16 | UInt32(frame.loadUInt16(at: offset &+ 4)),
            sequence: frame.loadUInt32(at: offset &+ 6),
            time: UInt64(frame.loadUInt32(at: offset &+ 10)) &<< 8 | UInt64(last &>> 24))
        return stamp.check == last & 0xFF_FFFF ? stamp : nil
    }

    /// 24 bits over everything else.
    private var check: UInt32 {
        @_noLocks get {
            let names = UInt64(magic) &<< 24 | UInt64(stream)
            let moment = SplitMix.mix(names) ^ UInt64(sequence)
            return UInt32(truncatingIfNeeded: SplitMix.mix(moment ^ time &<< 24) &>> 40)
        }
    }
}
