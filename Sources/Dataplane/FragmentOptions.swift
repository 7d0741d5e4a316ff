internal import Wire

/// Which IPv4 options a later fragment has: those with the copy bit, and an end of the list up to
/// the next word (RFC 791 section 3.1). From an option on that is not sound, none.
enum FragmentOptions {
    /// Bytes of the header of a later fragment.
    @_noLocks
    static func headerByteCount(of header: IPv4Header) -> Int {
        var kept = IPv4Header.byteCount
        var offset = IPv4Header.byteCount
        while let length = length(of: header, at: offset) {
            if isCopied(header, offset) { kept &+= length }
            offset &+= length
        }
        return (kept &+ 3) & ~3
    }

    /// Writes the options and the header length of a later fragment.
    ///
    /// - Parameters:
    ///   - target: memory outside of `frame`, as long as its headers.
    ///   - offset: where the IPv4 header is in both.
    @_noLocks
    static func write(from frame: FrameView, to target: FrameView, at offset: Int) {
        let header = IPv4Header(frame: frame, at: offset)
        var from = IPv4Header.byteCount
        var to = from
        while let length = length(of: header, at: from) {
            if isCopied(header, from) {
                for index in 0..<length {
                    target.store(
                        frame.loadUInt8(at: offset &+ from &+ index), at: offset &+ to &+ index)
                }
                to &+= length
            }
            from &+= length
        }
        while to & 3 != 0 {
            target.store(0 as UInt8, at: offset &+ to)
            to &+= 1
        }
        target.store(0x40 | UInt8(truncatingIfNeeded: to &>> 2), at: offset)
    }

    @_noLocks
    private static func isCopied(_ header: IPv4Header, _ offset: Int) -> Bool {
        header.frame.loadUInt8(at: header.offset &+ offset) & 0x80 != 0
    }

    /// Bytes of the option, or nil at the end of the list.
    @_noLocks
    private static func length(of header: IPv4Header, at offset: Int) -> Int? {
        let room = header.headerByteCount &- offset
        guard room > 0 else { return nil }
        switch header.frame.loadUInt8(at: header.offset &+ offset) {
        case 0: return nil
        case 1: return 1
        default:
            guard room >= 2 else { return nil }
            let length = Int(header.frame.loadUInt8(at: header.offset &+ offset &+ 1))
            return length >= 2 && length <= room ? length : nil
        }
    }
}
