/// Why a packet ended: the closed list. One row yields the case, the counter, the JSON name, the
/// text and the standard's section; the manual's table is made from it and a test compares the two.
///
/// A packet that is dropped is counted under exactly one reason, once.
public enum DropReason: UInt8, CaseIterable, Sendable {
    // receive
    case rxTruncated
    case rxNoBuffer
    // parse
    case outerBadHeader
    case outerBadLength
    case outerBadChecksum
    case outerFragment
    case outerNotOurVtep
    case vxlanShort
    case vxlanNoIFlag
    case vxlanReservedBits
    case ecnInvalid
    case innerRunt
    case smacInvalid
    // classify
    case vxlanBadSource
    case vxlanUnknownPeer
    case vxlanPeerNotInVni
    case vxlanUnknownVni
    case innerVlanDenied
    case portVlanDenied
    case portDown
    // learn
    case smacOwnFromAc
    case fdbStaticMove
    case macFrozen
    // bridge
    case hairpin
    case linkLocalGroup
    case splitHorizon
    case noFloodTarget
    case floodDisabled
    case bumRate
    case arpMalformed
    case arpSenderMismatch
    case arpOutsideSubnet
    case arpOwnAddressClaimed
    case arpRate
    // route
    case ipBadVersion
    case ipBadIhl
    case ipBadLength
    case ipBadChecksum
    case ipFragmentOffset
    case ipMartianSrc
    case ipMartianDst
    case ipOptions
    case ipGroupMac
    case ipForwardingDisabled
    case rpfFail
    case routerMacMismatch
    case ttlExceeded
    case noRoute
    case blackhole
    case policyDrop
    case nhUnresolvedQueueFull
    case nhFailed
    case mtuExceededDf
    case l3L2EgressMismatch
    case vrfUnknown
    // replicate
    case replicationLimit
    // encapsulate
    case encapMtu
    // transmit
    case txRingFull
    case txNoBuffer
    case txNoRoute
    case txUnreachable
    case txEmsgsize
    case txError
    case internalUnknownVerdict

    /// What an operator reads: where it is counted, what it means, and which standard asks for it.
    public struct Entry: Sendable {
        public let stage: Stage
        public let text: String
        public let standard: String
    }

    public var entry: Entry { Self.entries[Int(rawValue)] }

    public var stage: Stage { entry.stage }

    /// The name in `show drops`: the case in snake case.
    public var name: String {
        "\(self)".reduce(into: "") { name, letter in
            name += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
        }
    }

    private static func row(_ stage: Stage, _ text: String, _ standard: String = "") -> Entry {
        Entry(stage: stage, text: text, standard: standard)
    }

