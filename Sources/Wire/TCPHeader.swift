/// A TCP header (RFC 9293 section 3.1).
///
/// Layout: source port 2, destination port 2, sequence number 4, acknowledgment number 4, data
/// offset 4 bits, reserved 4 bits, flags 1, window 2, checksum 2, urgent pointer 2, options 0...40.
public struct TCPHeader {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var sourcePort: Int { @_noLocks get { 0 } }
        static var destinationPort: Int { @_noLocks get { 2 } }
        static var sequenceNumber: Int { @_noLocks get { 4 } }
        static var acknowledgmentNumber: Int { @_noLocks get { 8 } }
        static var dataOffset: Int { @_noLocks get { 12 } }
        static var flags: Int { @_noLocks get { 13 } }
        static var window: Int { @_noLocks get { 14 } }
        static var checksum: Int { @_noLocks get { 16 } }
        static var urgentPointer: Int { @_noLocks get { 18 } }
    }

    /// The bits of the flags field.
    public enum Flag {
        public static var fin: UInt8 { @_noLocks get { 0x01 } }
        public static var syn: UInt8 { @_noLocks get { 0x02 } }
        public static var rst: UInt8 { @_noLocks get { 0x04 } }
        public static var psh: UInt8 { @_noLocks get { 0x08 } }
        public static var ack: UInt8 { @_noLocks get { 0x10 } }
        public static var urg: UInt8 { @_noLocks get { 0x20 } }
        public static var ece: UInt8 { @_noLocks get { 0x40 } }
        public static var cwr: UInt8 { @_noLocks get { 0x80 } }
    }

    public enum Check {
        case valid
        /// Fewer bytes than the shortest header, or than the header says it has.
        case truncated
        /// The header length is below 20 bytes.
        case badDataOffset
    }

    /// Without options.
    public static var byteCount: Int { @_noLocks get { 20 } }
    /// Where the checksum lies in the header.
    public static var checksumOffset: Int { @_noLocks get { 16 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard headerByteCount >= Self.byteCount else { return .badDataOffset }
        guard frame.holds(headerByteCount, at: offset) else { return .truncated }
        return .valid
    }

    public var sourcePort: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.sourcePort) }
    }

    public var destinationPort: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.destinationPort) }
    }

    public var sequenceNumber: UInt32 {
        @_noLocks get { frame.loadUInt32(at: offset &+ Field.sequenceNumber) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.sequenceNumber) }
    }

    public var acknowledgmentNumber: UInt32 {
        @_noLocks get { frame.loadUInt32(at: offset &+ Field.acknowledgmentNumber) }
    }

    /// Bytes of the header with its options.
    public var headerByteCount: Int {
        @_noLocks get { Int(frame.loadUInt8(at: offset &+ Field.dataOffset) &>> 4) &* 4 }
    }

    /// See `Flag`.
    public var flags: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.flags) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.flags) }
    }

    public var window: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.window) }
    }

    public var checksum: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.checksum) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.checksum) }
    }

    /// Whether the checksum over `length` bytes of header and payload is right.
    ///
    /// - Parameter pseudoHeader: the sum of the pseudo-header with this length.
    @_noLocks
    public func hasValidChecksum(pseudoHeader: UInt64, length: Int) -> Bool {
        let sum = InternetChecksum.sum(
            frame, offset: offset, length: length, initial: pseudoHeader)
        return InternetChecksum.fold(sum) == 0xFFFF
    }

    /// Writes a header without options; the urgent pointer is zero.
    @_noLocks
    public func emit(
        sourcePort: UInt16, destinationPort: UInt16, sequenceNumber: UInt32,
        acknowledgmentNumber: UInt32, flags: UInt8, window: UInt16, checksum: UInt16
    ) {
        frame.store(sourcePort, at: offset &+ Field.sourcePort)
        frame.store(destinationPort, at: offset &+ Field.destinationPort)
        self.sequenceNumber = sequenceNumber
        frame.store(acknowledgmentNumber, at: offset &+ Field.acknowledgmentNumber)
        frame.store(0x50 as UInt8, at: offset &+ Field.dataOffset)
        self.flags = flags
        frame.store(window, at: offset &+ Field.window)
        self.checksum = checksum
        frame.store(0 as UInt16, at: offset &+ Field.urgentPointer)
    }
}
