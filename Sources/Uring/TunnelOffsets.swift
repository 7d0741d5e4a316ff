/// The part of a 24-byte virtio-net header that is not in the 10-byte one: where the layers of a
/// tunnelled super-packet begin.
///
/// Layout, little endian (virtio 1.4 draft, `virtio_net_hdr_v1_hash_tunnel`; Linux 6.17): the ten
/// bytes of `OffloadHeader`, number of buffers @10, hash @12 and padding to @20, outer transport
/// header @20, inner network header @22. Both count from the first byte of the frame.
public struct TunnelOffsets: BitwiseCopyable, Sendable, Equatable {
    public var outerTransport: UInt16
    public var innerNetwork: UInt16

    /// Bytes of the whole header where tunnels are offloaded.
    public static var headerByteCount: Int { @_noLocks get { 24 } }

    /// In `OffloadHeader.segmentationKind`: the super-packet is in a UDP tunnel over IPv4 or IPv6.
    public static var overIPv4: UInt8 { @_noLocks get { 0x20 } }
    public static var overIPv6: UInt8 { @_noLocks get { 0x40 } }
    /// In `OffloadHeader.flags`: every segment gets an outer UDP checksum.
    public static var outerChecksum: UInt8 { @_noLocks get { 0x08 } }

    @_noLocks
    public init(outerTransport: UInt16 = 0, innerNetwork: UInt16 = 0) {
        self.outerTransport = outerTransport
        self.innerNetwork = innerNetwork
    }

    /// Reads them from the first bytes of a packet; nil when they are too few.
    @_noLocks
    public static func load(from bytes: UnsafePointer<UInt8>, count: Int) -> TunnelOffsets? {
        guard count >= headerByteCount else { return nil }
        let raw = unsafe UnsafeRawPointer(bytes)
        return unsafe TunnelOffsets(
            outerTransport: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 20, as: UInt16.self)),
            innerNetwork: UInt16(
                littleEndian: raw.loadUnaligned(fromByteOffset: 22, as: UInt16.self)))
    }

    /// Writes bytes 10 to 23, hash and padding zero; false, with nothing written, when the room is
    /// too small.
    @_noLocks @discardableResult
    public func store(to bytes: UnsafeMutablePointer<UInt8>, count: Int) -> Bool {
        guard count >= Self.headerByteCount else { return false }
        let raw = UnsafeMutableRawPointer(bytes)
        unsafe raw.storeBytes(of: 0, toByteOffset: 10, as: UInt16.self)
        unsafe raw.storeBytes(of: 0, toByteOffset: 12, as: UInt64.self)
        unsafe raw.storeBytes(of: outerTransport.littleEndian, toByteOffset: 20, as: UInt16.self)
        unsafe raw.storeBytes(of: innerNetwork.littleEndian, toByteOffset: 22, as: UInt16.self)
        return true
    }
}
