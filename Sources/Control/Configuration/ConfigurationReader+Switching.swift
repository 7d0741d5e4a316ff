internal import Wire

/// The layer-2 sections: peers, VSIs, access ports, static FDB entries.
extension ConfigurationReader {
    func peers() -> [Configuration.Peer] {
        root.items("peers", keys: ["name", "address", "vnis"]).map { item in
            Configuration.Peer(
                name: item.required("name", .name, stand: ""),
                address: item.required("address", .unicastAddress, stand: .any),
                vnis: item.list("vnis", .vni))
        }
    }

    func vsis() -> [Configuration.VSI] {
        let keys = [
            "name", "vni", "flood-list", "flooding", "learning", "arp-suppression", "ageing",
            "mac-limit", "inner-vlan",
        ]
        return root.items("vsis", keys: keys).map { item in
            var vsi = Configuration.VSI(name: item.required("name", .name, stand: ""))
            vsi.vni = item.value("vni", .vni)
            vsi.floodList = item.list("flood-list", .name)
            vsi.flooding = flooding(item)
            vsi.learning = item.value("learning", .boolean) ?? vsi.learning
            vsi.arpSuppression = item.value("arp-suppression", .boolean) ?? vsi.arpSuppression
            // The range of IEEE 802.1Q's ageing time, from one second for those who test.
            vsi.ageingSeconds = item.value("ageing", .seconds(1...1_000_000)) ?? vsi.ageingSeconds
            vsi.macLimit = item.value("mac-limit", .integer(0...16_777_215)) ?? vsi.macLimit
            vsi.innerVLAN = item.value("inner-vlan", .enumeration) ?? vsi.innerVLAN
            return vsi
        }
    }

    private func flooding(_ item: YAMLSection) -> Configuration.Flooding {
        var result = Configuration.Flooding()
        let keys = ["broadcast", "unknown-unicast", "multicast"]
        guard let section = item.section("flooding", keys: keys) else { return result }
        result.broadcast = section.value("broadcast", .boolean) ?? result.broadcast
        result.unknownUnicast = section.value("unknown-unicast", .boolean) ?? result.unknownUnicast
        result.multicast = section.value("multicast", .boolean) ?? result.multicast
        return result
    }

    func accessPorts() -> [Configuration.AccessPort] {
        let keys = ["name", "type", "device", "netns", "vlan", "vsi"]
        return root.items("access-ports", keys: keys).map { item in
            Configuration.AccessPort(
                name: item.required("name", .name, stand: ""),
                type: item.required("type", .enumeration, stand: .packet),
                device: item.required("device", .device, stand: ""),
                netns: item.value("netns", .name), vlan: vlan(item),
                vsi: item.required("vsi", .name, stand: ""))
        }
    }

    /// 0 is a priority tag and 4095 reserved (IEEE 802.1Q, table 9-2).
    func vlan(_ item: YAMLSection) -> UInt16? {
        item.value("vlan", .integer(1...4094)).map { UInt16($0) }
    }

    func staticFDB() -> [Configuration.StaticFDB] {
        root.items("static-fdb", keys: ["vsi", "mac", "peer", "port"]).map { item in
            let port = item.value("port", .name)
            let peer = item.value("peer", .name)
            if item.has("port"), item.has("peer") {
                log.refuse(item.path, "the entry has both 'peer' and 'port': keep one of the two")
            } else if !item.has("port"), !item.has("peer") {
                log.refuse(item.path, "the entry points nowhere: add 'peer' or 'port'")
            }
            return Configuration.StaticFDB(
                vsi: item.required("vsi", .name, stand: ""),
                mac: item.required("mac", .unicastMAC, stand: .zero),
                target: port.map { .port($0) } ?? .peer(peer ?? ""))
        }
    }
}
