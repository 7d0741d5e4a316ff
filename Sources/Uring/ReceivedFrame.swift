/// One frame from a tap: the offload header and the frame, as one read gives them.
///
/// Every length is checked. The 10 bytes of the header and the slot's headroom (32 or more)
/// before it are writable once it is parsed.
@safe
public struct ReceivedFrame {
    public let bufferID: Int
    public let offload: OffloadHeader
    /// It filled the buffer to the last byte; a tap does not say whether more was lost.
    public let isTruncated: Bool
    public let frameLength: Int
    @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

    /// `frameLength` readable and writable bytes from the destination MAC address on.
    @unsafe public var frame: UnsafeMutablePointer<UInt8> { @_noLocks get { unsafe bytes } }

    /// Bytes in a buffer before the frame.
    public static var frameOffset: Int { @_noLocks get { OffloadHeader.byteCount } }

    /// - Returns: nil for an error, a completion without buffer, or too few bytes. When the
    ///   completion has a buffer, it is the caller's to recycle either way.
    @_noLocks
    public static func parse(_ completion: Completion, in buffers: BufferRing) -> ReceivedFrame? {
        guard completion.hasBuffer, completion.result >= 0,
            let buffer = unsafe buffers.address(of: completion.bufferID),
            Int(completion.result) <= buffers.bufferLength
        else { return nil }
        return unsafe parse(
            buffer: buffer, byteCount: Int(completion.result), bufferID: completion.bufferID,
            capacity: buffers.bufferLength)
    }

    /// The same on `byteCount` readable bytes of a buffer of `capacity`.
    @_noLocks
    public static func parse(
        buffer: UnsafeMutablePointer<UInt8>, byteCount: Int, bufferID: Int, capacity: Int
    ) -> ReceivedFrame? {
        guard let offload = unsafe OffloadHeader.load(from: buffer, count: byteCount)
        else { return nil }
        return unsafe ReceivedFrame(
            bufferID: bufferID, offload: offload, isTruncated: byteCount >= capacity,
            frameLength: byteCount &- OffloadHeader.byteCount,
            bytes: buffer + OffloadHeader.byteCount)
    }
}
