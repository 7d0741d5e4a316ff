/// What the kernel writes at the start of a buffer of a multishot RECVMSG, checked.
///
/// Layout: a header of 16 bytes (name length, control length, payload length, flags), the name
/// area, the control area, the payload. The areas have the sizes asked for, whatever is in them.
@safe
struct ReceivedMessage {
    let control: UnsafePointer<UInt8>
    let controlLength: Int
    let nameLength: Int
    let payload: UnsafeMutablePointer<UInt8>
    let payloadLength: Int
    let isTruncated: Bool

    static var headerLength: Int { @_noLocks get { 16 } }

    /// - Parameters:
    ///   - buffer: the first byte of the buffer.
    ///   - byteCount: bytes the kernel wrote: the result of the completion.
    /// - Returns: nil when the lengths contradict each other.
    @_noLocks
    init?(
        buffer: UnsafeMutablePointer<UInt8>, byteCount: Int, nameArea: Int, controlArea: Int
    ) {
        let start = Self.headerLength &+ nameArea &+ controlArea
        guard byteCount >= start else { return nil }
        let raw = UnsafeRawPointer(buffer)
        let name = unsafe Int(raw.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        let controlUsed = unsafe Int(raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let flags = unsafe raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        guard controlUsed <= controlArea else { return nil }
        nameLength = min(name, nameArea)
        unsafe control = UnsafePointer(buffer + (Self.headerLength &+ nameArea))
        controlLength = controlUsed
        unsafe payload = buffer + start
        payloadLength = byteCount &- start
        isTruncated = flags & 0x20 != 0  // MSG_TRUNC
    }

    /// The control message at `offset`; nil at the end, or where the lengths contradict each other.
    @_noLocks
    func controlMessage(at offset: Int) -> ControlMessage? {
        let headerLength = 16
        guard offset >= 0, offset <= controlLength &- headerLength else { return nil }
        let raw = unsafe UnsafeRawPointer(control + offset)
        let length = unsafe raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
        guard length >= UInt64(headerLength), length <= UInt64(controlLength &- offset)
        else { return nil }
        return unsafe ControlMessage(
            level: raw.loadUnaligned(fromByteOffset: 8, as: Int32.self),
            type: raw.loadUnaligned(fromByteOffset: 12, as: Int32.self),
            value: raw + headerLength, valueLength: Int(length) &- headerLength,
            nextOffset: offset &+ (Int(length) &+ 7) & ~7)
    }
}

@safe
struct ControlMessage {
    let level: Int32
    let type: Int32
    let value: UnsafeRawPointer
    let valueLength: Int
    let nextOffset: Int
}
