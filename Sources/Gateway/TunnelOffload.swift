internal import Uring
internal import Wire

/// Offload headers of VXLAN packets: the kernel counts from the outer Ethernet header, the
/// dataplane from the inner one.
enum TunnelOffload {
    /// What a received VXLAN packet leaves to its receiver.
    struct Received {
        /// As if the inner frame had come from a port.
        let inner: OffloadHeader
        /// UDP payload of each of several datagrams that the kernel has merged; 0 for one.
        let datagramByteCount: Int
    }

    /// Bits of `segmentationKind` that speak of the tunnel.
    private static var tunnelKinds: UInt8 {
        @_noLocks get { TunnelOffsets.overIPv4 | TunnelOffsets.overIPv6 }
    }
    /// Several UDP datagrams of one size, the last of which may be shorter.
    private static var mergedDatagrams: UInt8 { @_noLocks get { 5 } }

    /// Nil when the offsets cannot be those of a VXLAN packet over IPv4 without options.
    @_noLocks
    static func received(_ header: OffloadHeader, _ offsets: TunnelOffsets) -> Received? {
        let start = OuterHeader.innerOffset
        let kind = header.segmentationKind & ~(tunnelKinds | OffloadHeader.congestionMark)
        let checksumStart = Int(header.checksumStart)
        let isOuterChecksum = header.needsChecksum && checksumStart == OuterHeader.transportOffset
        guard header.segmentationKind & tunnelKinds != 0 else {
            if kind != 0 {
                guard kind == mergedDatagrams, header.segmentSize > 0 else { return nil }
                return Received(
                    inner: OffloadHeader(), datagramByteCount: Int(header.segmentSize))
            }
            guard header.needsChecksum, !isOuterChecksum else {
                return Received(inner: OffloadHeader(), datagramByteCount: 0)
            }
            guard checksumStart >= start &+ EthernetHeader.byteCount else { return nil }
            return Received(inner: moved(header, kind: 0, by: start), datagramByteCount: 0)
        }
        guard header.segmentationKind & tunnelKinds == TunnelOffsets.overIPv4, kind != 0,
            header.needsChecksum, header.segmentSize > 0,
            Int(offsets.outerTransport) == OuterHeader.transportOffset,
            Int(offsets.innerNetwork) >= start &+ EthernetHeader.byteCount,
            checksumStart > Int(offsets.innerNetwork)
        else { return nil }
        let mark = header.segmentationKind & OffloadHeader.congestionMark
        return Received(inner: moved(header, kind: kind | mark, by: start), datagramByteCount: 0)
    }

    /// The header of the inner frame alone. How many bytes the kernel had in one piece is a hint
    /// that may be less than what was in front.
    @_noLocks
    private static func moved(
        _ header: OffloadHeader, kind: UInt8, by start: Int
    ) -> OffloadHeader {
        OffloadHeader(
            flags: OffloadHeader.needsChecksum, segmentationKind: kind,
            headerLength: UInt16(truncatingIfNeeded: max(Int(header.headerLength) &- start, 0)),
            segmentSize: header.segmentSize,
            checksumStart: UInt16(truncatingIfNeeded: Int(header.checksumStart) &- start),
            checksumOffset: header.checksumOffset)
    }

    /// The header of a super-packet that goes into a tunnel.
    ///
    /// - Parameters:
    ///   - inner: as it would go into a port, with the offsets that its bytes have been found to
    ///     have.
    ///   - tagByteCount: of a VLAN tag in front of the inner IP header that `inner` leaves out.
    @_noLocks
    static func sent(
        _ inner: OffloadHeader, tagByteCount: Int
    ) -> (header: OffloadHeader, offsets: TunnelOffsets) {
        let shift = UInt16(truncatingIfNeeded: OuterHeader.innerOffset &+ tagByteCount)
        let network = shift &+ UInt16(truncatingIfNeeded: EthernetHeader.byteCount)
        var header = inner
        header.segmentationKind |= TunnelOffsets.overIPv4
        header.headerLength = inner.headerLength &+ shift
        header.checksumStart = inner.checksumStart &+ shift
        let offsets = TunnelOffsets(
            outerTransport: UInt16(truncatingIfNeeded: OuterHeader.transportOffset),
            innerNetwork: network)
        return (header, offsets)
    }

    /// The header of several VXLAN packets of `size` bytes of UDP payload; the kernel fills their
    /// outer checksums.
    @_noLocks
    static func merged(size: Int) -> OffloadHeader {
        OffloadHeader(
            flags: OffloadHeader.needsChecksum, segmentationKind: mergedDatagrams,
            headerLength: UInt16(truncatingIfNeeded: OuterHeader.byteCount),
            segmentSize: UInt16(truncatingIfNeeded: size),
            checksumStart: UInt16(truncatingIfNeeded: OuterHeader.transportOffset),
            checksumOffset: UInt16(truncatingIfNeeded: UDPHeader.checksumOffset))
    }

    /// Writes an offload header to the start of `frame`.
    /// - Parameter byteCount: 10, or 24 with the offsets.
    @_noLocks
    static func write(
        _ header: OffloadHeader, _ offsets: TunnelOffsets = TunnelOffsets(), to frame: FrameView,
        _ byteCount: Int
    ) {
        _ = unsafe header.store(to: frame.pointer, count: frame.count)
        if byteCount == TunnelOffsets.headerByteCount {
            _ = unsafe offsets.store(to: frame.pointer, count: frame.count)
        }
    }
}
