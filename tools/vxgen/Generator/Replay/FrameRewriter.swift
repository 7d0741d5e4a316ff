public import Wire

/// What a replay changes in captured frames, once, before the first is sent.
public struct FrameRewriter: Sendable, Equatable {
    /// Of every frame; nil leaves them.
    public var source: MACAddress?
    public var destination: MACAddress?
    /// Addresses of either side and what they become; they come before the two above.
    public var mapped: [MACAddress: MACAddress] = [:]
    /// The VNI of every frame that is a VXLAN packet itself.
    public var vni: VNI?

    public static let vxlanPort: UInt16 = 4789

    public init() {}

    /// Changes a frame of at least 14 bytes in place.
    public func rewrite(_ frame: FrameView) {
        let ethernet = EthernetHeader(frame: frame, at: 0)
        if !mapped.isEmpty {
            if let new = mapped[ethernet.source] { ethernet.source = new }
            if let new = mapped[ethernet.destination] { ethernet.destination = new }
        }
        if let source { ethernet.source = source }
        if let destination { ethernet.destination = destination }
        if let vni { rewrite(frame, vni) }
    }

    /// The VNI of a VXLAN packet over IPv4, with its UDP checksum where it has one (RFC 1624).
    private func rewrite(_ frame: FrameView, _ vni: VNI) {
        var offset = 12
        while frame.holds(2, at: offset), EtherType.isTag(frame.loadUInt16(at: offset)) {
            offset += 4
        }
        guard frame.holds(2 + IPv4Header.byteCount, at: offset),
            frame.loadUInt16(at: offset) == EtherType.ipv4
        else { return }
        let ip = IPv4Header(frame: frame, at: offset + 2)
        guard case .valid = ip.check(), ip.protocolNumber == ProtocolNumber.udp, !ip.isFragment
        else { return }
        let start = offset + 2 + ip.headerByteCount
        let payload = start + UDPHeader.byteCount
        guard frame.holds(UDPHeader.byteCount + VXLANHeader.byteCount, at: start) else { return }
        let udp = UDPHeader(frame: frame, at: start)
        let header = VXLANHeader(frame: frame, at: payload)
        guard udp.destinationPort == Self.vxlanPort, case .valid = header.check() else { return }
        let old = frame.loadUInt32(at: payload + 4)
        let new = vni.bits << 8 | old & 0xFF
        frame.store(new, at: payload + 4)
        guard udp.checksum != 0 else { return }
        let sum = InternetChecksum.updated(udp.checksum, replacing: old, with: new)
        udp.checksum = sum == 0 ? 0xFFFF : sum
    }
}
