/// A fault of a gateway, made between its stages and the wire or in its tables, so that a check has
/// something to find. What finds nothing when it is there proves nothing when it is not.
public enum Plant: String, CaseIterable, Sendable {
    // What leaves.
    case losesOutput, losesOrder, talksWithoutEnd, feedsItself
    case repeatsFromTunnelToTunnel, sendsToItself, sendsInOtherVNI, sendsHostARP
    case cutsPacket, spoilsHeader, spoilsMessage, changesAddress
    case deliversToOtherVRF, deliversToOtherVSI, deliversToNeighbor, sendsTwice, countsHopsWrong
    case claimsGatewayAddress, answersProbe, answersAsHost
    // What is known.
    case forgetsLimit, learnsOwnMAC, hasOtherMAC, bindsOwnAddress, bindsOwnMAC, believesAnybody
    case believesPeer
    case losesCount, releasesTwice, leavesLaneWithoutFate
    // Routes and reloads.
    case ignoresPolicy, ignoresBlackhole, spreadsFlow, forgetsAtReload, closesPortsAtReload
    // What does not come to rest.
    case keepsStaleNeighbor, losesOneHost, losesOnePacket

    /// The check that is to find it.
    public var check: Check {
        switch self {
        case .losesOutput: .balance
        case .losesOrder: .orderBalance
        case .talksWithoutEnd: .agentEnds
        case .feedsItself: .storm
        case .repeatsFromTunnelToTunnel: .splitHorizon
        case .sendsToItself: .sendsToItself
        case .sendsInOtherVNI: .tunnelVNI
        case .sendsHostARP: .hostARPInTunnel
        case .cutsPacket: .packetLength
        case .spoilsHeader: .headerChecksum
        case .spoilsMessage: .icmpChecksum
        case .changesAddress: .foreignAddress
        case .deliversToOtherVRF: .vrfLeak
        case .deliversToOtherVSI: .vsiLeak
        case .deliversToNeighbor: .wrongReceiver
        case .sendsTwice: .duplicate
        case .countsHopsWrong: .hops
        case .claimsGatewayAddress: .gatewayClaim
        case .answersProbe: .ownClaim
        case .answersAsHost: .pastGateway
        case .forgetsLimit: .macLimit
        case .learnsOwnMAC: .ownMACLearnt
        case .hasOtherMAC: .ownMACLost
        case .bindsOwnAddress: .ownAddress
        case .bindsOwnMAC: .ownMACNeighbor
        case .believesAnybody, .believesPeer: .belief
        case .losesCount: .accounts
        case .releasesTwice: .heldNegative
        case .leavesLaneWithoutFate: .unknownVerdict
        case .ignoresPolicy, .ignoresBlackhole: .wayOut
        case .spreadsFlow: .flowPath
        case .forgetsAtReload: .reloadTables
        case .closesPortsAtReload: .reloadLoss
        case .keepsStaleNeighbor, .losesOneHost: .convergence
        case .losesOnePacket: .steady
        }
    }
}

extension Plan {
    /// Whether a gateway of this plan comes into the situation that the plant is about.
    public func isFit(for plant: Plant) -> Bool {
        switch plant {
        case .repeatsFromTunnelToTunnel: gatewayCount > 2
        case .sendsInOtherVNI: vrfCount > 1 && mode != .bridged
        case .deliversToOtherVRF: vrfCount > 1
        case .deliversToOtherVSI: vsiCount > vrfCount && mode == .centralized
        case .sendsHostARP, .claimsGatewayAddress, .answersAsHost, .keepsStaleNeighbor,
            .believesPeer:
            mode == .distributed
        case .answersProbe: moveCount > 0
        case .forgetsLimit: macLimit > 0 && homes.contains(where: \.attacks)
        case .learnsOwnMAC, .hasOtherMAC, .bindsOwnAddress, .bindsOwnMAC, .believesAnybody:
            mode != .bridged
        case .ignoresPolicy: borderCount > 1 && wayOut == .both
        case .ignoresBlackhole: !outsideGateways.isEmpty && hasBlackhole && wayOut != .policy
        case .spreadsFlow: borderCount > 1 && wayOut != .policy
        case .forgetsAtReload, .closesPortsAtReload: reloadCount > 0
        default: true
        }
    }
}
