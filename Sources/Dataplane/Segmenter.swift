public import Wire

/// Cuts a super-packet into the packets it stands for, one header at a time.
///
/// A segment is a header of its own, written into memory that the caller gives, and a range of the
/// super-packet's payload, which is not copied. All lengths come from the frame itself; of the
/// metadata only the kind, which must agree with the frame, and the segment size are used.
///
/// Cost: for each segment one copy of the headers and one pass over its payload for the checksum.
/// Standard: RFC 9293 section 3.1, RFC 768, RFC 791; ECN flags as RFC 3168 section 6.1.2 asks.
public struct Segmenter {
    /// One packet: `headerByteCount` bytes of the caller's memory, then a range of the
    /// super-packet.
    public struct Segment {
        public let headerByteCount: Int
        public let payloadOffset: Int
        public let payloadByteCount: Int
    }

    private let frame: FrameView
    private let layers: FrameLayers
    private let segmentSize: Int
    /// The sender uses no UDP checksum, and neither do the segments.
    private let omitsChecksum: Bool
    private let isFragmenting: Bool
    /// The sum over what all segments have alike of the IPv4 header: no length, identification and
    /// checksum.
    private let networkSum: UInt64
    /// The same of transport header and pseudo-header: no lengths, checksum, sequence number and
    /// flags.
    private let transportSum: UInt64
    /// Bytes of the headers of all segments but the first: later fragments have fewer options.
    private let laterHeaderByteCount: Int
    /// At least 1.
    public let segmentCount: Int

    /// What the header memory of a segment must hold: Ethernet 14, two VLAN tags 8, the longest
    /// IPv4 header 60 and the longest TCP header 60 make 142; the rest is left to IPv6 extensions.
    public static var maximumHeaderByteCount: Int { @_noLocks get { 160 } }

    /// Segments of one super-packet at most. 64 KiB in segments of 48 bytes, the least size that
    /// Linux cuts TCP into, are 1,365; a sender that asks for more wants to do harm.
    public static var maximumSegmentCount: Int { @_noLocks get { 2048 } }

    /// Nil when the frame is not what `segmentation` says, or is not sound: unknown or cut-off
    /// headers, a fragment, TCP with SYN or RST in more than one segment, no segment size, too many
    /// segments, or headers too long.
    @_noLocks
    public init?(frame: FrameView, segmentation: Segmentation) {
        guard let layers = FrameLayers.parse(frame) else { return nil }
        let isTCP = layers.protocolNumber == ProtocolNumber.tcp
        let agrees: Bool
        switch segmentation.kind {
        case .none: agrees = false
        case .tcp4: agrees = isTCP && !layers.isIPv6
        case .tcp6: agrees = isTCP && layers.isIPv6
        case .udp4: agrees = !isTCP && !layers.isIPv6
        case .udp6: agrees = !isTCP && layers.isIPv6
        case .fragments4: agrees = false
        }
        let size = Int(segmentation.segmentSize)
        guard agrees, size > 0, layers.payloadOffset <= Self.maximumHeaderByteCount else {
            return nil
        }
        let payload = layers.endOffset &- layers.payloadOffset
        let count = max((payload &+ size &- 1) / size, 1)
        guard count <= Self.maximumSegmentCount else { return nil }
        if isTCP {
            let flags = TCPHeader(frame: frame, at: layers.transportOffset).flags
            let once = TCPHeader.Flag.syn | TCPHeader.Flag.rst
            guard count == 1 || flags & once == 0 else { return nil }
        }
        self.frame = frame
        self.layers = layers
        self.segmentSize = size
        self.segmentCount = count
        self.isFragmenting = false
        laterHeaderByteCount = layers.payloadOffset
        self.omitsChecksum =
            !isTCP && !layers.isIPv6 && !segmentation.needsChecksum
            && frame.loadUInt16(at: layers.checksumOffset) == 0
        networkSum = layers.isIPv6 ? 0 : Self.networkSum(frame, layers)
        transportSum = Self.transportSum(frame, layers)
    }

    /// A field is taken out of a sum by adding its complement.
    @_noLocks
    private static func networkSum(_ frame: FrameView, _ layers: FrameLayers) -> UInt64 {
        let header = IPv4Header(frame: frame, at: layers.layer3Offset)
        let fields =
            UInt64(~UInt16(truncatingIfNeeded: header.totalLength))
            &+ UInt64(~header.identification) &+ UInt64(~header.checksum)
        return InternetChecksum.sum(
            frame, offset: layers.layer3Offset, length: header.headerByteCount, initial: fields)
    }

