/// About which packets an ICMP error may be sent (RFC 1812 section 4.3.2.7): asked by the worker
/// where it drops a packet, and by the agent about one that has waited.
public enum ICMPErrorRules {
    /// Bytes of a frame that the agent needs for its quote: Ethernet, and as much of the packet as
    /// fits a message of 576 bytes (RFC 1812 section 4.3.2.3).
    public static var quotedFrame: Int { @_noLocks get { 14 + 576 - 28 } }

    /// Not about another ICMP error, not about a fragment that is not the first, not about what
    /// went to a group, not to what cannot be a host.
    @_noLocks
    public static func allow(_ frame: FrameView, destination: UInt64) -> Bool {
        let offset = EthernetHeader.byteCount
        guard !MACAddress(bits: destination).isGroup, frame.holds(IPv4Header.byteCount, at: offset),
            frame.loadUInt16(at: 12) == EtherType.ipv4
        else { return false }
        let header = IPv4Header(frame: frame, at: offset)
        guard frame.loadUInt8(at: offset) &>> 4 == 4, header.headerByteCount >= 20,
            frame.holds(header.headerByteCount, at: offset)
        else { return false }
        let target = header.destination
        guard header.source.isUnicastSource, !target.isMulticast, target.bits != UInt32.max,
            header.fragmentOffset == 0
        else { return false }
        guard header.protocolNumber == ProtocolNumber.icmp else { return true }
        let kind = offset &+ header.headerByteCount
        guard frame.holds(1, at: kind) else { return false }
        switch frame.loadUInt8(at: kind) {
        // Queries and their answers; everything else is an error or unknown.
        case 0, 8, 13, 14: return true
        default: return false
        }
    }
}
