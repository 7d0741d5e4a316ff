public import Wire

/// The inverse of `Segmenter`: consecutive TCP segments of one flow become one super-packet again,
/// so that a tap or a packet socket is written once and not forty times.
///
/// A segment is taken only when cutting the result would give it back: same addresses, ports,
/// acknowledgement, window and options, the next sequence number, the same size (the last may be
/// shorter), nothing in the flags but ACK and, at the end, PSH. Its checksum is verified first,
/// because the super-packet's receiver will not look at it any more.
///
/// Cost: one pass over each payload for the checksum.
/// Standard: RFC 9293 section 3.1; the rules are those of any receive offload.
public struct SegmentMerger {
    private let first: FrameView
    private let layers: FrameLayers
    private var nextSequence: UInt32
    private var identification: UInt16
    private var isEnded: Bool
    private var endsWithPush: Bool
    /// Payload bytes of every segment but the last.
    public let segmentSize: Int
    /// Payload bytes taken so far.
    public private(set) var payloadByteCount: Int
    public private(set) var segmentCount: Int

    /// The largest IP packet a super-packet may be.
    private static var maximumPacketByteCount: Int { @_noLocks get { 65_535 } }

    /// Begins with `frame`; nil when it cannot be part of a super-packet.
    @_noLocks
    public init?(_ frame: FrameView) {
        guard let layers = Self.mergeable(frame) else { return nil }
        let header = TCPHeader(frame: frame, at: layers.transportOffset)
        first = frame
        self.layers = layers
        segmentSize = layers.endOffset &- layers.payloadOffset
        payloadByteCount = segmentSize
        nextSequence = header.sequenceNumber &+ UInt32(truncatingIfNeeded: segmentSize)
        identification = frame.loadUInt16(at: layers.layer3Offset &+ 4)
        endsWithPush = header.flags & TCPHeader.Flag.psh != 0
        isEnded = endsWithPush
        segmentCount = 1
    }

    /// Takes `frame` as the next segment. False when it does not continue the run.
    @_noLocks
    public mutating func take(_ frame: FrameView) -> Bool {
        guard !isEnded, let next = Self.mergeable(frame), continues(frame, next) else {
            return false
        }
        let header = TCPHeader(frame: frame, at: next.transportOffset)
        let size = next.endOffset &- next.payloadOffset
        let packet = layers.payloadOffset &- layers.layer3Offset &+ payloadByteCount &+ size
        guard header.sequenceNumber == nextSequence, size <= segmentSize,
            packet <= Self.maximumPacketByteCount
        else { return false }
        payloadByteCount &+= size
        nextSequence = nextSequence &+ UInt32(truncatingIfNeeded: size)
        identification = frame.loadUInt16(at: next.layer3Offset &+ 4)
        endsWithPush = header.flags & TCPHeader.Flag.psh != 0
        isEnded = endsWithPush || size < segmentSize
        segmentCount &+= 1
        return true
    }

    /// Bytes in front of every segment's payload.
    public var headerByteCount: Int { @_noLocks get { layers.payloadOffset } }

    /// The payload of a segment that was taken.
    @_noLocks
    public func payload(of frame: FrameView) -> FrameView {
        let network = layers.layer3Offset
        let end =
            layers.isIPv6
            ? network &+ IPv6Header.byteCount &+ IPv6Header(frame: frame, at: network).payloadLength
            : network &+ IPv4Header(frame: frame, at: network).totalLength
        return frame.prefix(end).dropFirst(layers.payloadOffset)
    }

