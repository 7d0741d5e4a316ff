public import Wire

/// Frames that the hosts of `TestSite` send.
extension TestSite {
    /// A UDP packet of 60 bytes unless `payloadCount` says otherwise.
    public static func udp(
        from sender: Host, to receiver: Host, destinationMAC: MACAddress? = nil,
        sourcePort: UInt16 = 1000, destinationPort: UInt16 = 2000, payloadCount: Int = 18,
        typeOfService: UInt8 = 0, timeToLive: UInt8 = 64, fragment: UInt16 = 0
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: destinationMAC ?? receiver.mac, source: sender.mac)
            .ipv4(
                source: sender.address, destination: receiver.address, timeToLive: timeToLive,
                typeOfService: typeOfService, fragment: fragment
            )
            .udp(sourcePort: sourcePort, destinationPort: destinationPort)
            .payload(count: payloadCount).bytes
    }

    public static func udp6(
        from sender: Host, to receiver: Host, trafficClass: UInt8 = 0, hopLimit: UInt8 = 64,
        sourcePort: UInt16 = 1000
    ) -> [UInt8] {
        let prefix: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11)
        return FrameBuilder.ethernet(destination: receiver.mac, source: sender.mac)
            .ipv6(
                source: prefix + [1], destination: prefix + [2], hopLimit: hopLimit,
                trafficClass: trafficClass
            )
            .udp(sourcePort: sourcePort, destinationPort: 2000).payload(count: 10).bytes
    }

    /// Of no protocol that the gateway knows.
    public static func opaque(
        from sender: MACAddress, to receiver: MACAddress, etherType: UInt16 = 0x9999,
        payload: [UInt8] = [1, 2, 3]
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: receiver, source: sender, etherType: etherType)
            .payload(payload).bytes
    }

    public static func broadcast(from sender: MACAddress) -> [UInt8] {
        opaque(from: sender, to: .broadcast)
    }

    public static func arpRequest(
        from sender: Host, for target: IPv4Address, to destination: MACAddress = .broadcast
    ) -> [UInt8] {
        arp(1, sender.mac, sender.address, .zero, target, to: destination)
    }

    /// With 18 bytes of padding behind it.
    public static func arp(
        _ operation: UInt16, _ senderMAC: MACAddress, _ senderIP: IPv4Address,
        _ targetMAC: MACAddress, _ targetIP: IPv4Address, to destination: MACAddress = .broadcast,
        source: MACAddress? = nil, padding: UInt8 = 0
    ) -> [UInt8] {
        FrameBuilder.ethernet(destination: destination, source: source ?? senderMAC)
            .arp(
                operation: operation, senderMAC: senderMAC, senderIP: senderIP,
                targetMAC: targetMAC, targetIP: targetIP
            )
            .payload([UInt8](repeating: padding, count: 18)).bytes
    }
}
