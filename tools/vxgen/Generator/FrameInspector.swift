public import Wire

/// Tells the frames of this run from all others, and sound ones from damaged ones.
///
/// A frame is ours when a UDP datagram over IPv4 begins with the run's magic. It is damaged when
/// the IPv4 header, the UDP checksum or the check of its stamp is wrong. One damaged in the magic
/// itself, or beyond recognition, is not seen and so is lost.
public struct FrameInspector: Sendable, BitwiseCopyable {
    private let magic: UInt32
    private let streams: UInt32

    public init(magic: UInt32, streams: Int) {
        self.magic = magic
        self.streams = UInt32(streams)
    }

    /// The datagram of one frame.
    public struct Datagram {
        public let frame: FrameView
        /// Where the UDP payload lies, and its bytes.
        public let offset: Int
        public let byteCount: Int
        /// The headers and checksums above the stamp are right.
        public let isSound: Bool
    }

    /// - Parameter isChecksumPartial: the sender left the UDP checksum to a device.
    /// - Returns: nil when the frame is not ours.
    @_noLocks
    public func datagram(of frame: FrameView, isChecksumPartial: Bool) -> Datagram? {
        var offset = 12
        var type: UInt16 = 0
        // Two tags at most: more than that is not of our making.
        for _ in 0..<3 {
            guard frame.holds(2, at: offset) else { return nil }
            type = frame.loadUInt16(at: offset)
            guard EtherType.isTag(type) else { break }
            offset &+= 4
        }
        offset &+= 2
        let header = IPv4Header(frame: frame, at: offset)
        guard type == EtherType.ipv4, frame.holds(IPv4Header.byteCount, at: offset),
            frame.loadUInt8(at: offset) &>> 4 == 4, header.headerByteCount >= 20,
            frame.holds(header.headerByteCount, at: offset),
            header.protocolNumber == ProtocolNumber.udp, !header.isFragment
        else { return nil }
        let udp = offset &+ header.headerByteCount
        let payload = udp &+ UDPHeader.byteCount
        guard frame.holds(Stamp.byteCount, at: payload),
            Stamp.loadMagic(from: frame, at: payload) == magic
        else { return nil }
        return inspect(frame, header, udp, isChecksumPartial)
    }

    @_noLocks
    private func inspect(
        _ frame: FrameView, _ header: IPv4Header, _ offset: Int, _ isChecksumPartial: Bool
    ) -> Datagram {
        let payload = offset &+ UDPHeader.byteCount
        let udp = UDPHeader(frame: frame, at: offset)
        guard case .valid = header.check(), case .valid = udp.check(),
            udp.length &+ header.headerByteCount == header.totalLength
        else {
            return Datagram(
                frame: frame, offset: payload, byteCount: Stamp.byteCount, isSound: false)
        }
        let isSound =
            isChecksumPartial || udp.checksum == 0
            || udp.hasValidChecksum(
                pseudoHeader: InternetChecksum.pseudoHeaderIPv4(
                    source: header.source, destination: header.destination,
                    protocolNumber: ProtocolNumber.udp, length: udp.length))
        return Datagram(
            frame: frame, offset: payload, byteCount: udp.length &- UDPHeader.byteCount,
            isSound: isSound)
    }

    /// The stamp at a place of a datagram; nil when it is damaged or of a flow that is not.
    @_noLocks
    public func stamp(of datagram: Datagram, at offset: Int) -> Stamp? {
        guard datagram.frame.holds(Stamp.byteCount, at: offset),
            let stamp = Stamp.load(from: datagram.frame, at: offset),
            stamp.magic == magic, stamp.stream < streams
        else { return nil }
        return stamp
    }
}
