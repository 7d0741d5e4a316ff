internal import Tables
internal import Wire

/// The fields of an outer IPv4 header that may come from the inner packet.
///
/// Layout: one word: TTL, type of service, and the bit 22 for "don't fragment", as they lie in an
/// IPv4 header.
public struct OuterFields: BitwiseCopyable, Equatable, Sendable {
    fileprivate var word: UInt32

    fileprivate static var timeToLiveMask: UInt32 { @_noLocks get { 0xFF } }
    fileprivate static var typeOfServiceMask: UInt32 { @_noLocks get { 0xFF00 } }
    fileprivate static var doNotFragmentMask: UInt32 { @_noLocks get { 0x40_0000 } }

    public var typeOfService: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: word &>> 8) } }
    public var timeToLive: UInt8 { @_noLocks get { UInt8(truncatingIfNeeded: word) } }
    public var doNotFragment: Bool { @_noLocks get { word & Self.doNotFragmentMask != 0 } }

    @_noLocks @inline(__always)
    fileprivate init(word: UInt32) { self.word = word }

    @_noLocks
    init(typeOfService: UInt8, timeToLive: UInt8, doNotFragment: Bool) {
        word =
            UInt32(timeToLive) | UInt32(typeOfService) &<< 8
            | (doNotFragment ? Self.doNotFragmentMask : 0)
    }
}

/// The inner header of most packets, in words with the first octet lowest: IPv4 without options, no
/// fragment, TCP or UDP with its ports.
struct PlainInnerHeader {
    /// Octets 0 to 7, 8 to 15, 16 to 23.
    fileprivate let first: UInt64
    fileprivate let middle: UInt64
    private let last: UInt64

    /// Nil says nothing.
    /// - Parameter etherType: that of the frame, which has no tag.
    @_noLocks @inline(__always)
    init?(_ frame: FrameView, etherType: UInt16) {
        let offset = EthernetHeader.byteCount
        guard etherType == EtherType.ipv4, frame.holds(IPv4Header.byteCount &+ 4, at: offset) else {
            return nil
        }
        first = frame.loadUInt64LowestFirst(at: offset)
        middle = frame.loadUInt64LowestFirst(at: offset &+ 8)
        let protocolNumber = UInt8(truncatingIfNeeded: middle &>> 8)
        guard first & 0xFF3F_0000_0000_000F == 5,
            protocolNumber == ProtocolNumber.udp || protocolNumber == ProtocolNumber.tcp
        else { return nil }
        last = frame.loadUInt64LowestFirst(at: offset &+ 16)
    }

    var flowHash: UInt32 {
        @_noLocks @inline(__always) get { FlowHash.hashIPv4(middle: middle, last: last) }
    }
}

/// What the encapsulate stage takes from any frame.
enum InnerFields {
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
    /// The bits that are set.
    private let fixed: UInt32
    /// Those taken from the inner packet, field by field.
    private let inheritedTimeToLive: UInt32
    private let inheritedTypeOfService: UInt32
    private let inheritedDoNotFragment: UInt32

    @_noLocks @inline(__always)
    init(_ settings: TableSet.Settings) {
        sourcePortCount = UInt64(settings.sourcePortCount)
        maximumFrame =
            settings.underlayMTU == 0
            ? .max : Int(settings.underlayMTU) &- OuterHeader.frameOverhead
        // ECN is a copy always.
        let inheritsDSCP = settings.dscp == 255
        fixed =
            OuterFields(
                typeOfService: inheritsDSCP ? 0 : settings.dscp &<< 2, timeToLive: settings.ttl,
                doNotFragment: settings.doNotFragment == .set
            ).word
        inheritedTimeToLive = settings.ttl == 0 ? OuterFields.timeToLiveMask : 0
        inheritedTypeOfService =
            inheritsDSCP
            ? OuterFields.typeOfServiceMask : UInt32(ECN.encapsulated(inner: 0xFF)) &<< 8
        inheritedDoNotFragment =
            settings.doNotFragment == .inherit ? OuterFields.doNotFragmentMask : 0
    }

    /// An outer TTL of 0 cannot be sent.
    @_noLocks @inline(__always)
    func outer(_ inner: OuterFields) -> OuterFields {
        let inherited = inheritedTimeToLive | inheritedTypeOfService | inheritedDoNotFragment
        let word = fixed | inner.word & inherited
        return OuterFields(word: word & OuterFields.timeToLiveMask == 0 ? word | 1 : word)
    }

    /// The same for most packets; nil for one without a TTL.
    @_noLocks @inline(__always)
    func outer(_ inner: PlainInnerHeader) -> OuterFields? {
        let word =
            fixed | UInt32(truncatingIfNeeded: inner.first) & inheritedTypeOfService
            | UInt32(truncatingIfNeeded: inner.middle) & inheritedTimeToLive
            | UInt32(truncatingIfNeeded: inner.first &>> 32) & inheritedDoNotFragment
        return word & OuterFields.timeToLiveMask == 0 ? nil : OuterFields(word: word)
    }

    /// The index of the source port. The upper bits of hash times count: even over any count,
    /// without a division.
    @_noLocks @inline(__always)
    func sourcePort(_ hash: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(hash) &* sourcePortCount) &>> 32)
    }
}
