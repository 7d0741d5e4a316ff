/// Numbers of the protocols above IP that the gateway knows by name (IANA protocol numbers).
public enum ProtocolNumber {
    public static var icmp: UInt8 { @_noLocks get { 1 } }
    public static var tcp: UInt8 { @_noLocks get { 6 } }
    public static var udp: UInt8 { @_noLocks get { 17 } }
    public static var icmpv6: UInt8 { @_noLocks get { 58 } }
}

/// An IPv4 header (RFC 791 section 3.1).
///
/// Layout: version and IHL 1, type of service 1, total length 2, identification 2, flags and
/// fragment offset 2, TTL 1, protocol 1, checksum 2, source 4, destination 4, options 0...40.
public struct IPv4Header {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var versionAndLength: Int { @_noLocks get { 0 } }
        static var typeOfService: Int { @_noLocks get { 1 } }
        static var totalLength: Int { @_noLocks get { 2 } }
        static var identification: Int { @_noLocks get { 4 } }
        static var fragment: Int { @_noLocks get { 6 } }
        static var timeToLive: Int { @_noLocks get { 8 } }
        static var protocolNumber: Int { @_noLocks get { 9 } }
        static var checksum: Int { @_noLocks get { 10 } }
        static var source: Int { @_noLocks get { 12 } }
        static var destination: Int { @_noLocks get { 16 } }
    }

    /// The checks of RFC 1812 section 5.2.2, each failure by its own name.
    public enum Check {
        case valid
        /// Fewer bytes than the shortest header, or than the header says it has.
        case truncated
        case badVersion
        /// The header length is below 20 bytes.
        case badHeaderLength
        /// The total length is below the header's, or beyond the end of the frame.
        case badTotalLength
        case badChecksum
    }

    /// Without options.
    public static var byteCount: Int { @_noLocks get { 20 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        let lengths = checkLengths()
        guard case .valid = lengths else { return lengths }
        return hasValidChecksum ? .valid : .badChecksum
    }

    /// Everything but the checksum, for a packet that no router needs to verify.
    @_noLocks
    public func checkLengths() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        let first = frame.loadUInt8(at: offset &+ Field.versionAndLength)
        guard first &>> 4 == 4 else { return .badVersion }
        guard first & 15 >= 5 else { return .badHeaderLength }
        guard frame.holds(headerByteCount, at: offset) else { return .truncated }
        guard totalLength >= headerByteCount, frame.holds(totalLength, at: offset) else {
            return .badTotalLength
        }
        return .valid
    }

    /// Bytes of the header with its options.
    public var headerByteCount: Int {
        @_noLocks get { Int(frame.loadUInt8(at: offset &+ Field.versionAndLength) & 15) &* 4 }
    }

    public var hasOptions: Bool { @_noLocks get { headerByteCount != Self.byteCount } }

    /// DSCP and ECN.
    public var typeOfService: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.typeOfService) }
    }

    /// Changes DSCP and ECN and carries the change into the checksum.
    @_noLocks
    public func setTypeOfService(_ value: UInt8) {
        let old = frame.loadUInt16(at: offset)
        let new = old & 0xFF00 | UInt16(value)
        frame.store(new, at: offset)
        checksum = InternetChecksum.updated(checksum, replacing: old, with: new)
    }

    /// The ECN codepoint, see `ECN`.
    public var ecn: UInt8 { @_noLocks get { typeOfService & 3 } }

    /// Changes the ECN codepoint and carries the change into the checksum.
    @_noLocks
    public func setECN(_ codepoint: UInt8) {
        setTypeOfService(typeOfService & 0xFC | codepoint & 3)
    }

    /// Bytes of header and payload.
    public var totalLength: Int {
        @_noLocks get { Int(frame.loadUInt16(at: offset &+ Field.totalLength)) }
        @_noLocks nonmutating set {
            frame.store(UInt16(truncatingIfNeeded: newValue), at: offset &+ Field.totalLength)
        }
    }

    public var identification: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.identification) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.identification) }
    }

    public var dontFragment: Bool {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.fragment) & 0x4000 != 0 }
    }

    public var moreFragments: Bool {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.fragment) & 0x2000 != 0 }
    }

    /// Bytes of the datagram before this fragment.
    public var fragmentOffset: Int {
        @_noLocks get { Int(frame.loadUInt16(at: offset &+ Field.fragment) & 0x1FFF) &* 8 }
    }

    /// A piece of a larger datagram, the first one included.
    public var isFragment: Bool {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.fragment) & 0x3FFF != 0 }
    }

    /// The fragment reaches beyond the largest datagram there can be, or starts at eight bytes,
    /// inside of the transport header: links of 68 bytes do not cut so short (RFC 791 section 3.2),
    /// only attacks do (RFC 1858 section 4, RFC 3128).
    public var hasImpossibleFragmentOffset: Bool {
        @_noLocks get {
            let start = fragmentOffset
            return start == 8 || (start &+ totalLength > 0xFFFF && start != 0)
        }
    }

    public var timeToLive: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.timeToLive) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.timeToLive) }
    }

    /// One hop: takes one off the TTL and carries the change into the checksum (RFC 1624). False,
    /// and nothing changed, when the packet has no hop left (RFC 1812 section 5.3.1).
    @inlinable @_noLocks @inline(__always)
    public func decrementTimeToLive() -> Bool {
        // TTL, protocol and checksum lie in one word.
        let word = offset &+ 8
        let old = frame.loadUInt32(at: word)
        guard old >= 0x0200_0000 else { return false }
        // Equation 3 where the difference is always the same: ~m + m' = 0xFEFF. Its complement
        // is 0x0100 more, with the carry brought round; a sum of all ones counts as zero.
        let sum = (old & 0xFFFF) &+ 0x0100
        let checksum = (sum &+ (sum >= 0xFFFF ? 1 : 0)) & 0xFFFF
        frame.store((old & 0xFFFF_0000) &- 0x0100_0000 | checksum, at: word)
        return true
    }

    public var protocolNumber: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.protocolNumber) }
    }

    public var checksum: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.checksum) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.checksum) }
    }

    public var hasValidChecksum: Bool {
        @_noLocks get { InternetChecksum.isRight(headerSum()) }
    }

    /// Computes the checksum of the header anew.
    @_noLocks
    public func updateChecksum() {
        checksum = 0
        checksum = InternetChecksum.checksum(headerSum())
    }

    public var source: IPv4Address {
        @_noLocks get { frame.loadIPv4Address(at: offset &+ Field.source) }
    }

    public var destination: IPv4Address {
        @_noLocks get { frame.loadIPv4Address(at: offset &+ Field.destination) }
    }

    /// Writes a header without options, checksum included.
    ///
    /// - Parameter totalLength: bytes of header and payload, at most 65,535.
    @_noLocks
    public func emit(
        source: IPv4Address, destination: IPv4Address, protocolNumber: UInt8, totalLength: Int,
        timeToLive: UInt8, typeOfService: UInt8, identification: UInt16, dontFragment: Bool
    ) {
        frame.store(0x4500 | UInt16(typeOfService), at: offset)
        self.totalLength = totalLength
        self.identification = identification
        frame.store((dontFragment ? 0x4000 : 0) as UInt16, at: offset &+ Field.fragment)
        self.timeToLive = timeToLive
        frame.store(protocolNumber, at: offset &+ Field.protocolNumber)
        frame.store(source, at: offset &+ Field.source)
        frame.store(destination, at: offset &+ Field.destination)
        updateChecksum()
    }

    /// The sum over the header as it is; three loads when it has no options, as nearly all have
    /// none.
    @_noLocks
    private func headerSum() -> UInt64 {
        guard !hasOptions else {
            return InternetChecksum.sum(
                frame, offset: offset, length: headerByteCount, initial: 0)
        }
        let first = frame.loadUInt64(at: offset)
        let second = frame.loadUInt64(at: offset &+ 8)
        let last = UInt64(frame.loadUInt32(at: offset &+ 16))
        return (first &>> 32) &+ (first & 0xFFFF_FFFF) &+ (second &>> 32)
            &+ (second & 0xFFFF_FFFF) &+ last
    }
}