    /// Writes the super-packet's headers and gives its metadata.
    /// - Parameter header: `headerByteCount` bytes outside of the frames.
    @_noLocks
    public func writeHeader(_ header: FrameView) -> Segmentation {
        var offset = 0
        while offset < layers.payloadOffset {
            header.store(first.loadUInt8(at: offset), at: offset)
            offset &+= 1
        }
        let transport = layers.payloadOffset &- layers.transportOffset &+ payloadByteCount
        if layers.isIPv6 {
            IPv6Header(frame: header, at: layers.layer3Offset).payloadLength = transport
        } else {
            let ip = IPv4Header(frame: header, at: layers.layer3Offset)
            ip.totalLength = IPv4Header.byteCount &+ transport
            ip.updateChecksum()
        }
        let tcp = TCPHeader(frame: header, at: layers.transportOffset)
        if endsWithPush { tcp.flags = tcp.flags | TCPHeader.Flag.psh }
        // What a sender leaves to its card: the sum of the pseudo-header, not complemented.
        header.store(
            InternetChecksum.fold(layers.pseudoHeader(header, length: transport)),
            at: layers.checksumOffset)
        return Segmentation(
            kind: layers.isIPv6 ? .tcp6 : .tcp4, isCongestionAware: false,
            segmentSize: UInt16(truncatingIfNeeded: segmentSize),
            headerLength: UInt16(truncatingIfNeeded: layers.payloadOffset),
            checksumStart: UInt16(truncatingIfNeeded: layers.transportOffset),
            checksumOffset: UInt16(truncatingIfNeeded: TCPHeader.checksumOffset),
            needsChecksum: true)
    }

    /// The layers of a frame that may be part of a super-packet: TCP with payload, no IP options or
    /// extension headers, no flag but ACK and PSH, checksums right.
    @_noLocks
    private static func mergeable(_ frame: FrameView) -> FrameLayers? {
        guard let layers = FrameLayers.parse(frame),
            layers.protocolNumber == ProtocolNumber.tcp,
            layers.payloadOffset < layers.endOffset,
            layers.payloadOffset <= Segmenter.maximumHeaderByteCount
        else { return nil }
        let headers = layers.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount
        guard layers.transportOffset &- layers.layer3Offset == headers else { return nil }
        let allowed = TCPHeader.Flag.ack | TCPHeader.Flag.psh
        let flags = TCPHeader(frame: frame, at: layers.transportOffset).flags
        guard flags & ~allowed == 0, flags & TCPHeader.Flag.ack != 0 else { return nil }
        if !layers.isIPv6 {
            let ip = IPv4Header(frame: frame, at: layers.layer3Offset)
            guard ip.hasValidChecksum else { return nil }
        }
        let sum = InternetChecksum.sum(
            frame, offset: layers.transportOffset, length: layers.transportByteCount,
            initial: layers.pseudoHeader(frame, length: layers.transportByteCount))
        return InternetChecksum.fold(sum) == 0xFFFF ? layers : nil
    }

    /// All that a cut segment repeats is the same: everything but lengths, identification,
    /// checksums, sequence number and PSH.
    @_noLocks
    private func continues(_ frame: FrameView, _ next: FrameLayers) -> Bool {
        guard next.isIPv6 == layers.isIPv6, next.layer3Offset == layers.layer3Offset,
            next.payloadOffset == layers.payloadOffset,
            isSame(frame, 0, layers.layer3Offset)
        else { return false }
        let network = layers.layer3Offset
        if layers.isIPv6 {
            guard isSame(frame, network, 4), isSame(frame, network &+ 6, 34) else { return false }
        } else {
            guard isSame(frame, network, 2), isSame(frame, network &+ 6, 4),
                isSame(frame, network &+ 12, 8)
            else { return false }
            let isFixed = frame.loadUInt8(at: network &+ 6) & 0x40 != 0
            let now = frame.loadUInt16(at: network &+ 4)
            guard isFixed || now == identification &+ 1 else { return false }
        }
        let transport = layers.transportOffset
        // Ports; acknowledgement, data offset; window; options.
        guard isSame(frame, transport, 4), isSame(frame, transport &+ 8, 5),
            isSame(frame, transport &+ 14, 2),
            isSame(frame, transport &+ 18, layers.payloadOffset &- transport &- 18)
        else { return false }
        return true
    }

    @_noLocks
    private func isSame(_ frame: FrameView, _ offset: Int, _ count: Int) -> Bool {
        guard frame.holds(count, at: offset), first.holds(count, at: offset) else { return false }
        let end = offset &+ count
        var position = offset
        var difference: UInt64 = 0
        while end &- position >= 8 {
            difference |= frame.loadUInt64(at: position) ^ first.loadUInt64(at: position)
            position &+= 8
        }
        while end &- position >= 2 {
            difference |= UInt64(frame.loadUInt16(at: position) ^ first.loadUInt16(at: position))
            position &+= 2
        }
        if position < end {
            difference |= UInt64(frame.loadUInt8(at: position) ^ first.loadUInt8(at: position))
        }
        return difference == 0
    }
}
