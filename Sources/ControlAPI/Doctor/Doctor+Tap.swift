internal import Control
internal import Wire

/// What a tap as underlay needs of its host: to route.
extension Doctor {
    /// The address is on no device; while the daemon runs, its tap is there.
    func routedAddress(_ network: HostFacts.Network) -> [Finding] {
        guard let own = Self.vtepAddress(configuration.vtep, network.addresses) else {
            return [Finding(.vtepAddress, .notChecked, "the VTEP has no address")]
        }
        let tap = configuration.vtep.device
        if let holder = network.addresses.first(where: { $0.address == own })?.device {
            let text = "\(holder) has it, but a tap is to: ip address delete \(own) dev \(holder)"
            return [Finding(.vtepAddress, .problem, "\(own)", text)]
        }
        guard daemon != nil else {
            return [Finding(.vtepAddress, .ok, "\(own)", "on no device, as a tap needs it")]
        }
        guard network.devices[tap] == true else {
            let text = "\(tap) is missing or down: ip link set \(tap) up, or restart the daemon"
            return [Finding(.vtepAddress, .problem, "\(own)", text)]
        }
        return [Finding(.vtepAddress, .ok, "\(own)", "routed to \(tap), which is up")]
    }

    /// The kernel forwards what came in by a device whose own switch is on.
    func forwarding() -> [Finding] {
        guard hasTap else {
            return [Finding(.forwarding, .ok, "sockets do not need it")]
        }
        return withNetwork(.forwarding) { network in
            let tap = configuration.vtep.device
            // A tap that is not there yet will be as new devices are.
            let isOn = network.forwards[tap] ?? network.forwards["default"]
            guard let isOn else {
                return [Finding(.forwarding, .notChecked, "/proc/sys/net cannot be read")]
            }
            guard isOn else {
                let text = "nothing leaves the tap: sysctl -w net.ipv4.ip_forward=1"
                return [Finding(.forwarding, .problem, tap, text)]
            }
            let others = network.forwards.filter { name, isOn in
                !isOn && name != tap && name != "lo" && network.devices[name] == true
            }
            guard others.isEmpty else {
                return others.keys.sorted().map { name in
                    let text =
                        "VXLAN that arrives here is lost: "
                        + "sysctl -w net.ipv4.conf.\(name).forwarding=1"
                    return Finding(.forwarding, .warning, name, text)
                }
            }
            return [Finding(.forwarding, .ok, "on, at every device that is up")]
        }
    }
}
