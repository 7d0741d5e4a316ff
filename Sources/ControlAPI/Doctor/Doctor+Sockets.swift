internal import Control
internal import Wire

/// Who receives what arrives at the VTEP's UDP port.
extension Doctor {
    func udpPort() -> [Finding] {
        withNetwork(.udpPort) { network in
            let port = configuration.vtep.udpPort
            guard !hasTap else {
                return [Finding(.udpPort, .ok, "\(port)", "a tap needs no socket")]
            }
            let (mine, others) = holders(network)
            guard let daemon else {
                guard let other = others.first else {
                    return [Finding(.udpPort, .ok, "\(port)", "free")]
                }
                let text = "taken by \(other): stop it or choose another vtep.udp-port"
                return [Finding(.udpPort, .problem, "\(port)", text)]
            }
            if mine > 0 {
                let text = "bound by the daemon, \(mine) sockets"
                return [Finding(.udpPort, .ok, "\(port)", text)]
            }
            if !network.seesAllOwners, !others.isEmpty {
                let text = "bound, but whose it is may not be seen: run doctor as root"
                return [Finding(.udpPort, .notChecked, "\(port)", text)]
            }
            let text = "process \(daemon.processIdentifier) (vxgate) has not bound it: restart it"
            return [Finding(.udpPort, .problem, "\(port)", text)]
        }
    }

    /// Two programs may share a port (SO_REUSEPORT); the kernel then gives each a part of the
    /// datagrams.
    func sameVTEP() -> [Finding] {
        guard !hasTap else {
            return [Finding(.sameVTEP, .ok, "no program gets what is routed to the tap")]
        }
        guard daemon != nil else {
            return [Finding(.sameVTEP, .notChecked, "no daemon was asked; see udp_port")]
        }
        return withNetwork(.sameVTEP) { network in
            guard network.seesAllOwners else {
                let text = "whose sockets there are may not be seen: run doctor as root"
                return [Finding(.sameVTEP, .notChecked, text)]
            }
            let others = Set(holders(network).others).sorted()
            guard others.isEmpty else {
                return others.map { other in
                    let text = "takes datagrams of the same address and port: stop one of the two"
                    return Finding(.sameVTEP, .problem, other, text)
                }
            }
            return [Finding(.sameVTEP, .ok, "no other program of this host has its port")]
        }
    }

    /// How many sockets of the port are the daemon's, and whose the others are. A socket bound to
    /// another address of the host takes nothing from the VTEP.
    private func holders(_ network: HostFacts.Network) -> (mine: Int, others: [String]) {
        let own = Self.vtepAddress(configuration.vtep, network.addresses)
        let sockets = network.sockets.filter {
            $0.port == configuration.vtep.udpPort && ($0.address == .any || $0.address == own)
        }
        var mine = 0
        var others: [String] = []
        for socket in sockets {
            guard let owner = network.owners[socket.inode] else {
                others.append(
                    socket.inode == 0 || network.seesAllOwners
                        ? "the kernel (ip link show type vxlan)" : "a process of another user")
                continue
            }
            if owner.identifier == daemon?.processIdentifier {
                mine += 1
            } else {
                others.append("\(owner.name), process \(owner.identifier)")
            }
        }
        return (mine, others)
    }
}
