internal import Wire

/// What VSI-interfaces and native ports have in common: addresses in a VRF.
struct RoutedInterface {
    let name: String
    let path: String
    let vrf: String
    let addresses: [IPv4Prefix]
    let mac: MACAddress?
    /// The VSI of a VSI-interface; nil for a native port.
    let vsi: String?

    static func all(of configuration: Configuration) -> [RoutedInterface] {
        let ofVSIs = configuration.vsiInterfaces.enumerated().map { index, interface in
            RoutedInterface(
                name: interface.name, path: "vsi-interfaces[\(index)]", vrf: interface.vrf,
                addresses: interface.addresses, mac: interface.mac, vsi: interface.vsi)
        }
        let natives = configuration.nativePorts.enumerated().map { index, port in
            RoutedInterface(
                name: port.name, path: "native-ports[\(index)]", vrf: port.vrf,
                addresses: port.addresses, mac: port.mac, vsi: nil)
        }
        return ofVSIs + natives
    }

    /// The connected subnets: a /32 has none, its only address is the interface's own.
    var subnets: [IPv4Prefix] { addresses.filter { $0.length < 32 } }
}

/// The connected subnets of one VRF, which do not overlap, by address.
struct SubnetIndex {
    private let subnets: [(prefix: IPv4Prefix, interface: String)]

    init(_ subnets: [(prefix: IPv4Prefix, interface: String)]) {
        self.subnets = subnets.sorted { $0.prefix.network < $1.prefix.network }
    }

    /// The subnet that holds `address` and the interface it belongs to.
    func find(_ address: IPv4Address) -> (prefix: IPv4Prefix, interface: String)? {
        // The last subnet that begins at or before the address.
        var low = 0
        var high = subnets.count
        while low < high {
            let middle = (low + high) / 2
            if subnets[middle].prefix.network <= address {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low > 0, subnets[low - 1].prefix.contains(address) else { return nil }
        return subnets[low - 1]
    }
}
