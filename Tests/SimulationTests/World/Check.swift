/// What must hold in a simulated world. Each has a name, so that a test can require that a planted
/// fault is found by the check it is meant for and by no other in its stead.
public enum Check: String, CaseIterable, Sendable {
    // MARK: Gateways

    /// Received and replicated are sent, consumed, dropped or held, in every turn.
    case balance
    /// The same for what the agent sends.
    case orderBalance
    /// What the agent says comes to an end.
    case agentEnds
    /// Frames do not multiply.
    case storm
    /// The identity of the counters over the life of a gateway.
    case accounts
    /// No more packets come back from waiting than were given to wait.
    case heldNegative
    /// Every lane has a fate.
    case unknownVerdict

    // MARK: Tunnels

    /// Nothing is bridged from a tunnel into a tunnel (RFC 7348 section 4.2 and following).
    case splitHorizon
    case sendsToItself
    /// A frame is in the VNI of a VSI that its origin may talk to.
    case tunnelVNI
    /// A distributed gateway asks in its own name alone.
    case hostARPInTunnel

    // MARK: Hosts

    case packetLength
    case headerChecksum
    case icmpChecksum
    /// A packet for another address in a frame for the host.
    case foreignAddress
    case vrfLeak
    case vsiLeak
    case wrongReceiver
    /// A frame comes no more often than the wire has doubled it.
    case duplicate
    case hops
    /// The gateway's address is said to have no other MAC than the gateway's.
    case gatewayClaim
    /// A duplicate-address check of a host that is alone is not answered.
    case ownClaim
    /// Hosts of a distributed gateway hear of each other by the gateway's MAC.
    case pastGateway

    /// Packets to the outside leave where routes, policies and blackholes say.
    case wayOut
    /// Packets of one flow take one of several equal ways, while all of them are known.
    case flowPath

    // MARK: Tables

    case macLimit
    case ownMACLearnt
    case ownMACLost
    /// The gateway's address is bound to its own MAC and to nothing else.
    case ownAddress
    case ownMACNeighbor
    /// An ARP entry says what its owner said.
    case belief

    // MARK: Reloads

    /// What a reload does not touch leaves as before.
    case reloadLoss
    /// What was learnt of it stays.
    case reloadTables

    // MARK: The end

    /// After the faults everybody reaches everybody.
    case convergence
    /// And from then on no packet is lost.
    case steady
}
