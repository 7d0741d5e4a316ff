public import Wire

extension Configuration {
    /// The reverse-path check of an interface (RFC 3704).
    public enum ReversePathFilter: String, Sendable, Hashable, CaseIterable {
        case off, loose, strict
    }

    /// Whose address an interface asks with when it looks for a next hop (ARP sender address).
    public enum SenderSource: Sendable, Hashable {
        case own
        /// The VTEP address.
        case vtep
        /// Another VSI-interface or native port of the VRF.
        case interface(String)
    }

    /// An item of `vsi-interfaces`: the layer-3 interface of a VSI.
    public struct VSIInterface: Sendable, Hashable {
        public var name: String
        public var vsi: String
        public var vrf: String
        /// The interface's own addresses, each with the length of its subnet; at least one, unless
        /// it borrows another's.
        public var addresses: [IPv4Prefix]
        public var source: SenderSource
        /// nil is a stable one, derived from the VTEP address and the VSI.
        public var mac: MACAddress?
        /// The same addresses may exist on peer gateways.
        public var distributedGateway: Bool
        public var localProxyARP: Bool
        /// nil follows the underlay's MTU, less 50.
        public var mtu: Int?
        public var rpf: ReversePathFilter
        public var forwarding: Bool

        public init(
            name: String, vsi: String, vrf: String = defaultVRF, addresses: [IPv4Prefix],
            source: SenderSource = .own, mac: MACAddress? = nil, distributedGateway: Bool = false,
            localProxyARP: Bool = false,
            mtu: Int? = nil, rpf: ReversePathFilter = .off, forwarding: Bool = true
        ) {
            self.name = name
            self.vsi = vsi
            self.vrf = vrf
            self.addresses = addresses
            self.source = source
            self.mac = mac
            self.distributedGateway = distributedGateway
            self.localProxyARP = localProxyARP
            self.mtu = mtu
            self.rpf = rpf
            self.forwarding = forwarding
        }
    }

    /// An item of `native-ports`: a layer-3 port outside any VXLAN, the border's way out.
    public struct NativePort: Sendable, Hashable {
        public var name: String
        public var type: PortType
        public var device: String
        public var netns: String?
        public var vlan: UInt16?
        public var vrf: String
        public var addresses: [IPv4Prefix]
        public var mac: MACAddress?
        public var mtu: Int?

        public init(
            name: String, type: PortType, device: String, netns: String? = nil,
            vlan: UInt16? = nil, vrf: String = defaultVRF, addresses: [IPv4Prefix],
            mac: MACAddress? = nil, mtu: Int? = nil
        ) {
            self.name = name
            self.type = type
            self.device = device
            self.netns = netns
            self.vlan = vlan
            self.vrf = vrf
            self.addresses = addresses
            self.mac = mac
            self.mtu = mtu
        }
    }

    /// An item of `static-arp`; `interface` is a VSI-interface or a native port.
    public struct StaticARP: Sendable, Hashable {
        public var interface: String
        public var address: IPv4Address
        public var mac: MACAddress

        public init(interface: String, address: IPv4Address, mac: MACAddress) {
            self.interface = interface
            self.address = address
            self.mac = mac
        }
    }

    /// An item of `static-routes`. Several items of one prefix and VRF are paths of equal cost, as
    /// several addresses in `via` are.
    public struct StaticRoute: Sendable, Hashable {
        public var prefix: IPv4Prefix
        /// Empty only for a blackhole.
        public var via: [IPv4Address]
        public var interface: String?
        public var vrf: String
        /// The next hop is asked for on `interface` although no subnet holds it.
        public var onlink: Bool
        public var blackhole: Bool

        public init(
            prefix: IPv4Prefix, via: [IPv4Address], interface: String? = nil,
            vrf: String = defaultVRF, onlink: Bool = false, blackhole: Bool = false
        ) {
            self.prefix = prefix
            self.via = via
            self.interface = interface
            self.vrf = vrf
            self.onlink = onlink
            self.blackhole = blackhole
        }
    }

    /// An item of `policy-routes`: packets that enter by `interface` and match take `nextHop`
    /// before the routing table is asked. Lower orders are matched first, equal ones in the order
    /// of the file.
    public struct PolicyRoute: Sendable, Hashable {
        public var name: String
        public var order: Int
        public var interface: String
        public var source: IPv4Prefix
        public var destination: IPv4Prefix
        /// nil is any protocol.
        public var protocolNumber: UInt8?
        public var sourcePorts: ClosedRange<UInt16>?
        public var destinationPorts: ClosedRange<UInt16>?
        public var nextHop: IPv4Address

        /// 0.0.0.0/0: every address.
        public static let everything = IPv4Prefix(address: .any, length: 0)

        public init(
            name: String, order: Int = 0, interface: String, source: IPv4Prefix = Self.everything,
            destination: IPv4Prefix = Self.everything, protocolNumber: UInt8? = nil,
            sourcePorts: ClosedRange<UInt16>? = nil, destinationPorts: ClosedRange<UInt16>? = nil,
            nextHop: IPv4Address
        ) {
            self.name = name
            self.order = order
            self.interface = interface
            self.source = source
            self.destination = destination
            self.protocolNumber = protocolNumber
            self.sourcePorts = sourcePorts
            self.destinationPorts = destinationPorts
            self.nextHop = nextHop
        }
    }
}
