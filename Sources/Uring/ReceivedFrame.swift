/// One frame from a tap: the offload header and the frame, as one read gives them.
///
/// Every length is checked. The 10 or 24 bytes of the header and the slot's headroom (32 or more)
/// before it are writable once it is parsed.
@safe
public struct ReceivedFrame {
    public let bufferID: Int
    public let offload: OffloadHeader
    /// Zeros where the header has 10 bytes.
    public let tunnelOffsets: TunnelOffsets
    /// It filled the buffer to the last byte; a tap does not say whether more was lost.
    public let isTruncated: Bool
    public let frameLength: Int
    @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

    /// `frameLength` readable and writable bytes from the destination MAC address on.
    @unsafe public var frame: UnsafeMutablePointer<UInt8> { @_noLocks get { unsafe bytes } }

    /// Bytes in a buffer before the frame.
    public static var frameOffset: Int { @_noLocks get { OffloadHeader.byteCount } }

    /// - Parameter headerByteCount: of the tap's offload header, 10 or 24.
    /// - Returns: nil for an error, a completion without buffer, or too few bytes. When the
    ///   completion has a buffer, it is the caller's to recycle either way.
    @_noLocks
    public static func parse(
        _ completion: Completion, in buffers: BufferRing,
        headerByteCount: Int = OffloadHeader.byteCount
    ) -> ReceivedFrame? {
        guard completion.hasBuffer, completion.result >= 0,
            let buffer = unsafe buffers.address(of: completion.bufferID),
            Int(completion.result) <= buffers.bufferLength
        else { return nil }
        return unsafe parse(
            buffer: buffer, byteCount: Int(completion.result), bufferID: completion.bufferID,
            capacity: buffers.bufferLength, headerByteCount: headerByteCount)
    }

    /// The same on `byteCount` readable bytes of a buffer of `capacity`.
    @_noLocks
    public static func parse(
        buffer: UnsafeMutablePointer<UInt8>, byteCount: Int, bufferID: Int, capacity: Int,
        headerByteCount: Int = OffloadHeader.byteCount
    ) -> ReceivedFrame? {
        guard byteCount >= headerByteCount,
            let offload = unsafe OffloadHeader.load(from: buffer, count: byteCount)
        else { return nil }
        var offsets = TunnelOffsets()
        if headerByteCount == TunnelOffsets.headerByteCount {
            guard let loaded = unsafe TunnelOffsets.load(from: buffer, count: byteCount) else {
                return nil
            }
            offsets = loaded
        }
        return unsafe ReceivedFrame(
            bufferID: bufferID, offload: offload, tunnelOffsets: offsets,
            isTruncated: byteCount >= capacity, frameLength: byteCount &- headerByteCount,
            bytes: buffer + headerByteCount)
    }
}
