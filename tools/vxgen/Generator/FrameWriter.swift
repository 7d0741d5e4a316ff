internal import Memory
public import Wire

/// Writes the frames of a run: Ethernet, IPv4, UDP, a stamp, and bytes that fill up the length.
///
/// The head of a frame is its own; what follows is the same for all frames of a length, so one
/// copy of it serves them all. Checksums are complete: nothing is left to a device.
///
/// A *step* is one length of one stream's pattern; the steps of all streams lie one after the
/// other.
///
/// A trivial handle; `deallocate()` ends it. Thread-safety: immutable, but for the magic.
@safe
public struct FrameWriter: Sendable {
    /// Ethernet 14, IPv4 20, UDP 8, stamp 18: all of the shortest frame.
    public static var headByteCount: Int { @_noLocks get { 60 } }
    /// A VLAN tag, which moves everything behind the addresses.
    public static var tagByteCount: Int { @_noLocks get { 4 } }
    /// The frame check sequence, which the device makes.
    public static var checkByteCount: Int { @_noLocks get { 4 } }

    private static var etherTypeOffset: Int { @_noLocks get { 12 } }
    private static var ipv4Offset: Int { @_noLocks get { 14 } }
    private static var udpOffset: Int { @_noLocks get { 34 } }
    static var stampOffset: Int { @_noLocks get { 42 } }

    public var magic: UInt32
    private let fill: Column<UInt8>
    private let steps: Column<Step>
    private let firstSteps: Column<Int>

    /// What is the same for all frames of a step.
    private struct Step: BitwiseCopyable, Sendable {
        /// Bytes handed over, and those of them that are the frame's own.
        let length: Int32
        let head: Int32
        /// Unfolded, over the fill.
        let fillSum: UInt64
        let typeOfService: UInt8
        let timeToLive: UInt8
    }

    public init(streams: [StreamPlan], magic: UInt32) {
        self.magic = magic
        fill = Column(count: streams.map(\.sizes.longest).max() ?? 0, repeating: 0)
        for index in 0..<fill.count { fill[index] = UInt8(truncatingIfNeeded: index) }
        var steps: [Step] = []
        var firstSteps: [Int] = []
        for stream in streams {
            firstSteps.append(steps.count)
            for size in stream.sizes.pattern {
                let length = size - Self.checkByteCount
                let view = unsafe FrameView(
                    base: fill.pointer(at: 0), count: length - stream.headByteCount)
                steps.append(
                    Step(
                        length: Int32(length), head: Int32(stream.headByteCount),
                        fillSum: InternetChecksum.sum(
                            view, offset: 0, length: view.count, initial: 0),
                        typeOfService: stream.typeOfService, timeToLive: stream.timeToLive))
            }
        }
        firstSteps.append(steps.count)
        self.firstSteps = Column(firstSteps, default: 0)
        self.steps = Column(count: steps.count, repeating: steps[0])
        for (index, step) in steps.enumerated() { self.steps[index] = step }
    }

    public func deallocate() {
        fill.deallocate()
        steps.deallocate()
        firstSteps.deallocate()
    }

    /// The steps of a stream.
    public func steps(of stream: Int) -> Range<Int> {
        firstSteps[stream]..<firstSteps[stream + 1]
    }

    /// Bytes of a frame of this step as a device takes them: without FCS.
    @_noLocks
    public func frameByteCount(_ step: Int) -> Int { Int(steps[step].length) }

    /// Bytes of it that differ from frame to frame, at the start.
    @_noLocks
    public func headByteCount(_ step: Int) -> Int { Int(steps[step].head) }

    /// The bytes that follow the head.
    @_noLocks
    public func fillView(_ step: Int) -> FrameView {
        let step = steps[step]
        return unsafe FrameView(base: fill.pointer(at: 0), count: Int(step.length &- step.head))
    }

    /// Writes the head of one frame.
    /// - Parameters:
    ///   - head: as many bytes as `headByteCount(step)`.
    ///   - number: of `flow` in the run, from whose `sequence` the frame takes its own.
    ///   - time: nanoseconds, now.
    @_noLocks
    public func write(_ flow: Flow, number: UInt32, step: Int, time: UInt64, to head: FrameView) {
        let step = steps[step]
        head.store(flow.destinationMAC, at: 0)
        head.store(flow.sourceMAC, at: 6)
        var rest = head
        var length = Int(step.length)
        if flow.vlan != 0 {
            head.store(EtherType.customerTag, at: Self.etherTypeOffset)
            head.store(flow.vlan, at: Self.ipv4Offset)
            rest = head.dropFirst(Self.tagByteCount)
            length &-= Self.tagByteCount
        }
        rest.store(EtherType.ipv4, at: Self.etherTypeOffset)
        IPv4Header(frame: rest, at: Self.ipv4Offset).emit(
            source: flow.source, destination: flow.destination,
            protocolNumber: ProtocolNumber.udp, totalLength: length &- Self.ipv4Offset,
            timeToLive: step.timeToLive, typeOfService: step.typeOfService, identification: 0,
            dontFragment: true)
        let datagramLength = length &- Self.udpOffset
        let header = UDPHeader(frame: rest, at: Self.udpOffset)
        header.emit(
            sourcePort: flow.sourcePort, destinationPort: flow.destinationPort,
            length: datagramLength, checksum: 0)
        Stamp(magic: magic, stream: number, sequence: flow.sequence, time: time)
            .store(to: rest, at: Self.stampOffset)
        let pseudoHeader = InternetChecksum.pseudoHeaderIPv4(
            source: flow.source, destination: flow.destination,
            protocolNumber: ProtocolNumber.udp, length: datagramLength)
        let sum = InternetChecksum.sum(
            rest, offset: Self.udpOffset, length: Self.headByteCount &- Self.udpOffset,
            initial: pseudoHeader &+ step.fillSum)
        rest.store(
            InternetChecksum.checksumUDP(sum), at: Self.udpOffset &+ UDPHeader.checksumOffset)
    }
}
