/// An ICMP message over IPv4 (RFC 792): echo, and the errors a router makes.
///
/// Layout: type 1, code 1, checksum 2, then four bytes that depend on the type (echo: identifier 2,
/// sequence 2; too big: zero 2, next-hop MTU 2), then data.
public struct ICMPv4 {
    public let frame: FrameView
    /// Where the message starts in `frame`.
    public let offset: Int
    /// Bytes of the message, from the IPv4 header; it is not trusted.
    public let length: Int

    private enum Field {
        static var type: Int { @_noLocks get { 0 } }
        static var code: Int { @_noLocks get { 1 } }
        static var checksum: Int { @_noLocks get { 2 } }
        static var identifier: Int { @_noLocks get { 4 } }
        static var sequence: Int { @_noLocks get { 6 } }
        static var nextHopMTU: Int { @_noLocks get { 6 } }
    }

    /// Values of the type field.
    public enum MessageType {
        public static var echoReply: UInt8 { @_noLocks get { 0 } }
        public static var unreachable: UInt8 { @_noLocks get { 3 } }
        public static var sourceQuench: UInt8 { @_noLocks get { 4 } }
        public static var redirect: UInt8 { @_noLocks get { 5 } }
        public static var echoRequest: UInt8 { @_noLocks get { 8 } }
        public static var timeExceeded: UInt8 { @_noLocks get { 11 } }
        public static var parameterProblem: UInt8 { @_noLocks get { 12 } }
    }

    /// Values of the code field of an unreachable message.
    public enum UnreachableCode {
        public static var network: UInt8 { @_noLocks get { 0 } }
        public static var host: UInt8 { @_noLocks get { 1 } }
        public static var fragmentationNeeded: UInt8 { @_noLocks get { 4 } }
        public static var prohibited: UInt8 { @_noLocks get { 13 } }
    }

    public enum Check {
        case valid
        /// Fewer than eight bytes, or the message reaches beyond the frame.
        case truncated
        case badChecksum
    }

    public static var byteCount: Int { @_noLocks get { 8 } }
    /// An error with its IPv4 header stays within 576 bytes (RFC 1812 section 4.3.2.3).
    public static var maximumErrorByteCount: Int { @_noLocks get { 576 &- 20 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int, length: Int) {
        self.frame = frame
        self.offset = offset
        self.length = length
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        guard length >= Self.byteCount, frame.holds(length, at: offset) else { return .truncated }
        let sum = InternetChecksum.sum(frame, offset: offset, length: length, initial: 0)
        return InternetChecksum.fold(sum) == 0xFFFF ? .valid : .badChecksum
    }

    public var type: UInt8 { @_noLocks get { frame.loadUInt8(at: offset &+ Field.type) } }

    public var code: UInt8 { @_noLocks get { frame.loadUInt8(at: offset &+ Field.code) } }

    /// One of the error types, about which no error is ever sent (RFC 1812 section 4.3.2.7).
    public var isError: Bool {
        @_noLocks get {
            switch type {
            case 3, 4, 5, 11, 12: return true
            default: return false
            }
        }
    }

    public var checksum: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.checksum) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.checksum) }
    }

    /// Of an echo message.
    public var identifier: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.identifier) }
    }

    /// Of an echo message.
    public var sequence: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.sequence) }
    }

    /// Of an unreachable message with code 4 (RFC 1191 section 4).
    public var nextHopMTU: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.nextHopMTU) }
    }

    /// Turns a checked echo request into its reply in place. The IP addresses are the caller's.
    ///
    /// A reply may be nothing but zeros, the one case in which an incremental update is wrong: zero
    /// where ones belong. A result of zero is therefore computed anew.
    @_noLocks
    public func rewriteToEchoReply() {
        let old = frame.loadUInt16(at: offset)
        frame.store(0 as UInt16, at: offset)
        checksum = InternetChecksum.updated(checksum, replacing: old, with: 0)
        if checksum == 0 { updateChecksum(length: length) }
    }

    /// Writes an echo message whose data already lies after the first eight bytes.
    @_noLocks
    public func emitEcho(type: UInt8, identifier: UInt16, sequence: UInt16) {
        frame.store(type, at: offset &+ Field.type)
        frame.store(0 as UInt8, at: offset &+ Field.code)
        frame.store(identifier, at: offset &+ Field.identifier)
        frame.store(sequence, at: offset &+ Field.sequence)
        updateChecksum(length: length)
    }

    /// Writes an error about the packet `original`, which starts with its IPv4 header, and quotes
    /// as much of it as may be (RFC 1812 section 4.3.2.3).
    ///
    /// - Parameters:
    ///   - original: outside of the bytes written.
    ///   - nextHopMTU: zero unless the code is "fragmentation needed".
    /// - Returns: bytes of the message: 8 and the quoted ones, as many as fit in `length`; 0 when
    ///   `length` is below 8 or not in the frame, and then nothing is written.
    @_noLocks
    public func emitError(
        type: UInt8, code: UInt8, nextHopMTU: UInt16, original: FrameView
    ) -> Int {
        guard length >= Self.byteCount, frame.holds(length, at: offset) else { return 0 }
        let room = min(length, Self.maximumErrorByteCount) &- Self.byteCount
        let quoted = min(original.count, room)
        frame.store(type, at: offset &+ Field.type)
        frame.store(code, at: offset &+ Field.code)
        frame.store(0 as UInt16, at: offset &+ Field.identifier)
        frame.store(nextHopMTU, at: offset &+ Field.nextHopMTU)
        for index in 0..<quoted {
            frame.store(
                original.loadUInt8(at: index), at: offset &+ Self.byteCount &+ index)
        }
        updateChecksum(length: Self.byteCount &+ quoted)
        return Self.byteCount &+ quoted
    }

    @_noLocks
    private func updateChecksum(length: Int) {
        checksum = 0
        checksum = InternetChecksum.checksum(
            InternetChecksum.sum(frame, offset: offset, length: length, initial: 0))
    }
}