    @_noLocks
    private static func transportSum(_ frame: FrameView, _ layers: FrameLayers) -> UInt64 {
        let start = layers.transportOffset
        var fields = UInt64(~frame.loadUInt16(at: layers.checksumOffset))
        if layers.protocolNumber == ProtocolNumber.tcp {
            let header = TCPHeader(frame: frame, at: start)
            fields &+= UInt64(~header.sequenceNumber) &+ UInt64(~UInt16(header.flags))
        } else {
            let length = UDPHeader(frame: frame, at: start).length
            fields &+= UInt64(~UInt16(truncatingIfNeeded: length))
        }
        return InternetChecksum.sum(
            frame, offset: start, length: layers.payloadOffset &- start,
            initial: fields &+ layers.pseudoHeader(frame, length: 0))
    }

    /// An IPv4 packet in fragments. Nil when its lengths are not sound, when it may not be
    /// fragmented, or when no payload fits.
    @_noLocks
    public init?(fragmenting frame: FrameView, maximumPacketByteCount: Int) {
        let start = EthernetHeader.byteCount
        let header = IPv4Header(frame: frame, at: start)
        guard frame.holds(start, at: 0), case .valid = header.checkLengths(),
            !header.dontFragment
        else { return nil }
        let size = (maximumPacketByteCount &- header.headerByteCount) & ~7
        let payload = header.totalLength &- header.headerByteCount
        guard size > 0, payload > 0 else { return nil }
        let count = (payload &+ size &- 1) / size
        guard count <= Self.maximumSegmentCount else { return nil }
        self.frame = frame
        let first = start &+ header.headerByteCount
        layers = FrameLayers(
            layer3Offset: start, transportOffset: first, payloadOffset: first,
            endOffset: start &+ header.totalLength, protocolNumber: header.protocolNumber,
            isIPv6: false)
        segmentSize = size
        segmentCount = count
        omitsChecksum = true
        isFragmenting = true
        networkSum = 0
        transportSum = 0
        laterHeaderByteCount =
            header.hasOptions ? start &+ FragmentOptions.headerByteCount(of: header) : first
    }

    /// What a lane's metadata asks for, segments or fragments.
    @_noLocks
    public static func make(_ frame: FrameView, _ segmentation: Segmentation) -> Segmenter? {
        if case .fragments4 = segmentation.kind {
            return Segmenter(
                fragmenting: frame, maximumPacketByteCount: Int(segmentation.segmentSize))
        }
        return Segmenter(frame: frame, segmentation: segmentation)
    }

    /// Bytes of the longest headers, which are those of the first segment.
    public var headerByteCount: Int { @_noLocks get { layers.payloadOffset } }

    /// Which bytes of the super-packet are the payload of segment `index`, 0..<`segmentCount`.
    @_noLocks
    public func payloadExtent(of index: Int) -> (offset: Int, byteCount: Int) {
        let offset = layers.payloadOffset &+ index &* segmentSize
        return (offset, max(min(layers.endOffset &- offset, segmentSize), 0))
    }

    /// Where the transport header of the super-packet lies.
    public var transportOffset: Int { @_noLocks get { layers.transportOffset } }

    /// Bytes of the super-packet's own IP packet, and of its payload.
    public var packetByteCount: Int {
        @_noLocks get { layers.endOffset &- layers.layer3Offset }
    }
    public var payloadByteCount: Int {
        @_noLocks get { layers.endOffset &- layers.payloadOffset }
    }

    /// Bytes of a segment's headers.
    @_noLocks
    public func headerByteCount(of index: Int) -> Int {
        index == 0 ? layers.payloadOffset : laterHeaderByteCount
    }

    /// The segments can leave as one send that is cut at equal distances.
    public var hasEqualHeaders: Bool {
        @_noLocks get { laterHeaderByteCount == layers.payloadOffset }
    }

    /// Bytes of the longest segment's IP packet, to be held against an MTU.
    public var maximumPacketByteCount: Int {
        @_noLocks get {
            let payload = min(layers.endOffset &- layers.payloadOffset, segmentSize)
            return layers.payloadOffset &- layers.layer3Offset &+ payload
        }
    }

