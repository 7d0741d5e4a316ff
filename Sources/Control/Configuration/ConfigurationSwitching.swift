public import Wire

extension Configuration {
    /// An item of `peers`: a remote VTEP.
    public struct Peer: Sendable, Hashable {
        public var name: String
        public var address: IPv4Address
        /// The VNIs it may carry; nil is every VNI.
        public var vnis: [VNI]?

        public init(name: String, address: IPv4Address, vnis: [VNI]? = nil) {
            self.name = name
            self.address = address
            self.vnis = vnis
        }

        public func carries(_ vni: VNI) -> Bool { vnis?.contains(vni) ?? true }
    }

    /// An item of `vsis`: one layer-2 domain, a VXLAN when it has a VNI.
    public struct VSI: Sendable, Hashable {
        public var name: String
        public var vni: VNI?
        /// Names of peers; nil is the default, see `Configuration.floodPeers(of:)`.
        public var floodList: [String]?
        public var flooding: Flooding
        public var learning: Bool
        public var arpSuppression: Bool
        public var ageingSeconds: Int
        /// 0 is no limit of its own.
        public var macLimit: Int
        public var innerVLAN: InnerVLAN

        public init(
            name: String, vni: VNI? = nil, floodList: [String]? = nil,
            flooding: Flooding = Flooding(), learning: Bool = true, arpSuppression: Bool = false,
            ageingSeconds: Int = 300, macLimit: Int = 0, innerVLAN: InnerVLAN = .drop
        ) {
            self.name = name
            self.vni = vni
            self.floodList = floodList
            self.flooding = flooding
            self.learning = learning
            self.arpSuppression = arpSuppression
            self.ageingSeconds = ageingSeconds
            self.macLimit = macLimit
            self.innerVLAN = innerVLAN
        }
    }

    /// Which kinds of frames without a known destination are flooded.
    public struct Flooding: Sendable, Hashable {
        public var broadcast: Bool
        public var unknownUnicast: Bool
        public var multicast: Bool

        public init(broadcast: Bool = true, unknownUnicast: Bool = true, multicast: Bool = true) {
            self.broadcast = broadcast
            self.unknownUnicast = unknownUnicast
            self.multicast = multicast
        }
    }

    /// What becomes of a VLAN tag inside a received VXLAN frame (RFC 7348 section 6.1).
    public enum InnerVLAN: String, Sendable, Hashable, CaseIterable {
        case drop, strip, keep
    }

    /// How a port reaches its device: a tap that the gateway makes, or an existing network device.
    public enum PortType: String, Sendable, Hashable, CaseIterable {
        case tap, packet
    }

    /// An item of `access-ports`: an attachment circuit of a VSI.
    public struct AccessPort: Sendable, Hashable {
        public var name: String
        public var type: PortType
        public var device: String
        /// The network namespace of the device; nil is the daemon's own.
        public var netns: String?
        /// 1...4094; nil takes untagged and priority-tagged frames.
        public var vlan: UInt16?
        public var vsi: String

        public init(
            name: String, type: PortType, device: String, netns: String? = nil,
            vlan: UInt16? = nil, vsi: String
        ) {
            self.name = name
            self.type = type
            self.device = device
            self.netns = netns
            self.vlan = vlan
            self.vsi = vsi
        }
    }

    /// An item of `static-fdb`.
    public struct StaticFDB: Sendable, Equatable {
        public var vsi: String
        public var mac: MACAddress
        public var target: FDBTarget

        public init(vsi: String, mac: MACAddress, target: FDBTarget) {
            self.vsi = vsi
            self.mac = mac
            self.target = target
        }
    }
}
