public import Wire

/// Builds the bytes of a frame from its layers, outermost first:
///
///     FrameBuilder.ethernet(destination: b, source: a).ipv4(source: x, destination: y)
///         .udp(sourcePort: 1, destinationPort: 2).payload([1, 2, 3]).bytes
///
/// Lengths, types, protocol numbers and checksums follow from the layers unless they are given. A
/// VXLAN frame is built by going on with `ethernet` after `vxlan`. Nothing here uses the code under
/// test: every field is written, and every checksum computed, in the plainest way.
public struct FrameBuilder: Sendable {
    /// How a checksum field is filled.
    public enum Checksum: Sendable, Equatable {
        case right
        /// The folded sum of the pseudo-header, as a sender leaves it to its network card.
        case unfinished
        case given(UInt16)
    }

    private var layers: [any Layer] = []

    private init() {}

    /// A builder without layers, for packets that do not start with Ethernet.
    public static var empty: FrameBuilder { FrameBuilder() }

    public static func ethernet(
        destination: MACAddress, source: MACAddress, etherType: UInt16? = nil
    ) -> FrameBuilder {
        FrameBuilder().ethernet(destination: destination, source: source, etherType: etherType)
    }

    public func ethernet(
        destination: MACAddress, source: MACAddress, etherType: UInt16? = nil
    ) -> FrameBuilder {
        adding(EthernetLayer(destination: destination, source: source, innerType: etherType))
    }

    public func vlan(
        _ identifier: UInt16, priority: UInt8 = 0, tagProtocol: UInt16 = 0x8100,
        etherType: UInt16? = nil
    ) -> FrameBuilder {
        adding(
            VLANLayer(
                control: UInt16(priority) << 13 | identifier, tagProtocol: tagProtocol,
                innerType: etherType))
    }

    public func mpls(label: UInt32, isLast: Bool, timeToLive: UInt8 = 64) -> FrameBuilder {
        adding(MPLSLayer(entry: label << 12 | (isLast ? 0x100 : 0) | UInt32(timeToLive)))
    }

    /// - Parameters:
    ///   - fragment: the two bytes of flags and offset; 0x4000 is "don't fragment".
    ///   - options: a multiple of four bytes.
    public func ipv4(
        source: IPv4Address, destination: IPv4Address, protocolNumber: UInt8? = nil,
        timeToLive: UInt8 = 64, typeOfService: UInt8 = 0, identification: UInt16 = 1,
        fragment: UInt16 = 0, options: [UInt8] = [], totalLength: Int? = nil,
        checksum: Checksum = .right
    ) -> FrameBuilder {
        adding(
            IPv4Layer(
                source: source, destination: destination, innerProtocol: protocolNumber,
                timeToLive: timeToLive, typeOfService: typeOfService,
                identification: identification, fragment: fragment, options: options,
                totalLength: totalLength, checksum: checksum))
    }

    /// - Parameters:
    ///   - source: 16 bytes.
    ///   - destination: 16 bytes.
    ///   - extensions: extension headers as bytes; `nextHeader` then names the first of them.
    public func ipv6(
        source: [UInt8], destination: [UInt8], nextHeader: UInt8? = nil, hopLimit: UInt8 = 64,
        trafficClass: UInt8 = 0, flowLabel: UInt32 = 0, extensions: [UInt8] = [],
        payloadLength: Int? = nil
    ) -> FrameBuilder {
        adding(
            IPv6Layer(
                source: source, destination: destination, nextHeader: nextHeader,
                hopLimit: hopLimit, trafficClass: trafficClass, flowLabel: flowLabel,
                extensions: extensions, payloadLength: payloadLength))
    }

    /// - Parameter options: a multiple of four bytes.
    public func tcp(
        sourcePort: UInt16, destinationPort: UInt16, sequenceNumber: UInt32 = 1,
        acknowledgmentNumber: UInt32 = 2, flags: UInt8 = 0x10, window: UInt16 = 65535,
        urgentPointer: UInt16 = 0, options: [UInt8] = [], checksum: Checksum = .right
    ) -> FrameBuilder {
        adding(
            TCPLayer(
                sourcePort: sourcePort, destinationPort: destinationPort,
                sequenceNumber: sequenceNumber, acknowledgmentNumber: acknowledgmentNumber,
                flags: flags, window: window, urgentPointer: urgentPointer, options: options,
                checksum: checksum))
    }

    public func udp(
        sourcePort: UInt16, destinationPort: UInt16, length: Int? = nil,
        checksum: Checksum = .right
    ) -> FrameBuilder {
        adding(
            UDPLayer(
                sourcePort: sourcePort, destinationPort: destinationPort, length: length,
                checksum: checksum))
    }

    /// - Parameter rest: the second four bytes of the header, such as identifier and sequence.
    public func icmp(
        type: UInt8, code: UInt8 = 0, rest: UInt32 = 0x0001_0001, checksum: Checksum = .right
    ) -> FrameBuilder {
        adding(ICMPLayer(type: type, code: code, rest: rest, checksum: checksum))
    }

    public func arp(
        operation: UInt16, senderMAC: MACAddress, senderIP: IPv4Address, targetMAC: MACAddress,
        targetIP: IPv4Address
    ) -> FrameBuilder {
        adding(
            ARPLayer(
                operation: operation, senderMAC: senderMAC, senderIP: senderIP,
                targetMAC: targetMAC, targetIP: targetIP))
    }

    public func vxlan(
        _ vni: VNI, flags: UInt8 = 0x08, reserved: UInt32 = 0, lastReserved: UInt8 = 0
    ) -> FrameBuilder {
        adding(
            VXLANLayer(
                first: UInt32(flags) << 24 | reserved & 0xFF_FFFF,
                second: vni.bits << 8 | UInt32(lastReserved)))
    }

    public func payload(_ bytes: [UInt8]) -> FrameBuilder { adding(PayloadLayer(payload: bytes)) }

    /// `count` bytes 0, 1, 2, …
    public func payload(count: Int) -> FrameBuilder {
        payload((0..<count).map { UInt8(truncatingIfNeeded: $0) })
    }

    /// The outer headers of `inner` as one VTEP sends it to another, the UDP checksum zero.
    public static func encapsulated(
        inner: [UInt8], vni: VNI, source: IPv4Address, destination: IPv4Address,
        sourcePort: UInt16 = 50000, destinationPort: UInt16 = 4789, typeOfService: UInt8 = 0
    ) -> [UInt8] {
        ethernet(
            destination: MACAddress(bits: 0x0200_0000_00FE),
            source: MACAddress(bits: 0x0200_0000_00FF)
        )
        .ipv4(
            source: source, destination: destination, typeOfService: typeOfService,
            fragment: 0x4000
        )
        .udp(sourcePort: sourcePort, destinationPort: destinationPort, checksum: .given(0))
        .vxlan(vni).payload(inner).bytes
    }

    /// The frame.
    public var bytes: [UInt8] {
        var body: [UInt8] = []
        var inner: (any Layer)?
        for index in layers.indices.reversed() {
            let network = layers[..<index].last { $0 is any NetworkLayer }
            body = layers[index].bytes(
                around: body, inner: inner, network: network as? any NetworkLayer)
            inner = layers[index]
        }
        return body
    }

    private func adding(_ layer: some Layer) -> FrameBuilder {
        var result = self
        result.layers.append(layer)
        return result
    }
}
