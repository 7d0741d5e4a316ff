/// The guard that stands before every load whose place a packet decides.
extension FrameView {
    /// The frame holds `length` bytes from `offset`. Neither number is trusted, so this is the
    /// guard to write before a load whose offset or length came out of a packet.
    @_noLocks
    public func holds(_ length: Int, at offset: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= count &- length
    }
}
