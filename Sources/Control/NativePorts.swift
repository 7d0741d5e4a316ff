/// A native port is a layer-3 port outside any VXLAN. Inside the gateway it is a VSI of its own
/// with one access port and one VSI-interface, so that learning, ARP and routing are those of every
/// other interface.
extension Configuration {
    /// The same with native ports spelt out.
    public func withNativePorts() -> Configuration {
        guard !nativePorts.isEmpty else { return self }
        var result = self
        result.nativePorts = []
        for port in nativePorts {
            let vsi = Self.nativeVSI(port.name)
            result.vsis.append(VSI(name: vsi))
            result.accessPorts.append(
                AccessPort(
                    name: port.name, type: port.type, device: port.device, netns: port.netns,
                    vlan: port.vlan, vsi: vsi))
            result.vsiInterfaces.append(
                VSIInterface(
                    name: port.name, vsi: vsi, vrf: port.vrf, addresses: port.addresses,
                    mac: port.mac, mtu: port.mtu ?? 1500))
        }
        return result
    }

    /// No configured name has a colon in this place.
    static func nativeVSI(_ port: String) -> String { "native:\(port)" }

    /// The devices of its access ports.
    public var deviceKeys: Set<DeviceKey> { Set(accessPorts.map(DeviceKey.init)) }
}
