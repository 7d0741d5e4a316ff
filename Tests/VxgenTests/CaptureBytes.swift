import Foundation

/// Capture files, written byte by byte.
struct CaptureBytes {
    private(set) var bytes: [UInt8] = []
    let isBigEndian: Bool

    init(isBigEndian: Bool = false) { self.isBigEndian = isBigEndian }

    mutating func append(_ value: UInt32) {
        let octets = (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
        bytes += isBigEndian ? octets.reversed() : octets
    }

    mutating func append(_ value: UInt16) {
        let octets = [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        bytes += isBigEndian ? octets.reversed() : octets
    }

    /// The header of a pcap file.
    mutating func beginRecords(isNanoseconds: Bool, link: UInt32 = 1) {
        append(isNanoseconds ? 0xA1B2_3C4D : 0xA1B2_C3D4 as UInt32)
        append(2 as UInt16)
        append(4 as UInt16)
        for word: UInt32 in [0, 0, 65535, link] { append(word) }
    }

    mutating func record(
        _ seconds: UInt32, _ fraction: UInt32, _ data: [UInt8], original: Int? = nil
    ) {
        for word in [seconds, fraction, UInt32(data.count), UInt32(original ?? data.count)] {
            append(word)
        }
        bytes += data
    }

    /// A block of pcapng.
    mutating func block(_ type: UInt32, _ body: [UInt8]) {
        let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        append(type)
        append(UInt32(padded.count + 12))
        bytes += padded
        append(UInt32(padded.count + 12))
    }

    mutating func section() {
        var body = CaptureBytes(isBigEndian: isBigEndian)
        body.append(0x1A2B_3C4D as UInt32)
        body.append(1 as UInt16)
        for _ in 0..<5 { body.append(0xFFFF as UInt16) }
        block(0x0A0D_0D0A, body.bytes)
    }

    /// - Parameter resolution: of `if_tsresol`; nil leaves the option out.
    mutating func interface(link: UInt16 = 1, snap: UInt32 = 0, resolution: UInt8? = nil) {
        var body = CaptureBytes(isBigEndian: isBigEndian)
        body.append(link)
        body.append(0 as UInt16)
        body.append(snap)
        if let resolution {
            body.append(9 as UInt16)
            body.append(1 as UInt16)
            body.bytes += [resolution, 0, 0, 0]
            body.append(0 as UInt32)
        }
        block(1, body.bytes)
    }

    mutating func packet(
        _ interface: UInt32, _ ticks: UInt64, _ data: [UInt8], original: Int? = nil
    ) {
        var body = CaptureBytes(isBigEndian: isBigEndian)
        for word in [
            interface, UInt32(truncatingIfNeeded: ticks >> 32), UInt32(truncatingIfNeeded: ticks),
            UInt32(data.count), UInt32(original ?? data.count),
        ] { body.append(word) }
        block(6, body.bytes + data)
    }

    mutating func simplePacket(_ data: [UInt8], original: Int? = nil) {
        var body = CaptureBytes(isBigEndian: isBigEndian)
        body.append(UInt32(original ?? data.count))
        block(3, body.bytes + data)
    }

    mutating func join(_ first: CaptureBytes, _ second: CaptureBytes) {
        bytes += first.bytes + second.bytes
    }

    mutating func cut(to count: Int) { bytes = Array(bytes.prefix(count)) }

    /// A file for as long as `body` takes.
    func withFile<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.path + "/vxgen-\(UUID().uuidString).pcap"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}
