/// An ARP packet for IPv4 over Ethernet (RFC 826).
///
/// Layout: hardware type 2, protocol type 2, hardware length 1, protocol length 1, operation 2,
/// sender MAC 6, sender IP 4, target MAC 6, target IP 4.
public struct ARPPacket {
    public let frame: FrameView
    /// Where the packet starts in `frame`.
    public let offset: Int

    private enum Field {
        static var hardwareType: Int { @_noLocks get { 0 } }
        static var protocolType: Int { @_noLocks get { 2 } }
        static var hardwareLength: Int { @_noLocks get { 4 } }
        static var protocolLength: Int { @_noLocks get { 5 } }
        static var operation: Int { @_noLocks get { 6 } }
        static var senderMAC: Int { @_noLocks get { 8 } }
        static var senderIP: Int { @_noLocks get { 14 } }
        static var targetMAC: Int { @_noLocks get { 18 } }
        static var targetIP: Int { @_noLocks get { 24 } }
    }

    public enum Check {
        case valid
        /// Fewer than 28 bytes.
        case truncated
        /// Not Ethernet (1).
        case badHardwareType
        /// Not IPv4 (0x0800).
        case badProtocolType
        /// Not 6.
        case badHardwareLength
        /// Not 4.
        case badProtocolLength
        /// Neither request (1) nor reply (2).
        case badOperation
    }

    public static var byteCount: Int { @_noLocks get { 28 } }
    public static var request: UInt16 { @_noLocks get { 1 } }
    public static var reply: UInt16 { @_noLocks get { 2 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard frame.loadUInt16(at: offset &+ Field.hardwareType) == 1 else {
            return .badHardwareType
        }
        guard frame.loadUInt16(at: offset &+ Field.protocolType) == EtherType.ipv4 else {
            return .badProtocolType
        }
        guard frame.loadUInt8(at: offset &+ Field.hardwareLength) == 6 else {
            return .badHardwareLength
        }
        guard frame.loadUInt8(at: offset &+ Field.protocolLength) == 4 else {
            return .badProtocolLength
        }
        guard operation == Self.request || operation == Self.reply else { return .badOperation }
        return .valid
    }

    public var operation: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.operation) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.operation) }
    }

    public var senderMAC: MACAddress {
        @_noLocks get { frame.loadMACAddress(at: offset &+ Field.senderMAC) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.senderMAC) }
    }

    public var senderIP: IPv4Address {
        @_noLocks get { frame.loadIPv4Address(at: offset &+ Field.senderIP) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.senderIP) }
    }

    public var targetMAC: MACAddress {
        @_noLocks get { frame.loadMACAddress(at: offset &+ Field.targetMAC) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.targetMAC) }
    }

    public var targetIP: IPv4Address {
        @_noLocks get { frame.loadIPv4Address(at: offset &+ Field.targetIP) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.targetIP) }
    }

    /// A duplicate-address check: the sender does not hold the address yet, so nothing is learned
    /// from it and only the true owner answers (RFC 5227 section 2.1.1).
    public var isProbe: Bool { @_noLocks get { operation == Self.request && senderIP.bits == 0 } }

    /// The sender tells its own address (RFC 5227 section 2.3), also called gratuitous.
    public var isAnnouncement: Bool {
        @_noLocks get { senderIP.bits == targetIP.bits && senderIP.bits != 0 }
    }

    /// Turns the request round in place: whoever asked becomes the target, and the address asked
    /// for is said to be at `answer`. The Ethernet addresses are the caller's.
    @_noLocks
    public func rewriteToReply(answer: MACAddress) {
        let asked = targetIP
        targetMAC = senderMAC
        targetIP = senderIP
        senderMAC = answer
        senderIP = asked
        operation = Self.reply
    }

    @_noLocks
    public func emit(
        operation: UInt16, senderMAC: MACAddress, senderIP: IPv4Address, targetMAC: MACAddress,
        targetIP: IPv4Address
    ) {
        frame.store(1 as UInt16, at: offset &+ Field.hardwareType)
        frame.store(EtherType.ipv4, at: offset &+ Field.protocolType)
        frame.store(6 as UInt8, at: offset &+ Field.hardwareLength)
        frame.store(4 as UInt8, at: offset &+ Field.protocolLength)
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderIP = senderIP
        self.targetMAC = targetMAC
        self.targetIP = targetIP
    }
}
