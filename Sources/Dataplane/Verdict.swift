/// The fate of a lane so far.
public enum Verdict: UInt8, BitwiseCopyable, Sendable {
    /// Still on its way.
    case pending
    /// To one port or peer, in the lane's `egress`.
    case forward
    /// To every flood target of its VSI but where it came from.
    case replicate
    /// To the gateway's own MAC: the route stage decides.
    case route
    /// Ended inside the gateway.
    case consumed
    /// Copied to the agent, where it waits for its next hop to be resolved.
    case held
    case dropped

    /// Nothing more happens to the lane in this batch.
    public var isSettled: Bool {
        @_noLocks get {
            switch self {
            case .consumed, .held, .dropped: true
            case .pending, .forward, .replicate, .route: false
            }
        }
    }
}
