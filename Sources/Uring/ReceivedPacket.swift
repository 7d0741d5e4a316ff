import Glibc

/// How a buffer of a packet-socket receive is laid out.
enum PacketLayout {
    /// A `sockaddr_ll` of 20 bytes and padding.
    static var nameLength: Int { @_noLocks get { 24 } }
    /// One control message of 36 bytes (PACKET_AUXDATA).
    static var controlLength: Int { @_noLocks get { 40 } }
}

/// One frame from a packet socket, with the VLAN tag that the kernel took out of it.
///
/// Every length is checked. 90 bytes before the frame are writable once it is parsed (the offload
/// header among them), beside the slot's own headroom.
@safe
public struct ReceivedPacket {
    public let bufferID: Int
    public let offload: OffloadHeader
    /// The outermost tag's VLAN ID and priority, as on the wire in host order; nil when untagged.
    public let vlanTCI: UInt16?
    /// EtherType of that tag: 0x8100, or 0x88A8 for a service tag.
    public let vlanProtocol: UInt16
    /// The frame was longer than the buffer, and the rest is lost.
    public let isTruncated: Bool
    /// The host itself sent it (a kernel that cannot leave those out delivers them).
    public let isOutgoing: Bool
    public let frameLength: Int
    @usableFromInline let bytes: UnsafeMutablePointer<UInt8>

    /// `frameLength` readable and writable bytes from the destination MAC address on.
    @unsafe public var frame: UnsafeMutablePointer<UInt8> { @_noLocks get { unsafe bytes } }

    /// Bytes in a buffer before the frame.
    public static var frameOffset: Int {
        @_noLocks get {
            ReceivedMessage.headerLength &+ PacketLayout.nameLength
                &+ PacketLayout.controlLength &+ OffloadHeader.byteCount
        }
    }

    /// - Returns: nil for an error, a completion without buffer, or contradicting lengths. When
    ///   the completion has a buffer, it is the caller's to recycle either way.
    @_noLocks
    public static func parse(_ completion: Completion, in buffers: BufferRing) -> ReceivedPacket? {
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
    ) -> ReceivedPacket? {
        guard
            let message = unsafe ReceivedMessage(
                buffer: buffer, byteCount: byteCount, nameArea: PacketLayout.nameLength,
                controlArea: PacketLayout.controlLength),
            let offload = unsafe OffloadHeader.load(
                from: message.payload, count: message.payloadLength)
        else { return nil }
        // sockaddr_ll: packet type is the octet at 10; 4 is PACKET_OUTGOING.
        let packetType = unsafe buffer[ReceivedMessage.headerLength &+ 10]
        var tag: UInt16?
        var tagProtocol: UInt16 = 0x8100
        var offset = 0
        while let entry = message.controlMessage(at: offset) {
            // SOL_PACKET, PACKET_AUXDATA: status @0, VLAN TCI @16, VLAN protocol @18.
            if entry.level == 263 && entry.type == 8 && entry.valueLength >= 20 {
                let status = unsafe entry.value.loadUnaligned(as: UInt32.self)
                if status & 1 << 4 != 0 {
                    tag = unsafe entry.value.loadUnaligned(fromByteOffset: 16, as: UInt16.self)
                }
                if status & 1 << 6 != 0 {
                    tagProtocol = unsafe entry.value.loadUnaligned(
                        fromByteOffset: 18, as: UInt16.self)
                }
            }
            offset = entry.nextOffset
        }
        return unsafe ReceivedPacket(
            bufferID: bufferID, offload: offload, vlanTCI: tag, vlanProtocol: tagProtocol,
            isTruncated: message.isTruncated,
            isOutgoing: message.nameLength > 10 && packetType == 4,
            frameLength: message.payloadLength &- OffloadHeader.byteCount,
            bytes: message.payload + OffloadHeader.byteCount)
    }
}
