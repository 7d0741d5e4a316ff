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

/// An address of a VSI-interface with its subnet.
public struct InterfaceRecord: BitwiseCopyable, Sendable {
    public var mac: UInt64
    public var vsi: UInt16
    public var vrf: UInt16
    public var mtu: UInt32
    /// Where in `TableSet.subnets` its subnets begin, and how many there are.
    public var firstSubnet: Int32
    public var subnetCount: Int32

    public init(
        mac: UInt64, vsi: UInt16, vrf: UInt16, mtu: UInt32, firstSubnet: Int32, subnetCount: Int32
    ) {
        self.mac = mac
        self.vsi = vsi
        self.vrf = vrf
        self.mtu = mtu
        self.firstSubnet = firstSubnet
        self.subnetCount = subnetCount
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
