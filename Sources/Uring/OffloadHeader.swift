/// The virtio-net header before every frame of a tap and of a packet socket: what the sender of
/// the frame left for the device to do.
///
/// Layout, 10 bytes little endian (virtio 1.2 section 5.1.6): flags, kind, header length @2,
/// segment size @4, checksum start @6, checksum offset @8.
public struct OffloadHeader: BitwiseCopyable, Sendable, Equatable {
    /// Bytes of it in front of a frame, for taps and packet sockets alike.
    public static var byteCount: Int { @_noLocks get { 10 } }

    /// The TCP or UDP checksum is unfinished: sum from `checksumStart` to the end of the frame
    /// and store it `checksumOffset` bytes after the start. The field holds the pseudo-header sum.
    public static var needsChecksum: UInt8 { @_noLocks get { 1 } }
    /// The kernel has verified the checksum (or the frame never crossed a wire).
    public static var checksumIsValid: UInt8 { @_noLocks get { 2 } }

    public var flags: UInt8
    /// One of `Segmentation`'s raw values, with `congestionMark` or'ed in.
    public var segmentationKind: UInt8
    /// Bytes of the headers that every segment repeats. A hint: senders may get it wrong.
    public var headerLength: UInt16
    /// Payload bytes of each segment but the last.
    public var segmentSize: UInt16
    public var checksumStart: UInt16
    public var checksumOffset: UInt16

    /// Nothing is left to do.
    @_noLocks
    public init() {
        flags = 0
        segmentationKind = 0
        headerLength = 0
        segmentSize = 0
        checksumStart = 0
        checksumOffset = 0
    }

    @_noLocks
    public init(
        flags: UInt8, segmentationKind: UInt8, headerLength: UInt16, segmentSize: UInt16,
        checksumStart: UInt16, checksumOffset: UInt16
    ) {
        self.flags = flags
        self.segmentationKind = segmentationKind
        self.headerLength = headerLength
        self.segmentSize = segmentSize
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
    }

    /// What a super-packet is cut into.
    public enum Segmentation: UInt8, Sendable {
        case none = 0
        case tcp4 = 1
        /// One UDP datagram in IPv4 fragments.
        case udpFragments = 3
        case tcp6 = 4
        /// Several UDP datagrams of one size.
        case udp = 5
    }

    /// The TCP segments carry a congestion mark: only the first repeats CWR.
    public static var congestionMark: UInt8 { @_noLocks get { 0x80 } }

    public var needsChecksum: Bool { @_noLocks get { flags & Self.needsChecksum != 0 } }

    public var isSuperPacket: Bool {
        @_noLocks get { segmentationKind & ~Self.congestionMark != 0 }
    }

    /// Reads it from the first bytes of a packet; nil when they are too few.
    @_noLocks
    public static func load(from bytes: UnsafePointer<UInt8>, count: Int) -> OffloadHeader? {
        guard count >= byteCount else { return nil }
        let raw = unsafe UnsafeRawPointer(bytes)
        return unsafe OffloadHeader(
            flags: bytes[0], segmentationKind: bytes[1],
            headerLength: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
            segmentSize: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt16.self)),
            checksumStart: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 6, as: UInt16.self)),
            checksumOffset: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
    }

    /// Writes it; false, with nothing written, when the room is too small.
    @_noLocks @discardableResult
    public func store(to bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Bool {
        guard count >= Self.byteCount else { return false }
        let raw = UnsafeMutableRawPointer(bytes)
        unsafe bytes[0] = flags
        unsafe bytes[1] = segmentationKind
        unsafe raw.storeBytes(of: headerLength.littleEndian, toByteOffset: 2, as: UInt16.self)
        unsafe raw.storeBytes(of: segmentSize.littleEndian, toByteOffset: 4, as: UInt16.self)
        unsafe raw.storeBytes(of: checksumStart.littleEndian, toByteOffset: 6, as: UInt16.self)
        unsafe raw.storeBytes(of: checksumOffset.littleEndian, toByteOffset: 8, as: UInt16.self)
        return true
    }
}
