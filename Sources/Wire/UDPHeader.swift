/// A UDP header (RFC 768).
///
/// Layout: source port 2, destination port 2, length 2, checksum 2.
public struct UDPHeader {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var sourcePort: Int { @_noLocks get { 0 } }
        static var destinationPort: Int { @_noLocks get { 2 } }
        static var length: Int { @_noLocks get { 4 } }
        static var checksum: Int { @_noLocks get { 6 } }
    }

    public enum Check {
        case valid
        /// Fewer than eight bytes.
        case truncated
        /// The length is below the header's, or beyond the end of the frame.
        case badLength
    }

    public static var byteCount: Int { @_noLocks get { 8 } }
    /// Where the checksum lies in the header.
    public static var checksumOffset: Int { @_noLocks get { 6 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard length >= Self.byteCount, frame.holds(length, at: offset) else { return .badLength }
        return .valid
    }

    public var sourcePort: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.sourcePort) }
    }

    public var destinationPort: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.destinationPort) }
    }

    /// Bytes of header and payload.
    public var length: Int {
        @_noLocks get { Int(frame.loadUInt16(at: offset &+ Field.length)) }
        @_noLocks nonmutating set {
            frame.store(UInt16(truncatingIfNeeded: newValue), at: offset &+ Field.length)
        }
    }

    /// Zero means that the sender made none (over IPv4 only).
    public var checksum: UInt16 {
        @_noLocks get { frame.loadUInt16(at: offset &+ Field.checksum) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.checksum) }
    }

    /// Whether the checksum over `length` bytes is right; a zero one is not looked at here.
    ///
    /// - Parameter pseudoHeader: the sum of the pseudo-header with this length.
    @_noLocks
    public func hasValidChecksum(pseudoHeader: UInt64) -> Bool {
        let sum = InternetChecksum.sum(
            frame, offset: offset, length: length, initial: pseudoHeader)
        return InternetChecksum.fold(sum) == 0xFFFF
    }

    /// - Parameter length: bytes of header and payload, at most 65,535.
    @_noLocks
    public func emit(sourcePort: UInt16, destinationPort: UInt16, length: Int, checksum: UInt16) {
        frame.store(sourcePort, at: offset &+ Field.sourcePort)
        frame.store(destinationPort, at: offset &+ Field.destinationPort)
        self.length = length
        self.checksum = checksum
    }
}
