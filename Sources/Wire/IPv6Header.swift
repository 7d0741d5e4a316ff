/// An IPv6 header (RFC 8200 section 3), as far as bridging and segmentation need it.
///
/// Layout: version 4 bits, traffic class 8 bits, flow label 20 bits, payload length 2, next header
/// 1, hop limit 1, source 16, destination 16.
public struct IPv6Header {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var versionAndClass: Int { @_noLocks get { 0 } }
        static var payloadLength: Int { @_noLocks get { 4 } }
        static var nextHeader: Int { @_noLocks get { 6 } }
        static var hopLimit: Int { @_noLocks get { 7 } }
        static var source: Int { @_noLocks get { 8 } }
    }

    public enum Check {
        case valid
        /// Fewer than 40 bytes.
        case truncated
        case badVersion
        /// The payload reaches beyond the end of the frame.
        case badPayloadLength
    }

    public static var byteCount: Int { @_noLocks get { 40 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard frame.loadUInt8(at: offset) &>> 4 == 6 else { return .badVersion }
        guard frame.holds(Self.byteCount &+ payloadLength, at: offset) else {
            return .badPayloadLength
        }
        return .valid
    }

    /// DSCP and ECN. IPv6 has no header checksum, so nothing else changes with it.
    public var trafficClass: UInt8 {
        @_noLocks get {
            UInt8(
                truncatingIfNeeded: frame.loadUInt16(at: offset &+ Field.versionAndClass) &>> 4)
        }
        @_noLocks nonmutating set {
            let old = frame.loadUInt16(at: offset &+ Field.versionAndClass)
            frame.store(
                old & 0xF00F | UInt16(newValue) &<< 4, at: offset &+ Field.versionAndClass)
        }
    }

    /// The ECN codepoint, see `ECN`.
    public var ecn: UInt8 {
        @_noLocks get { trafficClass & 3 }
        @_noLocks nonmutating set { trafficClass = trafficClass & 0xFC | newValue & 3 }
    }

    /// Bytes after this header, extension headers included.
    public var payloadLength: Int {
        @_noLocks get { Int(frame.loadUInt16(at: offset &+ Field.payloadLength)) }
        @_noLocks nonmutating set {
            frame.store(UInt16(truncatingIfNeeded: newValue), at: offset &+ Field.payloadLength)
        }
    }

    /// The protocol above, or the first extension header.
    public var nextHeader: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.nextHeader) }
    }

    public var hopLimit: UInt8 {
        @_noLocks get { frame.loadUInt8(at: offset &+ Field.hopLimit) }
        @_noLocks nonmutating set { frame.store(newValue, at: offset &+ Field.hopLimit) }
    }

    /// Where the two addresses lie in `frame`, the source first.
    public var addressOffset: Int { @_noLocks get { offset &+ Field.source } }
}
