/// Where the layers of a frame with TCP or UDP over IP lie. Everything in it was checked against
/// the bytes there are, so that loads within the named headers cannot leave the frame.
///
/// Sixteen bytes, so that it is handed on in registers.
public struct FrameLayers {
    private let layer3: UInt16
    private let transport: UInt16
    private let payload: UInt16
    private let end: UInt32
    /// TCP (6) or UDP (17).
    public let protocolNumber: UInt8
    public let isIPv6: Bool

    /// The IP header; 14, more behind VLAN tags.
    public var layer3Offset: Int { @_noLocks get { Int(layer3) } }
    /// The TCP or UDP header, which lies wholly in the frame.
    public var transportOffset: Int { @_noLocks get { Int(transport) } }
    /// The first byte after that header.
    public var payloadOffset: Int { @_noLocks get { Int(payload) } }
    /// The end of the packet by its IP length; what follows is padding.
    public var endOffset: Int { @_noLocks get { Int(end) } }

    /// Tags in front of the IP header; more than two have no use.
    private static var maximumTagCount: Int { @_noLocks get { 2 } }
    /// IPv6 extension headers walked before the packet is given up on.
    private static var maximumExtensionCount: Int { @_noLocks get { 4 } }

    /// Layers found by other means.
    /// - Precondition: headers end before byte 65,536, as those that `parse` walks do.
    @_noLocks
    public init(
        layer3Offset: Int, transportOffset: Int, payloadOffset: Int, endOffset: Int,
        protocolNumber: UInt8, isIPv6: Bool
    ) {
        layer3 = UInt16(truncatingIfNeeded: layer3Offset)
        transport = UInt16(truncatingIfNeeded: transportOffset)
        payload = UInt16(truncatingIfNeeded: payloadOffset)
        end = UInt32(truncatingIfNeeded: endOffset)
        self.protocolNumber = protocolNumber
        self.isIPv6 = isIPv6
    }

    /// Nil when the frame is not an unfragmented TCP or UDP packet with sound lengths. The IPv4
    /// header checksum is not looked at.
    @_noLocks
    public static func parse(_ frame: FrameView) -> FrameLayers? {
        guard frame.holds(EthernetHeader.byteCount, at: 0) else { return nil }
        var etherType = frame.loadUInt16(at: 12)
        var offset = EthernetHeader.byteCount
        for _ in 0..<maximumTagCount {
            guard EtherType.isTag(etherType), frame.holds(4, at: offset) else { break }
            etherType = frame.loadUInt16(at: offset &+ 2)
            offset &+= 4
        }
        if etherType == EtherType.ipv4 { return parseIPv4(frame, offset) }
        if etherType == EtherType.ipv6 { return parseIPv6(frame, offset) }
        return nil
    }

    /// The sum of the pseudo-header for `length` bytes of transport header and payload.
    @_noLocks
    public func pseudoHeader(_ frame: FrameView, length: Int) -> UInt64 {
        if isIPv6 {
            return InternetChecksum.pseudoHeaderIPv6(
                frame, addressOffset: layer3Offset &+ 8, protocolNumber: protocolNumber,
                length: length)
        }
        return InternetChecksum.pseudoHeaderIPv4(
            source: frame.loadIPv4Address(at: layer3Offset &+ 12),
            destination: frame.loadIPv4Address(at: layer3Offset &+ 16),
            protocolNumber: protocolNumber, length: length)
    }

    /// Bytes of transport header and payload.
    public var transportByteCount: Int { @_noLocks get { endOffset &- transportOffset } }

    /// Where the checksum of the transport header lies in the frame.
    public var checksumOffset: Int {
        @_noLocks get {
            transportOffset
                &+ (protocolNumber == ProtocolNumber.tcp
                    ? TCPHeader.checksumOffset : UDPHeader.checksumOffset)
        }
    }

    @_noLocks
    private static func parseIPv4(_ frame: FrameView, _ offset: Int) -> FrameLayers? {
        let header = IPv4Header(frame: frame, at: offset)
        guard case .valid = header.checkLengths(), !header.isFragment else { return nil }
        return parseTransport(
            frame, layer3Offset: offset, transportOffset: offset &+ header.headerByteCount,
            endOffset: offset &+ header.totalLength, protocolNumber: header.protocolNumber,
            isIPv6: false)
    }

    @_noLocks
    private static func parseIPv6(_ frame: FrameView, _ offset: Int) -> FrameLayers? {
        let header = IPv6Header(frame: frame, at: offset)
        guard case .valid = header.check() else { return nil }
        let end = offset &+ IPv6Header.byteCount &+ header.payloadLength
        var position = offset &+ IPv6Header.byteCount
        var next = header.nextHeader
        for _ in 0..<maximumExtensionCount {
            // Hop-by-hop, routing and destination options (RFC 8200 section 4).
            guard next == 0 || next == 43 || next == 60 else { break }
            guard position &+ 8 <= end else { return nil }
            next = frame.loadUInt8(at: position)
            position &+= Int(frame.loadUInt8(at: position &+ 1)) &* 8 &+ 8
        }
        return parseTransport(
            frame, layer3Offset: offset, transportOffset: position, endOffset: end,
            protocolNumber: next, isIPv6: true)
    }

    @_noLocks
    private static func parseTransport(
        _ frame: FrameView, layer3Offset: Int, transportOffset: Int, endOffset: Int,
        protocolNumber: UInt8, isIPv6: Bool
    ) -> FrameLayers? {
        var headerByteCount = UDPHeader.byteCount
        if protocolNumber == ProtocolNumber.tcp {
            let header = TCPHeader(frame: frame, at: transportOffset)
            guard case .valid = header.check() else { return nil }
            headerByteCount = header.headerByteCount
        } else if protocolNumber != ProtocolNumber.udp {
            return nil
        }
        guard transportOffset &+ headerByteCount <= endOffset else { return nil }
        return FrameLayers(
            layer3Offset: layer3Offset, transportOffset: transportOffset,
            payloadOffset: transportOffset &+ headerByteCount, endOffset: endOffset,
            protocolNumber: protocolNumber, isIPv6: isIPv6)
    }
}
