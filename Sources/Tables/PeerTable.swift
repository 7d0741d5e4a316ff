/// What the stages need to know of a remote VTEP, in `TableSet.peers`.
public struct PeerRecord: BitwiseCopyable, Sendable {
    public var isInUse: Bool
    /// May carry every VNI; otherwise `TableSet.membership` lists its VSIs.
    public var carriesEveryVNI: Bool
    /// Host order.
    public var address: UInt32

    public init(isInUse: Bool, carriesEveryVNI: Bool, address: UInt32) {
        self.isInUse = isInUse
        self.carriesEveryVNI = carriesEveryVNI
        self.address = address
    }

    public static let unused = PeerRecord(isInUse: false, carriesEveryVNI: false, address: 0)
}
