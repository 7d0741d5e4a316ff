import Uring

/// An Ethernet frame with IPv4 and UDP whose UDP checksum is left to the receiver's kernel.
struct UDPFrame {
    var bytes: [UInt8]
    private let payloadCount: Int

    init(
        source: UInt32, destination: UInt32, sourceMAC: UInt64, destinationMAC: UInt64,
        payload: [UInt8], port: UInt16 = 5000, sourcePort: UInt16 = 50000
    ) {
        func octets(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64(count - 1 - $0))) }
        }
        let length = UInt64(8 + payload.count)
        bytes = octets(destinationMAC, 6) + octets(sourceMAC, 6) + [8, 0]
        var header: [UInt8] = [0x45, 0] + octets(20 + length, 2) + [0, 0, 0x40, 0, 64, 17, 0, 0]
        header += octets(UInt64(source), 4) + octets(UInt64(destination), 4)
        let sum = ~Self.fold(Self.sum(header))
        header[10] = UInt8(sum >> 8)
        header[11] = UInt8(sum & 255)
        bytes += header
        let pseudo =
            octets(UInt64(source), 4) + octets(UInt64(destination), 4) + [0, 17]
            + octets(length, 2)
        bytes += octets(UInt64(sourcePort), 2) + octets(UInt64(port), 2) + octets(length, 2)
        bytes += octets(UInt64(Self.fold(Self.sum(pseudo))), 2) + payload
        payloadCount = payload.count
    }

    func offload(segment: Int) -> OffloadHeader {
        OffloadHeader(
            flags: OffloadHeader.needsChecksum,
            segmentationKind: segment == 0 ? 0 : OffloadHeader.Segmentation.udp.rawValue,
            headerLength: segment == 0 ? 0 : 42, segmentSize: UInt16(segment), checksumStart: 34,
            checksumOffset: 6)
    }

    private static func sum(_ bytes: [UInt8]) -> UInt32 {
        stride(from: 0, to: bytes.count, by: 2).reduce(0) {
            $0 + UInt32(bytes[$1]) << 8 + UInt32(bytes[$1 + 1])
        }
    }

    private static func fold(_ sum: UInt32) -> UInt16 {
        let once = sum & 0xFFFF + sum >> 16
        return UInt16(truncatingIfNeeded: once & 0xFFFF + once >> 16)
    }
}