    /// In the order of the cases.
    private static let entries: [Entry] = [
        row(.receive, "the packet did not fit its buffer"),
        row(.receive, "no buffer was free"),
        row(.parse, "the outer IPv4 header is broken", "RFC 791 section 3.1"),
        row(.parse, "the outer lengths contradict each other", "RFC 768"),
        row(.parse, "the outer checksum is wrong", "RFC 7348 section 5"),
        row(.parse, "the outer packet is a fragment", "RFC 7348 section 4.3"),
        row(.parse, "not for the local VTEP: another address or port", "RFC 7348 section 5"),
        row(.parse, "shorter than a VXLAN header", "RFC 7348 section 5"),
        row(.parse, "the I flag of the VXLAN header is clear", "RFC 7348 section 5"),
        row(
            .parse, "a reserved bit of the VXLAN header is set and reserved-bits is strict",
            "RFC 7348 section 5"),
        row(
            .parse, "congestion was marked outside a packet that is not ECN-capable",
            "RFC 6040 section 4.2"),
        row(.parse, "the frame is shorter than an Ethernet header", "IEEE 802.3 section 3.1"),
        row(.parse, "the source MAC is zero or a group address", "IEEE 802.3 section 3.2.3"),
        row(
            .classify, "the outer source is ours, zero, loopback, multicast or broadcast",
            "RFC 1122 section 3.2.1.3"),
        row(.classify, "the outer source is no configured peer", "RFC 7348 section 7"),
        row(.classify, "the peer may not carry this VNI", "RFC 7348 section 7"),
        row(.classify, "no VSI has this VNI", "RFC 7348 section 4.1"),
        row(.classify, "the frame has a VLAN tag that nothing maps", "RFC 7348 section 6.1"),
        row(
            .classify, "an untagged frame on a device whose ports all have a VLAN",
            "IEEE 802.1Q section 6.9"),
        row(.classify, "the access port is down"),
        row(.learn, "an access port sends with a MAC address of the gateway"),
        row(.learn, "the source MAC is a static entry of another place"),
        row(.learn, "the source MAC moved too often and is frozen", "RFC 7432 section 15.1"),
        row(
            .bridge, "the destination is behind the port the frame came from",
            "IEEE 802.1D section 7.7"),
        row(.bridge, "a bridge never forwards this group", "IEEE 802.1D table 7-10"),
        row(.bridge, "from a tunnel to a tunnel", "RFC 7348 section 4.2"),
        row(.bridge, "nothing but the sender is in the flood list", "RFC 7348 section 4.2"),
        row(.bridge, "flooding of this class is off in the VSI"),
        row(.bridge, "broadcast, unknown unicast or multicast beyond the limit"),
        row(.bridge, "the ARP packet is broken", "RFC 826"),
        row(.bridge, "the ARP sender is not the Ethernet source", "RFC 5227 section 1.1"),
        row(.bridge, "the ARP sender is outside the subnet of the VSI-interface", "RFC 1027"),
        row(.bridge, "an access port claims an address of the gateway", "RFC 5227 section 2.4"),
        row(.bridge, "ARP to the gateway beyond limits.arp-punt"),
        row(.route, "the IP version is not 4", "RFC 1812 section 5.2.2"),
        row(
            .route, "the IPv4 header length is below 20 or beyond the packet",
            "RFC 1812 section 5.2.2"),
        row(.route, "the IPv4 total length contradicts the frame", "RFC 1812 section 5.2.2"),
        row(.route, "the IPv4 header checksum is wrong", "RFC 1812 section 5.2.2"),
        row(.route, "the fragment offset is impossible", "RFC 1858"),
        row(.route, "the source address cannot be a source", "RFC 1812 section 5.3.7"),
        row(.route, "the destination address cannot be forwarded to", "RFC 1812 section 5.3.7"),
        row(.route, "IPv4 options that are refused", "RFC 7126"),
        row(.route, "a unicast IPv4 packet in a group frame", "RFC 1812 section 5.3.4"),
        row(.route, "forwarding is off on the VSI-interface", "RFC 1812 section 2.2.8.1"),
        row(.route, "the source is not reached through this interface", "RFC 1812 section 5.3.8"),
        row(.route, "not addressed to a MAC address of the router", "RFC 1812 section 5.3.4"),
        row(.route, "the TTL is used up", "RFC 1812 section 5.3.1"),
        row(.route, "no route to the destination", "RFC 1812 section 5.2.4"),
        row(.route, "a blackhole route"),
        row(.route, "a policy route drops it"),
        row(
            .route, "the next hop is being resolved and its queue is full",
            "RFC 1122 section 2.3.2.2"),
        row(.route, "the next hop does not answer ARP", "RFC 1812 section 5.2.7.1"),
        row(
            .route, "larger than the MTU of the next interface and may not be fragmented",
            "RFC 1191"),
        row(.route, "the ARP entry and the FDB disagree about the next hop"),
        row(.route, "the VRF does not exist"),
        row(.replicate, "more copies than one frame may cause"),
        row(
            .encapsulate, "the VXLAN packet would be larger than the underlay MTU",
            "RFC 7348 section 4.3"),
        row(.transmit, "the kernel's send queue was full"),
        row(.transmit, "the kernel had no memory for the packet"),
        row(.transmit, "no route to the peer"),
        row(.transmit, "the peer or its next hop is unreachable"),
        row(.transmit, "the kernel found the packet larger than the path", "RFC 1191"),
        row(.transmit, "the kernel refused the packet for another reason"),
        row(.transmit, "a lane left the pipeline without a fate: a bug, always zero"),
    ]
}
