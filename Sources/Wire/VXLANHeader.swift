/// The VXLAN header between UDP and the inner frame (RFC 7348 section 5).
///
/// Layout: flags 1 (only I, 0x08, is defined), reserved 3, VNI 3, reserved 1.
public struct VXLANHeader {
    public let frame: FrameView
    /// Where the header starts in `frame`.
    public let offset: Int

    private enum Field {
        static var flags: Int { @_noLocks get { 0 } }
        static var identifier: Int { @_noLocks get { 4 } }
    }

    public enum Check {
        case valid
        /// Fewer than eight bytes.
        case truncated
        /// The I flag is clear, so the VNI means nothing.
        case missingIdentifierFlag
    }

    public static var byteCount: Int { @_noLocks get { 8 } }
    /// The first four octets with the I flag and nothing else.
    public static var plainFlags: UInt32 { @_noLocks get { 0x0800_0000 } }

    @_noLocks
    public init(frame: FrameView, at offset: Int) {
        self.frame = frame
        self.offset = offset
    }

    /// Only after `valid` may the fields be asked. Reserved bits do not matter here: the receiver
    /// ignores them (RFC 7348 section 5), and a strict receiver asks `hasReservedBits`.
    @_noLocks
    public func check() -> Check {
        guard frame.holds(Self.byteCount, at: offset) else { return .truncated }
        guard frame.loadUInt8(at: offset &+ Field.flags) & 0x08 != 0 else {
            return .missingIdentifierFlag
        }
        return .valid
    }

    public var vni: VNI {
        @_noLocks get { VNI(bits: frame.loadUInt32(at: offset &+ Field.identifier) &>> 8) }
    }

    /// A flag other than I or a bit of a reserved field is set.
    public var hasReservedBits: Bool {
        @_noLocks get {
            let first = frame.loadUInt32(at: offset &+ Field.flags)
            let second = frame.loadUInt32(at: offset &+ Field.identifier)
            return (first & 0xF7FF_FFFF) | (second & 0xFF) != 0
        }
    }

    /// I set, every other flag and both reserved fields zero.
    @_noLocks
    public func emit(vni: VNI) {
        frame.store(Self.plainFlags, at: offset &+ Field.flags)
        frame.store(vni.bits &<< 8, at: offset &+ Field.identifier)
    }
}
