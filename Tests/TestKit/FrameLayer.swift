import Wire

/// One layer of a `FrameBuilder`.
protocol Layer: Sendable {
    /// What an Ethernet header or VLAN tag in front says about this layer.
    var etherType: UInt16 { get }
    /// What an IP header in front says about this layer.
    var protocolNumber: UInt8 { get }

    /// The layer and everything inside it.
    ///
    /// - Parameters:
    ///   - body: the bytes inside.
    ///   - inner: the next layer inside.
    ///   - network: the closest IP layer outside, for the pseudo-header.
    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8]
}

extension Layer {
    var etherType: UInt16 { 0xFFFF }
    var protocolNumber: UInt8 { 253 }
}

/// A layer whose addresses enter the checksum of the next.
protocol NetworkLayer: Layer {
    var pseudoAddresses: [UInt8] { get }
}

/// RFC 1071 word by word.
public func plainSum(_ bytes: [UInt8]) -> UInt16 {
    var sum = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
        sum += Int(bytes[index]) << 8 + (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
        if sum > 0xFFFF { sum -= 0xFFFF }
    }
    return UInt16(sum)
}

extension UInt16 {
    var wire: [UInt8] { [UInt8(self >> 8), UInt8(self & 255)] }
}

extension UInt32 {
    var wire: [UInt8] { (0..<4).map { UInt8(self >> UInt32(24 - 8 * $0) & 255) } }
}

extension MACAddress {
    var wire: [UInt8] { (0..<6).map { UInt8(bits >> UInt64(40 - 8 * $0) & 255) } }
}

struct EthernetLayer: Layer {
    let destination: MACAddress
    let source: MACAddress
    let innerType: UInt16?

    /// Ethernet in Ethernet, as GRE names it.
    var etherType: UInt16 { 0x6558 }
    var protocolNumber: UInt8 { 143 }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        destination.wire + source.wire + (innerType ?? inner?.etherType ?? 0xFFFF).wire + body
    }
}

struct VLANLayer: Layer {
    let control: UInt16
    let tagProtocol: UInt16
    let innerType: UInt16?

    var etherType: UInt16 { tagProtocol }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        control.wire + (innerType ?? inner?.etherType ?? 0xFFFF).wire + body
    }
}

struct MPLSLayer: Layer {
    let entry: UInt32

    var etherType: UInt16 { 0x8847 }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        entry.wire + body
    }
}

struct IPv4Layer: NetworkLayer {
    let source: IPv4Address
    let destination: IPv4Address
    let innerProtocol: UInt8?
    let timeToLive: UInt8
    let typeOfService: UInt8
    let identification: UInt16
    let fragment: UInt16
    let options: [UInt8]
    let totalLength: Int?
    let checksum: FrameBuilder.Checksum

    var etherType: UInt16 { 0x0800 }
    var protocolNumber: UInt8 { 4 }
    var pseudoAddresses: [UInt8] { source.bits.wire + destination.bits.wire }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let headerByteCount = 20 + options.count
        let length = totalLength ?? headerByteCount + body.count
        var header = [UInt8(0x40 + headerByteCount / 4), typeOfService]
        header += UInt16(truncatingIfNeeded: length).wire
        header += identification.wire + fragment.wire
        header += [timeToLive, innerProtocol ?? inner?.protocolNumber ?? 253, 0, 0]
        header += source.bits.wire + destination.bits.wire + options
        let field = checksum.field(sum: plainSum(header), unfinished: 0)
        header.replaceSubrange(10..<12, with: field.wire)
        return header + body
    }
}

struct IPv6Layer: NetworkLayer {
    let source: [UInt8]
    let destination: [UInt8]
    let nextHeader: UInt8?
    let hopLimit: UInt8
    let trafficClass: UInt8
    let flowLabel: UInt32
    let extensions: [UInt8]
    let payloadLength: Int?

    var etherType: UInt16 { 0x86DD }
    var protocolNumber: UInt8 { 41 }
    var pseudoAddresses: [UInt8] { source + destination }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        let length = payloadLength ?? extensions.count + body.count
        let first = 6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xF_FFFF
        return first.wire + UInt16(truncatingIfNeeded: length).wire
            + [nextHeader ?? inner?.protocolNumber ?? 59, hopLimit] + source + destination
            + extensions + body
    }
}

struct ARPLayer: Layer {
    let operation: UInt16
    let senderMAC: MACAddress
    let senderIP: IPv4Address
    let targetMAC: MACAddress
    let targetIP: IPv4Address

    var etherType: UInt16 { 0x0806 }

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        [0, 1, 8, 0, 6, 4] + operation.wire + senderMAC.wire + senderIP.bits.wire + targetMAC.wire
            + targetIP.bits.wire + body
    }
}

struct VXLANLayer: Layer {
    let first: UInt32
    let second: UInt32

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        first.wire + second.wire + body
    }
}

struct PayloadLayer: Layer {
    let payload: [UInt8]

    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        payload + body
    }
}
