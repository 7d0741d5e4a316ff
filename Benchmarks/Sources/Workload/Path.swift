/// The ways through the gateway that are measured. Every frame is 64 bytes of IPv4 and UDP; a flow
/// is a pair of hosts with addresses of their own, and each packet belongs to a random one.
public enum Path: String, CaseIterable, Sendable {
    /// Access port to peer inside one VSI.
    case encapsulate
    /// Peer to access port inside one VSI; the ages in the FDB are fresh.
    case decapsulate
    /// The same in the worst case: every packet finds its age out of date and writes it.
    case refresh
    /// Access port to the gateway's MAC, and by a connected subnet to a peer in another VSI: what
    /// `encapsulate` does and routing besides.
    case route
    /// The same by a table of as many prefixes as there are flows, of three lengths, over 64 next
    /// hops.
    case prefixes
    /// Peer to the gateway's MAC, and to a peer in another VNI.
    case transit

    /// The packet arrives inside a VXLAN datagram.
    var isTunnelled: Bool {
        switch self {
        case .encapsulate, .route, .prefixes: false
        case .decapsulate, .refresh, .transit: true
        }
    }

    var isRouted: Bool {
        switch self {
        case .encapsulate, .decapsulate, .refresh: false
        case .route, .prefixes, .transit: true
        }
    }
}
