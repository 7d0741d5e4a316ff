internal import Tables
internal import Wire

/// The fields of an outer IPv4 header that may come from the inner packet.
///
/// Layout: one word: type of service, TTL, and one bit for "don't fragment".
public struct OuterFields: BitwiseCopyable, Equatable, Sendable {
    fileprivate var word: UInt32

    public var typeOfService: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: word) } }
    public var timeToLive: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: word &>> 8) } }
    public var doNotFragment: Bool { @_noLocks get { word &>> 16 != 0 } }

    @_noLocks @inline(__always)
    fileprivate init(word: UInt32) { self.word = word }

    @_noLocks
    init(typeOfService: UInt8, timeToLive: UInt8, doNotFragment: Bool) {
        word =
            UInt32(typeOfService) | UInt32(timeToLive) &<< 8 | (doNotFragment ? 1 &<< 16 : 0)
    }
}

/// What the encapsulate stage takes from the frame: the fields that outer headers inherit, and the
/// words of which the flow hash of most packets is made.
struct InnerFields {
    let fields: OuterFields
    let protocolNumber: UInt8

    /// Those of IPv4 without options, no fragment, TCP or UDP with its ports; nil says nothing.
    /// - Parameter etherType: that of the frame, which has no tag.
    @_noLocks @inline(__always)
    init?(plain frame: FrameView, etherType: UInt16) {
        let offset = EthernetHeader.byteCount
        guard etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount &+ 4, at: offset) else {
            return nil
        }
        // Version to fragment offset, and TTL to source address: each one load.
        let first = frame.loadUInt64(at: offset)
        let second = frame.loadUInt64(at: offset &+ 8)
        protocolNumber = UInt8(truncatingIfNeeded: second &>> 48)
        guard first & 0x0F00_0000_0000_3FFF == 0x0500_0000_0000_0000,
            protocolNumber == ProtocolNumber.udp || protocolNumber == ProtocolNumber.tcp
        else { return nil }
        fields = OuterFields(
            word: UInt32(truncatingIfNeeded: first &>> 48 & 0xFF)
                | UInt32(truncatingIfNeeded: second &>> 48 & 0xFF00)
                | UInt32(truncatingIfNeeded: first & 0x4000) &<< 2)
    }

    @_noLocks @inline(__always)
    func flowHash(_ frame: FrameView) -> UInt32 {
        let offset = EthernetHeader.byteCount
        return FlowHash.hashIPv4(
            addresses: frame.loadUInt64(at: offset &+ 12),
            ports: frame.loadUInt32(at: offset &+ IPv4Header.byteCount),
            protocolNumber: protocolNumber)
    }

    /// A frame without IP has a TTL of 64. No router fragments a packet of IPv6.
    @_noLocks
    static func read(_ frame: FrameView, etherType: UInt16) -> OuterFields {
        let offset = EthernetHeader.byteCount
        if etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount, at: offset) {
            let header = IPv4Header(frame: frame, at: offset)
            return OuterFields(
                typeOfService: header.typeOfService, timeToLive: header.timeToLive,
                doNotFragment: header.dontFragment)
        }
        if etherType == EtherType.ipv6, frame.holds(IPv6Header.byteCount, at: offset) {
            let header = IPv6Header(frame: frame, at: offset)
            return OuterFields(
                typeOfService: header.trafficClass, timeToLive: header.hopLimit,
                doNotFragment: true)
        }
        return OuterFields(typeOfService: 0, timeToLive: 64, doNotFragment: false)
    }

    @_noLocks
    static func flowHash(_ frame: FrameView, etherType: UInt16) -> UInt32 {
        guard etherType == EtherType.ipv4 else { return FlowHash.hash(frame: frame) }
        return FlowHash.hash(
            frame: frame, etherType: etherType, layer3Offset: EthernetHeader.byteCount)
    }
}

/// What all outer headers of a batch have in common: the settings, so that a field costs no branch.
///
/// Standard: RFC 6040 section 4.1, RFC 2983, RFC 4459.
struct OuterRules {
    private let sourcePortCount: UInt64
    /// Bytes of the largest inner frame with its tag, `Int.max` when unknown.
    let maximumFrame: Int
    /// The bits that are set, and those taken from the inner packet.
    private let fixed: UInt32
    private let inherited: UInt32

    @_noLocks @inline(__always)
    init(_ settings: TableSet.Settings) {
        sourcePortCount = UInt64(settings.sourcePortCount)
        maximumFrame =
            settings.underlayMTU == 0
            ? .max : Int(settings.underlayMTU) &- OuterHeader.frameOverhead
        // ECN is a copy always.
        var fixed = OuterFields(
            typeOfService: 0, timeToLive: settings.ttl, doNotFragment: false
        ).word
        var inherited = UInt32(ECN.encapsulated(inner: 0xFF))
        if settings.dscp == 255 {
            inherited |= 0xFC
        } else {
            fixed |= UInt32(settings.dscp &<< 2)
        }
        if settings.ttl == 0 { inherited |= 0xFF00 }
        switch settings.doNotFragment {
        case .set: fixed |= 1 &<< 16
        case .unset: break
        case .inherit: inherited |= 1 &<< 16
        }
        self.fixed = fixed
        self.inherited = inherited
    }

    /// An outer TTL of 0 cannot be sent.
    @_noLocks @inline(__always)
    func outer(_ inner: OuterFields) -> OuterFields {
        let word = fixed | inner.word & inherited
        return OuterFields(word: word & 0xFF00 == 0 ? word | 0x0100 : word)
    }

    /// The index of the source port. The upper bits of hash times count: even over any count,
    /// without a division.
    @_noLocks @inline(__always)
    func sourcePort(_ hash: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(hash) &* sourcePortCount) &>> 32)
    }
}
