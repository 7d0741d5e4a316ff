internal import Wire

/// Rules about access ports, native ports and the static entries of the FDB.
extension ConfigurationCheck {
    func checkPorts() {
        for (index, port) in configuration.accessPorts.enumerated() where vsis[port.vsi] == nil {
            refuseDangling("access-ports[\(index)].vsi", "VSI", port.vsi, among: vsis)
        }
        for port in devicePorts() where port.type == .packet && port.circuit.device.netns != nil {
            log.refuse(
                "\(port.path).netns",
                "netns says where a tap is made; a packet port's device is in the daemon's own "
                    + "network namespace: leave netns out, run vxgate there, or use a tap")
        }
        checkDevices()
    }

    /// A device and VLAN belong to one port, and all ports of a device agree on what the device is.
    private func checkDevices() {
        var circuits: [Circuit: String] = [:]
        var types: [Device: (type: Configuration.PortType, path: String)] = [:]
        for port in devicePorts() where !port.circuit.device.name.isEmpty {
            let device = port.circuit.device
            if log.hasFailed("\(port.path).vlan") || log.hasFailed("\(port.path).device") {
                continue
            }
            if configuration.vtep.underlay == .tap, device.netns == nil,
                device.name == configuration.vtep.device
            {
                log.refuse(
                    "\(port.path).device",
                    "device \(device.name) is the tap of the underlay: name one of the two "
                        + "otherwise (vtep.device)")
                continue
            }
            if let first = circuits[port.circuit] {
                let tag = port.circuit.vlan.map { "with VLAN \($0)" } ?? "without a VLAN"
                log.refuse(
                    "\(port.path).device",
                    "device \(device.name) \(tag) belongs to \(log.reference(first)) already: "
                        + "a device and VLAN are one port")
                continue
            }
            circuits[port.circuit] = port.path
            if let first = types[device], first.type != port.type {
                log.refuse(
                    "\(port.path).type",
                    "device \(device.name) has type \(first.type) at "
                        + "\(log.reference(first.path)): all ports of a device have one type")
            } else if types[device] == nil {
                types[device] = (port.type, port.path)
            }
        }
    }

    private struct Device: Hashable {
        let name: String
        let netns: String?
    }

    private struct Circuit: Hashable {
        let device: Device
        let vlan: UInt16?
    }

    private func devicePorts() -> [(circuit: Circuit, type: Configuration.PortType, path: String)] {
        let access = configuration.accessPorts.enumerated().map { index, port in
            (
                Circuit(device: Device(name: port.device, netns: port.netns), vlan: port.vlan),
                port.type, "access-ports[\(index)]"
            )
        }
        let native = configuration.nativePorts.enumerated().map { index, port in
            (
                Circuit(device: Device(name: port.device, netns: port.netns), vlan: port.vlan),
                port.type, "native-ports[\(index)]"
            )
        }
        return access + native
    }

    func checkStaticFDB() {
        struct Key: Hashable {
            let vsi: String
            let mac: MACAddress
        }
        var places: [Key: String] = [:]
        var ownMACs: [Key: String] = [:]
        for interface in interfaces {
            guard let vsi = interface.vsi, let mac = interface.mac else { continue }
            ownMACs[Key(vsi: vsi, mac: mac)] = interface.name
        }
        for (index, entry) in configuration.staticFDB.enumerated() {
            let path = "static-fdb[\(index)]"
            let key = Key(vsi: entry.vsi, mac: entry.mac)
            guard let vsi = vsis[entry.vsi] else {
                refuseDangling("\(path).vsi", "VSI", entry.vsi, among: vsis)
                continue
            }
            checkTarget(of: entry, in: configuration.vsis[vsi], path: path)
            if let owner = ownMACs[key] {
                log.refuse(
                    "\(path).mac", "\(entry.mac) is the MAC of VSI-interface \(owner) itself")
            } else if let first = places[key], !log.hasFailed("\(path).mac") {
                let other = log.reference(first)
                log.refuse("\(path).mac", "\(entry.mac) has an entry in VSI \(entry.vsi): \(other)")
            }
            places[key] = path
        }
    }

    private func checkTarget(
        of entry: Configuration.StaticFDB, in vsi: Configuration.VSI, path: String
    ) {
        switch entry.target {
        case .peer(let name):
            guard let index = peers[name] else {
                refuseDangling("\(path).peer", "peer", name, among: peers)
                return
            }
            guard let vni = vsi.vni else {
                let place = "vsis[\(vsis[vsi.name] ?? 0)]"
                if log.hasFailed("\(place).vni") || log.hasFailed("\(place).flood-list") { return }
                log.refuse("\(path).peer", "VSI \(vsi.name) has no VNI and so no remote peers")
                return
            }
            if !configuration.peers[index].carries(vni), !log.isUncertain("peers[\(index)].vnis") {
                log.refuse(
                    "\(path).peer", "peer \(name) does not carry VNI \(vni) of VSI \(vsi.name)")
            }
        case .port(let name):
            guard let index = accessPorts[name] else {
                refuseDangling("\(path).port", "access port", name, among: accessPorts)
                return
            }
            let port = configuration.accessPorts[index]
            if port.vsi != vsi.name, vsis[port.vsi] != nil, !port.vsi.isEmpty {
                log.refuse("\(path).port", "access port \(name) belongs to VSI \(port.vsi)")
            }
        }
    }
}
