import Control
import ControlAPI
import Gateway
import Glibc
import Wire

/// Collects what the doctor's checks want to know of the host.
enum HostSurvey {
    /// - Parameters:
    ///   - daemon: the process whose network namespace is looked at; nil looks at this one's.
    ///   - features: what the daemon says of io_uring; nil asks the kernel.
    static func facts(
        of configuration: Configuration, daemon: Int32?, features: [String: String]?
    ) -> HostFacts {
        let hidden = daemon.flatMap(enterNamespace)
        return HostFacts(
            kernelRelease: kernelRelease(),
            features: features.map(Learned.known) ?? probe(configuration),
            network: hidden.map(Learned.unknown) ?? network(configuration),
            nftables: hidden.map(Learned.unknown) ?? rules("nft", ["-j", "list", "ruleset"]),
            iptables: hidden.map(Learned.unknown) ?? rules("iptables-save", []))
    }

    /// Goes where the daemon is. Its network may be another one than that of the caller, and the
    /// number of its process one of another container.
    /// - Returns: why that cannot be; nil when it is done.
    private static func enterNamespace(of daemon: Int32) -> String? {
        guard ProcessFiles.name(of: daemon) == "vxgate" else {
            return "the daemon, process \(daemon), is in another container: run doctor there"
        }
        let own = ProcessFiles.link("/proc/thread-self/ns/net")
        guard let its = ProcessFiles.link("/proc/\(daemon)/ns/net") else {
            return "the daemon's network may not be looked at: run doctor as root"
        }
        guard own != its else { return nil }
        do {
            try HostProbe.enterNetworkNamespace(of: daemon)
            return nil
        } catch {
            return "the daemon's network namespace cannot be entered: \(error): run doctor as root"
        }
    }

    private static func kernelRelease() -> String {
        String(decoding: ProcessFiles.read("/proc/sys/kernel/osrelease"), as: UTF8.self)
            .split(separator: "\n").first.map(String.init) ?? ""
    }

    private static func probe(_ configuration: Configuration) -> Learned<[String: String]> {
        do throws(GatewayError) {
            return .known(try GatewayService.probe(for: configuration))
        } catch {
            return .unknown(error.description)
        }
    }

    private static func network(_ configuration: Configuration) -> Learned<HostFacts.Network> {
        var network = HostFacts.Network()
        do throws(SystemRefusal) {
            let devices = try HostProbe.devices()
            network.devices = devices.isUp
            network.addresses = devices.addresses.map {
                HostFacts.Address(device: $0.device, address: $0.address)
            }
        } catch {
            return .unknown("the addresses of this host cannot be listed: \(error)")
        }
        for name in network.devices.keys + ["default"] {
            let switchFile = "/proc/sys/net/ipv4/conf/\(name)/forwarding"
            guard let digit = ProcessFiles.read(switchFile).first else { continue }
            network.forwards[name] = digit != UInt8(ascii: "0")
        }
        let own = Doctor.vtepAddress(configuration.vtep, network.addresses)
        let isHere = network.addresses.contains { $0.address == own }
        for peer in configuration.peers {
            switch HostProbe.pathMTU(from: isHere ? own : nil, to: peer.address) {
            case .success(let mtu): network.ways[peer.address] = .mtu(mtu)
            case .failure(let refusal): network.ways[peer.address] = .refused("\(refusal)")
            }
        }
        for file in ["udp", "udp6"] {
            let text = ProcessFiles.read("/proc/thread-self/net/\(file)")
            network.sockets += BoundSocket.list(String(decoding: text, as: UTF8.self))
                .filter { $0.port == configuration.vtep.udpPort }
        }
        let inodes = Set(network.sockets.map(\.inode))
        (network.owners, network.seesAllOwners) = ProcessFiles.owners(of: inodes)
        return .known(network)
    }

    private static func rules(_ program: String, _ words: [String]) -> Learned<String> {
        guard let path = ProgramOutput.path(of: program) else {
            return .unknown("\(program) is not installed")
        }
        guard let output = ProgramOutput.read([path] + words) else {
            let remedy = geteuid() == 0 ? "try it by hand" : "run doctor as root"
            return .unknown("\(([program] + words).joined(separator: " ")) failed: \(remedy)")
        }
        return .known(output)
    }
}
