internal import Dataplane
internal import Uring
internal import Wire

/// Offload metadata between the kernel's header and the dataplane's column.
enum OffloadMapping {
    /// What the sender of a received frame left undone.
    @_noLocks
    static func segmentation(_ header: OffloadHeader, frame: FrameView) -> Segmentation {
        guard header.needsChecksum || header.isSuperPacket else { return .none }
        let isCongestionAware = header.segmentationKind & OffloadHeader.congestionMark != 0
        var kind = Segmentation.Kind.none
        switch header.segmentationKind & ~OffloadHeader.congestionMark {
        case 1: kind = .tcp4
        case 4: kind = .tcp6
        case 5: kind = isIPv6(frame) ? .udp6 : .udp4
        default: break
        }
        return Segmentation(
            kind: kind, isCongestionAware: isCongestionAware, segmentSize: header.segmentSize,
            headerLength: header.headerLength, checksumStart: header.checksumStart,
            checksumOffset: header.checksumOffset, needsChecksum: header.needsChecksum)
    }

    /// What is left to the receiver of a frame that leaves by a port.
    @_noLocks
    static func header(_ segmentation: Segmentation) -> OffloadHeader {
        var header = OffloadHeader()
        if segmentation.needsChecksum {
            header.flags = OffloadHeader.needsChecksum
            header.checksumStart = segmentation.checksumStart
            header.checksumOffset = segmentation.checksumOffset
        }
        guard segmentation.isSuperPacket else { return header }
        header.headerLength = segmentation.headerLength
        header.segmentSize = segmentation.segmentSize
        var kind: UInt8 = 0
        switch segmentation.kind {
        case .none, .fragments4: break
        case .tcp4: kind = 1
        case .tcp6: kind = 4
        case .udp4, .udp6: kind = 5
        }
        if segmentation.isCongestionAware { kind |= OffloadHeader.congestionMark }
        header.segmentationKind = kind
        return header
    }

    /// A super-packet of the kernel may carry one or two VLAN tags in front of IP.
    @_noLocks
    private static func isIPv6(_ frame: FrameView) -> Bool {
        var offset = 12
        for _ in 0..<3 {
            guard frame.holds(2, at: offset) else { return false }
            let type = frame.loadUInt16(at: offset)
            guard EtherType.isTag(type) else { return type == EtherType.ipv6 }
            offset &+= EthernetHeader.tagByteCount
        }
        return false
    }
}
