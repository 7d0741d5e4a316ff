internal import Memory
public import Wire

/// Writes the frames of a run: Ethernet, IPv4, UDP, a stamp, and bytes that fill up the length.
///
/// The first `headByteCount` bytes are a frame's own; what follows is the same for all frames
/// of a length, so one copy of it serves them all. Checksums are complete: nothing is left to a
/// device.
///
/// A trivial handle; `deallocate()` ends it. Thread-safety: immutable.
@safe
public struct FrameWriter: Sendable {
    /// Ethernet 14, IPv4 20, UDP 8, stamp 18: all of the shortest frame.
    public static var headByteCount: Int { @_noLocks get { 60 } }
    /// The frame check sequence, which the device makes.
    public static var checkByteCount: Int { @_noLocks get { 4 } }

    private static var ipv4Offset: Int { @_noLocks get { 14 } }
    private static var udpOffset: Int { @_noLocks get { 34 } }
    static var stampOffset: Int { @_noLocks get { 42 } }

    public let magic: UInt32
    private let sourceMAC: MACAddress
    private let destinationMAC: MACAddress
    private let fill: Column<UInt8>
    /// For each step of the pattern: bytes handed over, and the unfolded sum of its fill.
    private let lengths: Column<UInt32>
    private let fillSums: Column<UInt64>

    public init(
        sizes: FrameSizes, magic: UInt32, sourceMAC: MACAddress, destinationMAC: MACAddress
    ) {
        self.magic = magic
        self.sourceMAC = sourceMAC
        self.destinationMAC = destinationMAC
        fill = Column(count: sizes.longest, repeating: 0)
        for index in 0..<fill.count { fill[index] = UInt8(truncatingIfNeeded: index) }
        lengths = Column(
            sizes.pattern.map { UInt32($0 - Self.checkByteCount) }, default: 0)
        fillSums = Column(count: sizes.pattern.count, repeating: 0)
        for step in 0..<lengths.count {
            let fill = fillView(step)
            fillSums[step] = InternetChecksum.sum(fill, offset: 0, length: fill.count, initial: 0)
        }
    }

    public func deallocate() {
        fill.deallocate()
        lengths.deallocate()
        fillSums.deallocate()
    }

    /// Lengths in the pattern.
    public var steps: Int { @_noLocks get { lengths.count } }

    /// Bytes of a frame of this step as a device takes them: without FCS.
    @_noLocks
    public func frameByteCount(_ step: Int) -> Int { Int(lengths[step]) }

    /// The bytes that follow the head.
    @_noLocks
    public func fillView(_ step: Int) -> FrameView {
        unsafe FrameView(
            base: fill.pointer(at: 0), count: frameByteCount(step) &- Self.headByteCount)
    }

    /// Writes the head of one frame.
    /// - Parameters:
    ///   - head: `headByteCount` bytes.
    ///   - stream: the number of `flow`, from whose `sequence` the frame takes its own.
    ///   - time: nanoseconds, now.
    @_noLocks
    public func write(_ flow: Flow, stream: UInt32, step: Int, time: UInt64, to head: FrameView) {
        let length = frameByteCount(step)
        EthernetHeader(frame: head, at: 0).emit(
            destination: destinationMAC, source: sourceMAC, etherType: EtherType.ipv4)
        IPv4Header(frame: head, at: Self.ipv4Offset).emit(
            source: flow.source, destination: flow.destination,
            protocolNumber: ProtocolNumber.udp, totalLength: length &- Self.ipv4Offset,
            timeToLive: 64, typeOfService: 0, identification: 0, dontFragment: true)
        let datagramLength = length &- Self.udpOffset
        let header = UDPHeader(frame: head, at: Self.udpOffset)
        header.emit(
            sourcePort: flow.sourcePort, destinationPort: flow.destinationPort,
            length: datagramLength, checksum: 0)
        Stamp(magic: magic, stream: stream, sequence: flow.sequence, time: time)
            .store(to: head, at: Self.stampOffset)
        let pseudoHeader = InternetChecksum.pseudoHeaderIPv4(
            source: flow.source, destination: flow.destination,
            protocolNumber: ProtocolNumber.udp, length: datagramLength)
        let sum = InternetChecksum.sum(
            head, offset: Self.udpOffset, length: Self.headByteCount &- Self.udpOffset,
            initial: pseudoHeader &+ fillSums[step])
        head.store(
            InternetChecksum.checksumUDP(sum), at: Self.udpOffset &+ UDPHeader.checksumOffset)
    }
}
