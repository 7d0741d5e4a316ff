extension FrameBuilder.Checksum {
    /// - Parameters:
    ///   - sum: over everything the checksum covers, its own field zero.
    ///   - unfinished: over the pseudo-header alone.
    func field(sum: UInt16, unfinished: UInt16) -> UInt16 {
        switch self {
        case .right: ~sum
        case .unfinished: unfinished
        case .given(let value): value
        }
    }
}

/// A layer with a checksum over its bytes and, but for ICMP, the pseudo-header.
protocol TransportLayer: Layer {
    var checksum: FrameBuilder.Checksum { get }
    var checksumOffset: Int { get }
    /// The header with a zero checksum.
    func header(bodyByteCount: Int) -> [UInt8]
}

extension TransportLayer {
    func bytes(around body: [UInt8], inner: (any Layer)?, network: (any NetworkLayer)?) -> [UInt8] {
        var segment = header(bodyByteCount: body.count) + body
        var pseudoHeader: [UInt8] = []
        if let network, protocolNumber != 1 {
            pseudoHeader =
                network.pseudoAddresses + UInt32(segment.count).wire + [0, 0, 0, protocolNumber]
        }
        var field = checksum.field(
            sum: plainSum(pseudoHeader + segment), unfinished: plainSum(pseudoHeader))
        if field == 0, checksum == .right, protocolNumber == 17 { field = 0xFFFF }
        segment.replaceSubrange(checksumOffset..<checksumOffset + 2, with: field.wire)
        return segment
    }
}

struct TCPLayer: TransportLayer {
    let sourcePort: UInt16
    let destinationPort: UInt16
    let sequenceNumber: UInt32
    let acknowledgmentNumber: UInt32
    let flags: UInt8
    let window: UInt16
    let urgentPointer: UInt16
    let options: [UInt8]
    let checksum: FrameBuilder.Checksum

    var protocolNumber: UInt8 { 6 }
    var checksumOffset: Int { 16 }

    func header(bodyByteCount: Int) -> [UInt8] {
        sourcePort.wire + destinationPort.wire + sequenceNumber.wire + acknowledgmentNumber.wire
            + [UInt8(80 + options.count * 4), flags] + window.wire + [0, 0] + urgentPointer.wire
            + options
    }
}

struct UDPLayer: TransportLayer {
    let sourcePort: UInt16
    let destinationPort: UInt16
    let length: Int?
    let checksum: FrameBuilder.Checksum

    var protocolNumber: UInt8 { 17 }
    var checksumOffset: Int { 6 }

    func header(bodyByteCount: Int) -> [UInt8] {
        let byteCount = UInt16(truncatingIfNeeded: length ?? 8 + bodyByteCount)
        return sourcePort.wire + destinationPort.wire + byteCount.wire + [0, 0]
    }
}

struct ICMPLayer: TransportLayer {
    let type: UInt8
    let code: UInt8
    let rest: UInt32
    let checksum: FrameBuilder.Checksum

    var protocolNumber: UInt8 { 1 }
    var checksumOffset: Int { 2 }

    func header(bodyByteCount: Int) -> [UInt8] { [type, code, 0, 0] + rest.wire }
}
