/// The headers in front of VXLAN: Ethernet, IPv4 and UDP, as a VTEP writes them that has no socket
/// to do it (RFC 7348 section 5).
///
/// What is the same for all packets of a VTEP is kept with its share of the IPv4 checksum; the rest
/// is added to that (RFC 1071 section 2), so that no header is read again for its checksum.
///
/// Layout: Ethernet 14, IPv4 without options 20, UDP 8.
public struct OuterHeader: BitwiseCopyable, Sendable {
    /// What differs from packet to packet.
    public struct Fields: BitwiseCopyable, Sendable {
        public var destination: UInt32
        public var sourcePort: UInt16
        /// Bytes behind the UDP header.
        public var payloadByteCount: Int
        public var typeOfService: UInt8
        public var timeToLive: UInt8
        public var doNotFragment: Bool
        public var identification: UInt16

        @_noLocks
        public init(
            destination: UInt32, sourcePort: UInt16, payloadByteCount: Int, typeOfService: UInt8,
            timeToLive: UInt8, doNotFragment: Bool, identification: UInt16
        ) {
            self.destination = destination
            self.sourcePort = sourcePort
            self.payloadByteCount = payloadByteCount
            self.typeOfService = typeOfService
            self.timeToLive = timeToLive
            self.doNotFragment = doNotFragment
            self.identification = identification
        }
    }

    private let destinationMAC: MACAddress
    private let sourceMAC: MACAddress
    public let source: UInt32
    public let destinationPort: UInt16
    /// Version, header length, protocol and source address, added up.
    private let constantSum: UInt64

    public static var byteCount: Int {
        @_noLocks get { EthernetHeader.byteCount &+ IPv4Header.byteCount &+ UDPHeader.byteCount }
    }
    /// Where the UDP header lies.
    public static var transportOffset: Int {
        @_noLocks get { EthernetHeader.byteCount &+ IPv4Header.byteCount }
    }
    /// Where the inner frame lies, behind the VXLAN header.
    public static var innerOffset: Int { @_noLocks get { byteCount &+ VXLANHeader.byteCount } }

    /// Bytes of an outer packet beside the frame within (RFC 7348 section 5): IPv4, UDP and VXLAN
    /// header.
    public static var frameOverhead: Int {
        @_noLocks get { IPv4Header.byteCount &+ UDPHeader.byteCount &+ VXLANHeader.byteCount }
    }
    /// The same beside the packet in that frame, by which the MTU of the underlay has to be larger
    /// (RFC 7348 section 4.3).
    public static var packetOverhead: Int {
        @_noLocks get { frameOverhead &+ EthernetHeader.byteCount }
    }

    /// - Parameter source: the VTEP's own address, host order.
    public init(
        destinationMAC: MACAddress, sourceMAC: MACAddress, source: UInt32, destinationPort: UInt16
    ) {
        self.destinationMAC = destinationMAC
        self.sourceMAC = sourceMAC
        self.source = source
        self.destinationPort = destinationPort
        constantSum =
            0x4500 &+ UInt64(ProtocolNumber.udp) &+ UInt64(source &>> 16)
            &+ UInt64(source & 0xFFFF)
    }

    /// Writes the headers to the start of `frame`, the UDP checksum zero, which over IPv4 means
    /// that there is none (RFC 7348 section 5).
    ///
    /// - Parameter frame: `byteCount` bytes or more.
    @_noLocks
    public func emit(_ fields: Fields, to frame: FrameView) {
        let udpLength = UDPHeader.byteCount &+ fields.payloadByteCount
        let totalLength = UInt16(truncatingIfNeeded: IPv4Header.byteCount &+ udpLength)
        let fragment: UInt16 = fields.doNotFragment ? 0x4000 : 0
        let lifeAndProtocol = UInt16(fields.timeToLive) &<< 8 | UInt16(ProtocolNumber.udp)
        let sum =
            constantSum &+ UInt64(fields.typeOfService) &+ UInt64(totalLength)
            &+ UInt64(fields.identification) &+ UInt64(fragment)
            &+ UInt64(fields.timeToLive) &<< 8 &+ UInt64(fields.destination &>> 16)
            &+ UInt64(fields.destination & 0xFFFF)
        frame.store(destinationMAC, at: 0)
        frame.store(sourceMAC, at: 6)
        frame.store(EtherType.ipv4, at: 12)
        frame.store(0x4500 | UInt16(fields.typeOfService), at: 14)
        frame.store(totalLength, at: 16)
        frame.store(fields.identification, at: 18)
        frame.store(fragment, at: 20)
        frame.store(lifeAndProtocol, at: 22)
        frame.store(InternetChecksum.checksum(sum), at: 24)
        frame.store(source, at: 26)
        frame.store(fields.destination, at: 30)
        frame.store(fields.sourcePort, at: 34)
        frame.store(destinationPort, at: 36)
        frame.store(UInt16(truncatingIfNeeded: udpLength), at: 38)
        frame.store(0 as UInt16, at: 40)
    }

    /// The sum of the UDP pseudo-header of a packet with these fields (RFC 768).
    @_noLocks
    public func pseudoHeader(_ fields: Fields) -> UInt64 {
        InternetChecksum.pseudoHeaderIPv4(
            source: IPv4Address(bits: source), destination: IPv4Address(bits: fields.destination),
            protocolNumber: ProtocolNumber.udp,
            length: UDPHeader.byteCount &+ fields.payloadByteCount)
    }
}
