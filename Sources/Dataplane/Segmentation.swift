public import Wire

/// What a lane's frame is besides its bytes: a super-packet that stands for many, a packet whose
/// transport checksum its sender left to the network card, or neither.
///
/// These are the terms of the virtio-net header (Virtio 1.3 section 5.1.6). They come from a guest
/// or from the kernel's guess and are trusted by nobody: whoever acts on them parses the frame
/// again.
///
/// Layout: 11 bytes, trivial, a column's element.
public struct Segmentation: BitwiseCopyable, Sendable {
    /// How the frame is to be cut.
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// A packet as it is.
        case none
        case tcp4
        case tcp6
        case udp4
        case udp6
        /// An IPv4 packet larger than the MTU of where it goes, into fragments.
        case fragments4
    }

    /// Bytes of payload in each segment but the last.
    public var segmentSize: UInt16
    /// Bytes in front of the payload, as the sender gave them.
    public var headerLength: UInt16
    /// The first byte that the checksum covers, from the start of the frame.
    public var checksumStart: UInt16
    /// Where the checksum lies, from `checksumStart`.
    public var checksumOffset: UInt16
    public var kind: Kind
    /// The TCP sender uses ECN, so its CWR flag belongs to the first segment alone.
    public var isCongestionAware: Bool
    /// The checksum field holds no more than the sum of the pseudo-header.
    public var needsChecksum: Bool

    @_noLocks
    public init(
        kind: Kind, isCongestionAware: Bool, segmentSize: UInt16, headerLength: UInt16,
        checksumStart: UInt16, checksumOffset: UInt16, needsChecksum: Bool
    ) {
        self.segmentSize = segmentSize
        self.headerLength = headerLength
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
        self.kind = kind
        self.isCongestionAware = isCongestionAware
        self.needsChecksum = needsChecksum
    }

    /// A whole packet with nothing left to do.
    public static var none: Segmentation {
        @_noLocks get {
            Segmentation(
                kind: .none, isCongestionAware: false, segmentSize: 0, headerLength: 0,
                checksumStart: 0, checksumOffset: 0, needsChecksum: false)
        }
    }

    /// The same metadata after `amount` bytes were put in front of the IP header (or taken out,
    /// when negative), as a VLAN tag is.
    @_noLocks
    public func shifted(by amount: Int) -> Segmentation {
        guard needsChecksum || isSuperPacket else { return self }
        var result = self
        result.headerLength = UInt16(truncatingIfNeeded: Int(headerLength) &+ amount)
        result.checksumStart = UInt16(truncatingIfNeeded: Int(checksumStart) &+ amount)
        return result
    }

    /// A packet that is to leave in fragments (RFC 791 section 3.2).
    /// - Parameter maximumPacketByteCount: bytes of the largest fragment, header included.
    @_noLocks
    public static func fragments(maximumPacketByteCount: Int) -> Segmentation {
        var result = Segmentation.none
        result.kind = .fragments4
        result.segmentSize = UInt16(truncatingIfNeeded: maximumPacketByteCount)
        return result
    }

    public var isSuperPacket: Bool { @_noLocks get { kind.rawCode != 0 } }

    /// Finishes the partial checksum in `frame` in place; nothing to do is success.
    ///
    /// The field must lie behind the network header, so that a guest cannot use it to change
    /// addresses after they were checked; padding behind the packet is not summed.
    ///
    /// - Returns: false, and the frame unchanged, when start or offset point elsewhere.
    @_noLocks
    public func completeChecksum(in frame: FrameView) -> Bool {
        guard needsChecksum else { return true }
        let start = Int(checksumStart)
        let field = start &+ Int(checksumOffset)
        guard let extent = Self.transportExtent(frame), start >= extent.start,
            field &+ 2 <= extent.end
        else { return false }
        let sum = InternetChecksum.sum(
            frame, offset: start, length: extent.end &- start, initial: 0)
        let isUDP = Int(checksumOffset) == UDPHeader.checksumOffset
        frame.store(
            isUDP ? InternetChecksum.checksumUDP(sum) : InternetChecksum.checksum(sum), at: field)
        return true
    }

    /// What `completeChecksum` needs when the frame's sender left its TCP or UDP checksum
    /// unfinished, which shows by a field that equals the sum of the pseudo-header; nil when it is
    /// finished.
    ///
    /// One finished checksum in 65,536 looks the same. Completing it computes the value it has, so
    /// the mistake costs time alone.
    @_noLocks
    public static func unfinishedChecksum(in frame: FrameView) -> Segmentation? {
        guard !isSurelyFinished(frame), let layers = FrameLayers.parse(frame),
            hasUnfinishedChecksum(frame, layers)
        else { return nil }
        var result = Segmentation.none
        result.describeChecksum(layers, isUnfinished: true)
        return result
    }

    /// For a TCP frame whose IP packet is longer than any the network carries: a super-packet whose
    /// metadata got lost on the way, as it does when an encapsulated one is received whole.
    /// Nil for any other frame.
    ///
    /// - Parameter maximumPacketByteCount: the MTU that each segment's IP packet has to keep to.
    @_noLocks
    public static func inferred(
        from frame: FrameView, maximumPacketByteCount: Int
    ) -> Segmentation? {
        guard let layers = FrameLayers.parse(frame),
            layers.protocolNumber == ProtocolNumber.tcp,
            layers.endOffset &- layers.layer3Offset > maximumPacketByteCount
        else { return nil }
        let headerByteCount = layers.payloadOffset &- layers.layer3Offset
        guard maximumPacketByteCount > headerByteCount else { return nil }
        let segmentSize = maximumPacketByteCount &- headerByteCount
        let flags = TCPHeader(frame: frame, at: layers.transportOffset).flags
        var result = Segmentation.none
        result.kind = layers.isIPv6 ? .tcp6 : .tcp4
        result.isCongestionAware = flags & TCPHeader.Flag.cwr != 0
        result.segmentSize = UInt16(truncatingIfNeeded: segmentSize)
        result.describeChecksum(layers, isUnfinished: hasUnfinishedChecksum(frame, layers))
        return result
    }

    @_noLocks
    private mutating func describeChecksum(_ layers: FrameLayers, isUnfinished: Bool) {
        headerLength = UInt16(truncatingIfNeeded: layers.payloadOffset)
        checksumStart = UInt16(truncatingIfNeeded: layers.transportOffset)
        checksumOffset = UInt16(
            truncatingIfNeeded: layers.checksumOffset &- layers.transportOffset)
        needsChecksum = isUnfinished
    }

    @_noLocks
    private static func hasUnfinishedChecksum(_ frame: FrameView, _ layers: FrameLayers) -> Bool {
        let pseudoHeader = layers.pseudoHeader(frame, length: layers.transportByteCount)
        return frame.loadUInt16(at: layers.checksumOffset) == InternetChecksum.fold(pseudoHeader)
    }

    /// Settles at a few loads what nearly every frame is: IPv4 without tag and options whose
    /// checksum is not the pseudo-header's sum. False says nothing.
    ///
    /// The first octet is the lowest here, as sums of ones' complement are the same either way
    /// (RFC 1071 section 2).
    @_noLocks @inline(__always)
    static func isSurelyFinished(_ frame: FrameView) -> Bool {
        guard frame.count >= 54 else { return false }
        // EtherType, version, header length; behind the type of service the whole length.
        let first = frame.loadUInt64LowestFirst(at: 12)
        guard first & 0xFF_FFFF == 0x45_0008 else { return false }
        let middle = frame.loadUInt64LowestFirst(at: 22)
        let protocolNumber = UInt8(truncatingIfNeeded: middle &>> 8)
        let field: Int
        switch protocolNumber {
        case ProtocolNumber.tcp: field = 34 &+ TCPHeader.checksumOffset
        case ProtocolNumber.udp: field = 34 &+ UDPHeader.checksumOffset
        default: return true
        }
        // The header's 20 octets are not of the pseudo-header's length: their complement is added.
        let sum =
            (middle &>> 32) &+ (frame.loadUInt64LowestFirst(at: 30) & 0xFFFF_FFFF)
            &+ (first &>> 32 & 0xFFFF) &+ UInt64(protocolNumber) &<< 8 &+ 0xEBFF
        let rest = UInt64(0xFFFF ^ frame.loadUInt16(at: field).byteSwapped)
        return !InternetChecksum.isRight(sum &+ rest)
    }

    /// Where a checksum that a card would finish can lie: from the end of the IP header or first
    /// MPLS label to the end of the packet, padding left out. Nil for other frames.
    @_noLocks
    private static func transportExtent(_ frame: FrameView) -> (start: Int, end: Int)? {
        guard frame.holds(EthernetHeader.byteCount, at: 0) else { return nil }
        var etherType = frame.loadUInt16(at: 12)
        var offset = EthernetHeader.byteCount
        for _ in 0..<2 {
            guard EtherType.isTag(etherType), frame.holds(4, at: offset) else { break }
            etherType = frame.loadUInt16(at: offset &+ 2)
            offset &+= 4
        }
        switch etherType {
        case 0x0800:
            guard frame.holds(IPv4Header.byteCount, at: offset) else { return nil }
            let header = IPv4Header(frame: frame, at: offset)
            let length = max(header.headerByteCount, IPv4Header.byteCount)
            return (offset &+ length, end(frame, offset, header.totalLength, length))
        case 0x86DD:
            guard frame.holds(IPv6Header.byteCount, at: offset) else { return nil }
            let length = IPv6Header.byteCount
            let payload = IPv6Header(frame: frame, at: offset).payloadLength
            return (offset &+ length, end(frame, offset, length &+ payload, length))
        case 0x8847, 0x8848: return (offset &+ 4, frame.count)
        default: return nil
        }
    }

    /// The end of the packet by its own length, or of the frame where that length cannot be: super-
    /// packets beyond 64 KiB say zero.
    @_noLocks
    private static func end(
        _ frame: FrameView, _ offset: Int, _ length: Int, _ headerByteCount: Int
    ) -> Int {
        let isPlausible = length > headerByteCount && frame.holds(length, at: offset)
        return isPlausible ? offset &+ length : frame.count
    }
}

extension Segmentation.Kind {
    /// The raw value, by a getter that hot code may call.
    fileprivate var rawCode: UInt8 {
        @_noLocks get {
            switch self {
            case .none: 0
            case .tcp4: 1
            case .tcp6: 2
            case .udp4: 3
            case .udp6: 4
            case .fragments4: 5
            }
        }
    }
}
