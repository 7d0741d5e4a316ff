public import Wire

extension Configuration {
    /// Section `vtep`: the local tunnel end point and the outer headers it writes.
    public struct VTEP: Sendable, Hashable {
        public static let defaultDevice = "vxgate0"

        public var address: VTEPSource
        /// Where VXLAN is received and sent to; IANA's is 4789 (RFC 7348 section 5).
        public var udpPort: UInt16
        public var underlay: Underlay
        /// Of the tap that vxgate makes where the underlay is one.
        public var device: String
        /// How many distinct outer source ports flows are spread over, 1...16384.
        public var sourcePorts: Int
        public var ttl: OuterTTL
        public var dscp: OuterDSCP
        public var df: OuterDF
        public var udpChecksum: OuterChecksum
        public var reservedBits: ReservedBits
        /// Any source address may deliver a known VNI.
        public var acceptUnknownPeers: Bool

        public init(
            address: VTEPSource, udpPort: UInt16 = 4789, underlay: Underlay = .udp,
            device: String = VTEP.defaultDevice, sourcePorts: Int = 16, ttl: OuterTTL = .fixed(64),
            dscp: OuterDSCP = .fixed(0),
            df: OuterDF = .unset, udpChecksum: OuterChecksum = .automatic,
            reservedBits: ReservedBits = .ignore, acceptUnknownPeers: Bool = false
        ) {
            self.address = address
            self.udpPort = udpPort
            self.underlay = underlay
            self.device = device
            self.sourcePorts = sourcePorts
            self.ttl = ttl
            self.dscp = dscp
            self.df = df
            self.udpChecksum = udpChecksum
            self.reservedBits = reservedBits
            self.acceptUnknownPeers = acceptUnknownPeers
        }
    }

    /// Where the VTEP address comes from.
    public enum VTEPSource: Sendable, Hashable {
        case address(IPv4Address)
        /// The first IPv4 address of this device at start.
        case interface(String)
    }

    /// What carries the tunnels: kernel UDP sockets, or a routed tap whose outer headers are ours.
    public enum Underlay: String, Sendable, Hashable, CaseIterable {
        case udp, tap
    }

    public enum OuterTTL: Sendable, Hashable {
        /// 1...255.
        case fixed(UInt8)
        /// That of the inner packet.
        case inherit
    }

    public enum OuterDSCP: Sendable, Hashable {
        /// 0...63.
        case fixed(UInt8)
        /// That of the inner packet (the uniform model of RFC 2983).
        case inherit
    }

    /// The don't-fragment bit of outer headers.
    public enum OuterDF: String, Sendable, Hashable, CaseIterable {
        case set, unset, inherit
    }

    /// The outer UDP checksum; `automatic` writes it only where segmentation offload needs it.
    public enum OuterChecksum: String, Sendable, Hashable, CaseIterable {
        case automatic = "auto"
        case on, off
    }

    /// What becomes of a VXLAN header whose reserved bits are set (RFC 7348 section 5 says:
    /// ignored).
    public enum ReservedBits: String, Sendable, Hashable, CaseIterable {
        case ignore, strict
    }
}
