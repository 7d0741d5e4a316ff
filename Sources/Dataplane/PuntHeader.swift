public import Tables

/// What goes before a frame that a worker hands to the agent, through the ring `framesToAgent`.
///
/// Layout: trivial, copied with the frame.
public struct PuntHeader: BitwiseCopyable, Sendable {
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// An ARP packet in a VSI whose interface does local proxy ARP.
        case arp
        /// A packet whose next hop is not resolved: it waits with the agent.
        case hold
        /// The beginning of a packet about which the sender is to hear by ICMP.
        case icmpError
        /// An ICMP message for the gateway that may answer a ping of its own: an echo reply, or an
        /// error about an echo request.
        case echoAnswer
        /// A finished frame for the VTEP it is an answer to, which has no index yet.
        case answer
    }

    public var kind: Kind
    public var icmpType: UInt8
    public var icmpCode: UInt8
    /// For "fragmentation needed" (RFC 1191 section 4).
    public var mtu: UInt16
    public var vsi: UInt16
    public var place: Destination
    /// The VTEP it came from, host order, for `place` does not tell one that has no index yet.
    public var outerSource: UInt32
    /// For `hold`: the VSI-interface the packet leaves by, and the next hop on it, host order.
    public var interface: Int32
    public var nextHop: UInt32
    public var segmentation: Segmentation

    @_noLocks
    public init(kind: Kind, vsi: UInt16, place: Destination) {
        self.kind = kind
        self.vsi = vsi
        self.place = place
        outerSource = 0
        icmpType = 0
        icmpCode = 0
        mtu = 0
        interface = -1
        nextHop = 0
        segmentation = .none
    }
}

/// What goes before a frame that the agent hands to a worker, through the ring `framesToWorker`.
public struct OrderHeader: BitwiseCopyable, Sendable {
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// A packet that was held goes on at the route stage.
        case resume
        /// A frame of the gateway's own, to `destination`.
        case send
        /// A frame of the gateway's own, to the flood list of the VSI as far as `scope` goes, but
        /// not to `destination`.
        case flood
        /// A packet of the gateway's own that is yet to be routed.
        case route
    }

    public var kind: Kind
    public var scope: FloodScope
    public var vsi: UInt16
    public var destination: Destination
    public var segmentation: Segmentation
    /// For `resume`: as in `PuntHeader`, where the agent has not given the VTEP an index since.
    public var outerSource: UInt32 = 0

    @_noLocks
    public init(
        kind: Kind, vsi: UInt16, destination: Destination = .none, scope: FloodScope = .all,
        segmentation: Segmentation = .none
    ) {
        self.kind = kind
        self.scope = scope
        self.vsi = vsi
        self.destination = destination
        self.segmentation = segmentation
    }
}

/// Which part of a VSI a flooded frame reaches.
public enum FloodScope: UInt8, BitwiseCopyable, Sendable {
    case all
    /// Access ports of this gateway.
    case local
    /// Other gateways.
    case remote
}