    /// Writes the headers of segment `index`, Ethernet first and checksums complete, to the start
    /// of `header`.
    ///
    /// - Parameters:
    ///   - index: 0..<`segmentCount`.
    ///   - header: memory outside of the super-packet, `maximumHeaderByteCount` or more.
    /// - Returns: nil when the index or the memory does not suffice.
    @_noLocks
    public func segment(_ index: Int, header: FrameView) -> Segment? {
        guard index >= 0, index < segmentCount else { return nil }
        let headerByteCount = headerByteCount(of: index)
        guard header.count >= headerByteCount else { return nil }
        let (payloadOffset, payloadByteCount) = payloadExtent(of: index)
        copyHeaders(headerByteCount, to: header)
        if isFragmenting, index > 0 {
            FragmentOptions.write(from: frame, to: header, at: layers.layer3Offset)
        }
        writeNetworkHeader(
            header, index: index, byteCount: headerByteCount &- layers.layer3Offset,
            payloadByteCount: payloadByteCount)
        if isFragmenting {
            writeFragment(header, index: index)
        } else {
            let sum =
                layers.protocolNumber == ProtocolNumber.tcp
                ? writeTCP(header, index: index) : writeUDP(header, payloadByteCount)
            writeChecksum(
                header, payloadOffset: payloadOffset, payloadByteCount: payloadByteCount,
                initial: sum)
        }
        return Segment(
            headerByteCount: headerByteCount, payloadOffset: payloadOffset,
            payloadByteCount: payloadByteCount)
    }

    @_noLocks
    private func copyHeaders(_ count: Int, to header: FrameView) {
        var offset = 0
        while count &- offset >= 8 {
            header.store(frame.loadUInt64(at: offset), at: offset)
            offset &+= 8
        }
        while offset < count {
            header.store(frame.loadUInt8(at: offset), at: offset)
            offset &+= 1
        }
    }

    @_noLocks
    private func writeNetworkHeader(
        _ header: FrameView, index: Int, byteCount: Int, payloadByteCount: Int
    ) {
        let length = byteCount &+ payloadByteCount
        if layers.isIPv6 {
            IPv6Header(frame: header, at: layers.layer3Offset).payloadLength =
                length &- IPv6Header.byteCount
            return
        }
        let ip = IPv4Header(frame: header, at: layers.layer3Offset)
        ip.totalLength = length
        guard !isFragmenting else { return }
        let before = IPv4Header(frame: frame, at: layers.layer3Offset).identification
        let identification = before &+ UInt16(truncatingIfNeeded: index)
        ip.identification = identification
        // Not read back: what has just been written in parts is slow to load as a whole.
        ip.checksum = InternetChecksum.checksum(
            networkSum &+ UInt64(identification) &+ UInt64(truncatingIfNeeded: length))
    }

    /// Offset and "more fragments"; what is cut may itself be a fragment.
    @_noLocks
    private func writeFragment(_ header: FrameView, index: Int) {
        let field = layers.layer3Offset &+ 6
        let before = frame.loadUInt16(at: field)
        let isLast = index == segmentCount &- 1
        let more = isLast ? before & 0x2000 : 0x2000
        let offset = (before & 0x1FFF) &+ UInt16(truncatingIfNeeded: index &* segmentSize / 8)
        header.store(before & 0xC000 | more | offset & 0x1FFF, at: field)
        IPv4Header(frame: header, at: layers.layer3Offset).updateChecksum()
    }

    /// FIN and PSH speak of the last byte, CWR of the first.
    /// - Returns: the sum over what is the segment's own.
    @_noLocks
    private func writeTCP(_ header: FrameView, index: Int) -> UInt64 {
        let before = TCPHeader(frame: frame, at: layers.transportOffset)
        let sequence =
            before.sequenceNumber &+ UInt32(truncatingIfNeeded: index &* segmentSize)
        var flags = before.flags
        if index != segmentCount &- 1 { flags &= ~(TCPHeader.Flag.fin | TCPHeader.Flag.psh) }
        if index != 0 { flags &= ~TCPHeader.Flag.cwr }
        let tcp = TCPHeader(frame: header, at: layers.transportOffset)
        tcp.sequenceNumber = sequence
        tcp.flags = flags
        return UInt64(sequence) &+ UInt64(flags)
    }

    /// - Returns: the sum over what is the segment's own.
    @_noLocks
    private func writeUDP(_ header: FrameView, _ payloadByteCount: Int) -> UInt64 {
        let length = UDPHeader.byteCount &+ payloadByteCount
        UDPHeader(frame: header, at: layers.transportOffset).length = length
        return UInt64(truncatingIfNeeded: length)
    }

    @_noLocks
    private func writeChecksum(
        _ header: FrameView, payloadOffset: Int, payloadByteCount: Int, initial: UInt64
    ) {
        guard !omitsChecksum else { return }
        let length = layers.payloadOffset &- layers.transportOffset &+ payloadByteCount
        let sum = InternetChecksum.sum(
            frame, offset: payloadOffset, length: payloadByteCount,
            initial: transportSum &+ initial &+ UInt64(truncatingIfNeeded: length))
        let isTCP = layers.protocolNumber == ProtocolNumber.tcp
        header.store(
            isTCP ? InternetChecksum.checksum(sum) : InternetChecksum.checksumUDP(sum),
            at: layers.checksumOffset)
    }
}
