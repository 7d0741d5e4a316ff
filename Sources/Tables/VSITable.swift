/// What the stages need to know of a VSI: one record for each index, in `TableSet.vsis`.
public struct VSIRecord: BitwiseCopyable, Sendable {
    /// What becomes of a VLAN tag inside a received VXLAN frame (RFC 7348 section 6.1).
    public enum InnerVLAN: UInt8, BitwiseCopyable, Sendable {
        case drop, strip, keep
    }

    public struct Flags: OptionSet, BitwiseCopyable, Sendable {
        public let rawValue: UInt16
        @_noLocks
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static var inUse: Flags { @_noLocks get { Flags(rawValue: 1) } }
        public static var learning: Flags { @_noLocks get { Flags(rawValue: 2) } }
        public static var floodsBroadcast: Flags { @_noLocks get { Flags(rawValue: 4) } }
        public static var floodsUnknownUnicast: Flags { @_noLocks get { Flags(rawValue: 8) } }
        public static var floodsMulticast: Flags { @_noLocks get { Flags(rawValue: 16) } }
        public static var suppressesARP: Flags { @_noLocks get { Flags(rawValue: 32) } }
        /// A VSI-interface is bound to it.
        public static var hasInterface: Flags { @_noLocks get { Flags(rawValue: 64) } }
        public static var hasVNI: Flags { @_noLocks get { Flags(rawValue: 128) } }
        /// Its VSI-interface answers ARP for everybody and relays what it hears (local proxy ARP).
        public static var proxiesARP: Flags { @_noLocks get { Flags(rawValue: 256) } }
        /// Gateways behind tunnels may have the addresses of its VSI-interface (RFC 9135).
        public static var sharesAddresses: Flags { @_noLocks get { Flags(rawValue: 512) } }
    }

    public var flags: Flags
    public var innerVLAN: InnerVLAN
    /// 0 for a VSI that is local only.
    public var vni: UInt32
    /// Where in `TableSet.floodTargets` its access ports begin, and how many there are.
    public var firstPort: Int32
    public var portCount: Int32
    /// The same for the peers of its flood list, which follow the ports.
    public var peerCount: Int32
    /// Index into `TableSet.interfaces`, or -1.
    public var interface: Int32

    public init() {
        flags = []
        innerVLAN = .drop
        vni = 0
        firstPort = 0
        portCount = 0
        peerCount = 0
        interface = -1
    }

    @_noLocks
    public func has(_ flag: Flags) -> Bool { flags.rawValue & flag.rawValue != 0 }
}

/// A VSI-interface: the gateway's layer-3 presence in a VSI.
public struct InterfaceRecord: BitwiseCopyable, Sendable {
    /// How a source address is held against the routing table (RFC 1812 section 5.3.8).
    public enum ReversePath: UInt8, BitwiseCopyable, Sendable {
        case off
        /// Some route leads to it.
        case loose
        /// A route leads to it through this interface.
        case strict
    }

    public var mac: UInt64
    public var vsi: UInt16
    public var vrf: UInt16
    /// Bytes of the largest IPv4 packet.
    public var mtu: UInt32
    /// Where in `TableSet.subnets` its subnets begin, and how many there are.
    public var firstSubnet: Int32
    public var subnetCount: Int32
    /// The same in `TableSet.policies`.
    public var firstPolicy: Int32
    public var policyCount: Int32
    public var reversePath: ReversePath
    /// Packets that are not for the gateway itself are passed on.
    public var forwards: Bool

    public init(mac: UInt64, vsi: UInt16, vrf: UInt16, mtu: UInt32) {
        self.mac = mac
        self.vsi = vsi
        self.vrf = vrf
        self.mtu = mtu
        firstSubnet = 0
        subnetCount = 0
        firstPolicy = 0
        policyCount = 0
        reversePath = .off
        forwards = true
    }
}

/// A connected subnet: host-order network and mask, and the interface's own address in it.
public struct SubnetRecord: BitwiseCopyable, Sendable {
    public var network: UInt32
    public var mask: UInt32
    public var address: UInt32

    public init(network: UInt32, mask: UInt32, address: UInt32) {
        self.network = network
        self.mask = mask
        self.address = address
    }
}
