public import Wire

/// What a frame of the `tap` underlay turns out to be. On the `udp` underlay the kernel decides
/// this; here nothing of the outer headers has been looked at but by routers on the way.
///
/// Drops: `outerBadHeader`, `outerBadLength`, `outerBadChecksum`, `outerFragment`,
/// `outerNotOurVtep`.
/// Cost: the outer headers' cache line; a pass over the packet where it has a UDP checksum that
/// nobody has verified.
/// Standard: RFC 7348 section 5, RFC 1122 section 3.2.1, RFC 768, RFC 1191 section 6.1.
public enum OuterPacket {
    case vxlan(Datagram)
    /// A router says that our packets to `peer` are too long for its next link.
    case tooLong(PathReport)
    case refused(DropReason)

    /// UDP to the VTEP's address and port.
    public struct Datagram {
        /// Where the payload begins, from the start of the frame, and its bytes.
        public let payloadOffset: Int
        public let payloadByteCount: Int
        /// Host order.
        public let source: UInt32
        public let typeOfService: UInt8
    }

    public struct PathReport {
        /// Host order; not yet known to be a peer's.
        public let peer: UInt32
        /// Bytes of an IPv4 packet; 0 from routers that do not say (RFC 1191 section 5).
        public let mtu: UInt16
    }

    /// - Parameters:
    ///   - isVouched: the kernel has verified the outer UDP checksum, or the packet has crossed no
    ///     wire.
    ///   - vtep: our address, host order.
    ///   - port: of VXLAN.
    @_noLocks
    public static func parse(
        _ frame: FrameView, isVouched: Bool, vtep: UInt32, port: UInt16
    ) -> OuterPacket {
        let start = EthernetHeader.byteCount
        guard frame.count >= start, frame.loadUInt16(at: 12) == EtherType.ipv4 else {
            return .refused(.outerBadHeader)
        }
        let ip = IPv4Header(frame: frame, at: start)
        switch ip.check() {
        case .valid: break
        case .truncated, .badVersion, .badHeaderLength: return .refused(.outerBadHeader)
        case .badTotalLength: return .refused(.outerBadLength)
        case .badChecksum: return .refused(.outerBadChecksum)
        }
        guard !ip.hasOptions else { return .refused(.outerBadHeader) }
        guard !ip.isFragment else { return .refused(.outerFragment) }
        guard ip.destination.bits == vtep else { return .refused(.outerNotOurVtep) }
        // Padding of short frames is cut off.
        let packet = frame.prefix(start &+ ip.totalLength)
        let offset = start &+ IPv4Header.byteCount
        if ip.protocolNumber == ProtocolNumber.udp {
            return datagram(packet, ip, offset, isVouched: isVouched, port: port)
        }
        guard ip.protocolNumber == ProtocolNumber.icmp,
            let report = pathReport(packet, at: offset, vtep: vtep, port: port)
        else { return .refused(.outerNotOurVtep) }
        return .tooLong(report)
    }

    @_noLocks
    private static func datagram(
        _ packet: FrameView, _ ip: IPv4Header, _ offset: Int, isVouched: Bool, port: UInt16
    ) -> OuterPacket {
        let udp = UDPHeader(frame: packet, at: offset)
        guard case .valid = udp.check() else { return .refused(.outerBadLength) }
        guard udp.destinationPort == port else { return .refused(.outerNotOurVtep) }
        if !isVouched, udp.checksum != 0 {
            let pseudoHeader = InternetChecksum.pseudoHeaderIPv4(
                source: ip.source, destination: ip.destination,
                protocolNumber: ProtocolNumber.udp, length: udp.length)
            guard udp.hasValidChecksum(pseudoHeader: pseudoHeader) else {
                return .refused(.outerBadChecksum)
            }
        }
        return .vxlan(
            Datagram(
                payloadOffset: offset &+ UDPHeader.byteCount,
                payloadByteCount: udp.length &- UDPHeader.byteCount, source: ip.source.bits,
                typeOfService: ip.typeOfService))
    }

    /// "Fragmentation needed" about a VXLAN packet of this VTEP: it quotes at least the IPv4 header
    /// and eight bytes of what it speaks of (RFC 792). Nil for any other message.
    @_noLocks
    private static func pathReport(
        _ packet: FrameView, at offset: Int, vtep: UInt32, port: UInt16
    ) -> PathReport? {
        let message = ICMPv4(frame: packet, at: offset, length: packet.count &- offset)
        guard case .valid = message.check(), message.type == ICMPv4.MessageType.unreachable,
            message.code == ICMPv4.UnreachableCode.fragmentationNeeded
        else { return nil }
        let quoted = offset &+ ICMPv4.byteCount
        guard packet.holds(IPv4Header.byteCount &+ UDPHeader.byteCount, at: quoted) else {
            return nil
        }
        let ip = IPv4Header(frame: packet, at: quoted)
        guard packet.loadUInt8(at: quoted) == 0x45, ip.protocolNumber == ProtocolNumber.udp,
            ip.source.bits == vtep, ip.fragmentOffset == 0,
            UDPHeader(frame: packet, at: quoted &+ IPv4Header.byteCount).destinationPort == port
        else { return nil }
        return PathReport(peer: ip.destination.bits, mtu: message.nextHopMTU)
    }
}
