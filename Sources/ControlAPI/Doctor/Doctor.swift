public import Control
public import Wire

/// The checks of `vxgate doctor`: from facts to findings, without a system call of their own.
public struct Doctor {
    public let configuration: Configuration
    public let host: HostFacts
    /// nil when a file is looked at before the gateway runs.
    public let daemon: DaemonFacts?

    public init(configuration: Configuration, host: HostFacts, daemon: DaemonFacts?) {
        self.configuration = configuration
        self.host = host
        self.daemon = daemon
    }

    /// At least one line for each check.
    public func findings() -> [Finding] {
        let groups = [
            kernel(), ioUring(), vtepAddress(), forwarding(), udpPort(), sameVTEP(), underlayMTU(),
            packetFilter(), peers(), ports(), contradictions(), nextHops(),
        ]
        return groups.flatMap(\.self)
    }

    /// The VTEP's address on this host.
    public static func vtepAddress(
        _ vtep: Configuration.VTEP, _ addresses: [HostFacts.Address]
    ) -> IPv4Address? {
        switch vtep.address {
        case .address(let address): address
        case .interface(let device): addresses.first { $0.device == device }?.address
        }
    }

    /// Tunnels are carried by a tap, so that the host routes the VTEP's address and has it not.
    var hasTap: Bool { configuration.vtep.underlay == .tap }

    /// The device that holds the VTEP's address.
    func vtepDevice(_ network: HostFacts.Network) -> String? {
        guard let own = Self.vtepAddress(configuration.vtep, network.addresses) else { return nil }
        return network.addresses.first { $0.address == own }?.device
    }

    /// Hands the network of the host to `body`, or says why it is not known.
    func withNetwork(
        _ check: Finding.Check, _ body: (HostFacts.Network) -> [Finding]
    ) -> [Finding] {
        switch host.network {
        case .known(let network): body(network)
        case .unknown(let why): [Finding(check, .notChecked, why)]
        }
    }
}
