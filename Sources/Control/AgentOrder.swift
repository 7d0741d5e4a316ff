public import Tables

/// A packet that waits with the agent for its next hop to be resolved.
public struct HeldPacket: Sendable {
    public var bytes: [UInt8]
    /// What the dataplane knows of the frame beside its bytes; the agent only keeps it.
    public var token: [UInt8]
    /// Where it came in.
    public var vsi: Int
    public var place: Destination
    /// The worker it came from, to which it returns so that the order of its flow stays.
    public var worker: Int

    public init(bytes: [UInt8], token: [UInt8], vsi: Int, place: Destination, worker: Int) {
        self.bytes = bytes
        self.token = token
        self.vsi = vsi
        self.place = place
        self.worker = worker
    }
}

/// What the agent wants a worker to send.
public enum AgentOrder: Sendable {
    /// A frame to one place of a VSI.
    case send([UInt8], vsi: Int, place: Destination)
    /// A frame to the ports of a VSI, to its peers, or to both, but not to `origin`.
    case flood([UInt8], vsi: Int, local: Bool, remote: Bool, origin: Destination)
    /// A packet that waited, to be routed now.
    case resume(HeldPacket)
    /// A packet of the gateway's own that is to be routed, as if it had come in by a VSI-interface.
    case route([UInt8], vsi: Int)
}
