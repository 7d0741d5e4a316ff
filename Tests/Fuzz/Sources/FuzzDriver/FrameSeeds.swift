internal import TestKit
public import Wire

/// Frames of every kind that the code under test tells apart, whole and right, for the fuzzer to
/// start from.
public enum FrameSeeds {
    private static let macB = MACAddress(bits: 0x02BB_0000_0002)
    private static let ip6A = [0xFD, 0] + [UInt8](repeating: 1, count: 14)
    private static let ip6B = [0xFD, 0] + [UInt8](repeating: 2, count: 14)

    /// - Parameters:
    ///   - sender: the MAC address that they come from.
    ///   - destination: the MAC address that they are sent to.
    ///   - source: the IPv4 address that they come from.
    ///   - target: the IPv4 address that they go to.
    public static func frames(
        sender: MACAddress, destination: MACAddress, source: IPv4Address, target: IPv4Address
    ) -> [[UInt8]] {
        let ethernet = FrameBuilder.ethernet(destination: destination, source: sender)
        let tagged = ethernet.vlan(10, priority: 3)
        let four = ethernet.ipv4(
            source: source, destination: target, typeOfService: 2, fragment: 0x4000)
        let options = tagged.ipv4(source: source, destination: target, options: [1, 1, 1, 0])
        let six = ethernet.ipv6(source: ip6A, destination: ip6B, trafficClass: 1)
        let extended = ethernet.ipv6(
            source: ip6A, destination: ip6B, nextHeader: 0,
            extensions: [17, 0, 1, 4, 0, 0, 0, 0])
        var builders = [four, options, six].flatMap { network in
            [
                network.tcp(sourcePort: 1, destinationPort: 2, flags: 0x99, checksum: .unfinished)
                    .payload(count: 300),
                network.tcp(
                    sourcePort: 1, destinationPort: 2,
                    options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
                ).payload(count: 20),
                network.udp(sourcePort: 1, destinationPort: 2, checksum: .unfinished)
                    .payload(count: 200),
                network.udp(sourcePort: 1, destinationPort: 2, checksum: .given(0)),
            ]
        }
        builders += [
            extended.udp(sourcePort: 1, destinationPort: 2).payload(count: 9),
            four.tcp(sourcePort: 1, destinationPort: 2, checksum: .unfinished)
                .payload(count: 2000),
            four.icmp(type: 8).payload(count: 8),
            ethernet.ipv4(source: source, destination: target, fragment: 0x2001)
                .payload(count: 24),
            ethernet.mpls(label: 16, isLast: true).payload(count: 30),
            tagged.payload(count: 46),
        ]
        return builders.map(\.bytes)
            + [1, 2].flatMap { operation in
                [destination, .broadcast].flatMap { receiver in
                    arp(
                        FrameBuilder.ethernet(destination: receiver, source: sender), operation,
                        sender, [source, target, IPv4Address(bits: 0)], target)
                }
            }
    }

    private static func arp(
        _ ethernet: FrameBuilder, _ operation: UInt16, _ sender: MACAddress,
        _ sources: [IPv4Address], _ target: IPv4Address
    ) -> [[UInt8]] {
        sources.map { source in
            ethernet.arp(
                operation: operation, senderMAC: sender, senderIP: source, targetMAC: macB,
                targetIP: target
            ).payload([UInt8](repeating: 0, count: 18)).bytes
        }
    }
}
