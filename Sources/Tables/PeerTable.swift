/// What the stages need to know of a remote VTEP, in `TableSet.peers`.
public struct PeerRecord: BitwiseCopyable, Sendable {
    public var isInUse: Bool
    /// May carry every VNI; otherwise `TableSet.membership` lists its VSIs.
    public var carriesEveryVNI: Bool
    /// Host order.
    public var address: UInt32
    /// Bytes of the largest outer IPv4 packet the path takes as far as known, 0 when nothing is
    /// known that differs from the underlay's MTU (RFC 1191).
    public var pathMTU: UInt32

    public init(isInUse: Bool, carriesEveryVNI: Bool, address: UInt32, pathMTU: UInt32 = 0) {
        self.isInUse = isInUse
        self.carriesEveryVNI = carriesEveryVNI
        self.address = address
        self.pathMTU = pathMTU
    }

    public static let unused = PeerRecord(isInUse: false, carriesEveryVNI: false, address: 0)
}
