internal import Tables
internal import Wire

/// What the encapsulate stage takes from the frame: the fields that outer headers inherit, and the
/// words of which the flow hash of most packets is made.
struct InnerFields {
    /// 0 for a frame without IP.
    let typeOfService: UInt8
    /// 64 for a frame without IP.
    let timeToLive: UInt8
    /// Always for IPv6, whose packets no router fragments.
    let doNotFragment: Bool
    let protocolNumber: UInt8
    /// IPv4 without options, no fragment, TCP or UDP with its ports.
    let isPlain: Bool

    /// - Parameter etherType: that of the frame, which has no tag.
    @_noLocks @inline(__always)
    static func read(_ frame: FrameView, etherType: UInt16) -> InnerFields {
        let offset = EthernetHeader.byteCount
        guard etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount &+ 4, at: offset) else {
            return readOther(frame, etherType: etherType)
        }
        // Version to fragment offset, and TTL to source address: each one load.
        let first = frame.loadUInt64(at: offset)
        let second = frame.loadUInt64(at: offset &+ 8)
        let protocolNumber = UInt8(truncatingIfNeeded: second &>> 48)
        return InnerFields(
            typeOfService: UInt8(truncatingIfNeeded: first &>> 48),
            timeToLive: UInt8(truncatingIfNeeded: second &>> 56),
            doNotFragment: first & 0x4000 != 0, protocolNumber: protocolNumber,
            isPlain: first & 0x0F00_0000_0000_3FFF == 0x0500_0000_0000_0000
                && (protocolNumber == ProtocolNumber.udp || protocolNumber == ProtocolNumber.tcp))
    }

    @_noLocks @inline(never)
    private static func readOther(_ frame: FrameView, etherType: UInt16) -> InnerFields {
        let offset = EthernetHeader.byteCount
        if etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount, at: offset) {
            let header = IPv4Header(frame: frame, at: offset)
            return InnerFields(
                typeOfService: header.typeOfService, timeToLive: header.timeToLive,
                doNotFragment: header.dontFragment, protocolNumber: 0, isPlain: false)
        }
        if etherType == EtherType.ipv6, frame.holds(IPv6Header.byteCount, at: offset) {
            let header = IPv6Header(frame: frame, at: offset)
            return InnerFields(
                typeOfService: header.trafficClass, timeToLive: header.hopLimit,
                doNotFragment: true, protocolNumber: 0, isPlain: false)
        }
        return InnerFields(
            typeOfService: 0, timeToLive: 64, doNotFragment: false, protocolNumber: 0,
            isPlain: false)
    }

    @_noLocks @inline(__always)
    func flowHash(_ frame: FrameView, etherType: UInt16) -> UInt32 {
        guard isPlain else { return Self.otherHash(frame, etherType: etherType) }
        let offset = EthernetHeader.byteCount
        return FlowHash.hashIPv4(
            addresses: frame.loadUInt64(at: offset &+ 12),
            ports: frame.loadUInt32(at: offset &+ IPv4Header.byteCount),
            protocolNumber: protocolNumber)
    }

    @_noLocks @inline(never)
    private static func otherHash(_ frame: FrameView, etherType: UInt16) -> UInt32 {
        guard etherType == EtherType.ipv4 else { return FlowHash.hash(frame: frame) }
        return FlowHash.hash(
            frame: frame, etherType: etherType, layer3Offset: EthernetHeader.byteCount)
    }
}

/// What all outer headers of a batch have in common: the settings, so that a field costs no branch.
///
/// Standard: RFC 6040 section 4.1, RFC 2983, RFC 4459.
struct OuterRules {
    let sourcePortCount: UInt64
    /// Bytes of the largest inner frame with its tag, `Int.max` when unknown.
    let maximumFrame: Int
    private let fixedTOS: UInt8
    private let inheritedTOS: UInt8
    /// 0 to inherit.
    private let fixedTTL: UInt8
    private let setsDoNotFragment: Bool
    private let inheritsDoNotFragment: Bool

    @_noLocks @inline(__always)
    init(_ settings: TableSet.Settings) {
        sourcePortCount = UInt64(settings.sourcePortCount)
        maximumFrame =
            settings.underlayMTU == 0
            ? .max : Int(settings.underlayMTU) &- EncapsulateStage.overhead
        let inheritsDSCP = settings.dscp == 255
        fixedTOS = inheritsDSCP ? 0 : settings.dscp &<< 2
        inheritedTOS = inheritsDSCP ? 0xFC : 0
        fixedTTL = settings.ttl
        switch settings.doNotFragment {
        case .set:
            setsDoNotFragment = true
            inheritsDoNotFragment = false
        case .unset:
            setsDoNotFragment = false
            inheritsDoNotFragment = false
        case .inherit:
            setsDoNotFragment = false
            inheritsDoNotFragment = true
        }
    }

    @_noLocks @inline(__always)
    func typeOfService(_ inner: InnerFields) -> UInt8 {
        fixedTOS | inner.typeOfService & inheritedTOS
            | ECN.encapsulated(inner: inner.typeOfService)
    }

    /// An outer TTL of 0 cannot be sent.
    @_noLocks @inline(__always)
    func timeToLive(_ inner: InnerFields) -> UInt8 {
        fixedTTL != 0 ? fixedTTL : max(inner.timeToLive, 1)
    }

    @_noLocks @inline(__always)
    func doNotFragment(_ inner: InnerFields) -> Bool {
        setsDoNotFragment || (inheritsDoNotFragment && inner.doNotFragment)
    }
}
