internal import CLinux
import Glibc

/// How a buffer of a UDP receive is laid out.
enum DatagramLayout {
    /// A `sockaddr_in`.
    static var nameLength: Int { @_noLocks get { 16 } }
    /// Control messages for TOS and coalescing take 48; 66 puts the inner IPv4 header of a VXLAN
    /// packet on a multiple of four from the start of the buffer (16 + 16 + 66 + 8 + 14 = 120).
    static var controlLength: Int { @_noLocks get { 66 } }
}

/// One completion of a UDP receive: a datagram, or many of one size from one source that the
/// kernel coalesced.
///
/// Every length is checked against what the kernel wrote. 98 bytes before the payload are
/// writable once it is parsed, beside the slot's own headroom.
@safe
public struct ReceivedDatagram {
    public let bufferID: Int
    /// Host order.
    public let sourceAddress: UInt32
    public let sourcePort: UInt16
    /// TOS octet of the outer header: DSCP and ECN.
    public let tos: UInt8
    /// The buffer was too short, and the rest is lost.
    public let isTruncated: Bool
    /// Payload bytes of each coalesced datagram but the last; 0 when it is a single one.
    public let segmentSize: Int
    public let payloadLength: Int
    @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

    /// `payloadLength` readable and writable bytes.
    @unsafe public var payload: UnsafeMutablePointer<UInt8> { @_noLocks get { unsafe bytes } }

    /// Bytes in a buffer before the payload.
    public static var payloadOffset: Int {
        @_noLocks get {
            ReceivedMessage.headerLength &+ DatagramLayout.nameLength
                &+ DatagramLayout.controlLength
        }
    }

    /// - Returns: nil for an error, a completion without buffer, or contradicting lengths. When
    ///   the completion has a buffer, it is the caller's to recycle either way.
    @_noLocks
    public static func parse(
        _ completion: Completion, in buffers: BufferRing
    ) -> ReceivedDatagram? {
        guard completion.hasBuffer, completion.result >= 0,
            let buffer = unsafe buffers.address(of: completion.bufferID),
            Int(completion.result) <= buffers.bufferLength
        else { return nil }
        return unsafe parse(
            buffer: buffer, byteCount: Int(completion.result), bufferID: completion.bufferID)
    }

    /// The same on `byteCount` readable bytes.
    @_noLocks
    public static func parse(
        buffer: UnsafeMutablePointer<UInt8>, byteCount: Int, bufferID: Int
    ) -> ReceivedDatagram? {
        guard
            let message = unsafe ReceivedMessage(
                buffer: buffer, byteCount: byteCount, nameArea: DatagramLayout.nameLength,
                controlArea: DatagramLayout.controlLength),
            message.nameLength >= DatagramLayout.nameLength
        else { return nil }
        let name = unsafe UnsafeRawPointer(buffer) + ReceivedMessage.headerLength
        guard unsafe name.loadUnaligned(fromByteOffset: 0, as: UInt16.self) == 2  // AF_INET
        else { return nil }
        var tos: UInt8 = 0
        var segmentSize = 0
        var offset = 0
        while let entry = message.controlMessage(at: offset) {
            if entry.level == 0 && entry.type == 1 && entry.valueLength >= 1 {  // IP_TOS
                tos = unsafe entry.value.load(as: UInt8.self)
            } else if entry.level == 17 && entry.type == VX_UDP_GRO && entry.valueLength >= 4 {
                segmentSize = unsafe Int(entry.value.loadUnaligned(as: Int32.self))
            }
            offset = entry.nextOffset
        }
        return unsafe ReceivedDatagram(
            bufferID: bufferID,
            sourceAddress: UInt32(
                bigEndian: name.loadUnaligned(fromByteOffset: 4, as: UInt32.self)),
            sourcePort: UInt16(
                bigEndian: name.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
            tos: tos, isTruncated: message.isTruncated,
            segmentSize: segmentSize > 0 && segmentSize < message.payloadLength ? segmentSize : 0,
            payloadLength: message.payloadLength, bytes: message.payload)
    }
}
