public import Control
public import Wire

/// A fact, or why it is not known.
public enum Learned<Value: Sendable>: Sendable {
    case known(Value)
    case unknown(String)
}

/// What the host says about itself, in the network namespace of the gateway.
public struct HostFacts: Sendable {
    public struct Address: Sendable, Equatable {
        public var device: String
        public var address: IPv4Address

        public init(device: String, address: IPv4Address) {
            self.device = device
            self.address = address
        }
    }

    public struct Process: Sendable, Equatable {
        public var identifier: Int32
        public var name: String

        public init(identifier: Int32, name: String) {
            self.identifier = identifier
            self.name = name
        }
    }

    /// The way that the kernel takes to an address.
    public enum Way: Sendable, Equatable {
        /// Bytes of an IPv4 packet that fit.
        case mtu(Int)
        case refused(String)
    }

    public struct Network: Sendable {
        public var addresses: [Address] = []
        /// Every device, with whether it is up and has a carrier.
        public var devices: [String: Bool] = [:]
        /// Whether IPv4 packets that arrive at a device are forwarded; `default` is how new devices
        /// are made.
        public var forwards: [String: Bool] = [:]
        /// From the VTEP to the address of each peer.
        public var ways: [IPv4Address: Way] = [:]
        public var sockets: [BoundSocket] = []
        /// Who holds a socket, by inode; sockets of processes that may not be looked into are
        /// absent.
        public var owners: [UInt64: Process] = [:]
        public var seesAllOwners = false

        public init() {}
    }

    /// As in `6.12.1-amd64`.
    public var kernelRelease: String
    /// Each feature with `on` or `off: why`.
    public var features: Learned<[String: String]>
    public var network: Learned<Network>
    /// What `nft -j list ruleset` prints.
    public var nftables: Learned<String>
    /// What `iptables-save` prints.
    public var iptables: Learned<String>

    public init(
        kernelRelease: String, features: Learned<[String: String]>, network: Learned<Network>,
        nftables: Learned<String>, iptables: Learned<String>
    ) {
        self.kernelRelease = kernelRelease
        self.features = features
        self.network = network
        self.nftables = nftables
        self.iptables = iptables
    }
}

/// What a running daemon says: reports of its control API.
public struct DaemonFacts: Sendable {
    public var processIdentifier: Int32
    public var ports: [PortReport]
    public var fdb: [FDBReport]
    public var arp: [ARPReport]
    public var routes: [RouteReport]

    public init(
        processIdentifier: Int32, ports: [PortReport], fdb: [FDBReport], arp: [ARPReport],
        routes: [RouteReport]
    ) {
        self.processIdentifier = processIdentifier
        self.ports = ports
        self.fdb = fdb
        self.arp = arp
        self.routes = routes
    }
}
