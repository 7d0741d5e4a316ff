/// Frames of simulated hosts. Each carries in its payload where it began, for whom, and a number,
/// so that whoever gets it can tell whether it may.
struct TaggedFrame {
    struct Tag: Hashable {
        var vsi: UInt8
        var origin: UInt16
        var target: UInt16
        var number: UInt32
        /// A type of ICMP, or of ARP when it is above 100.
        var kind: UInt8
    }

    static let magic: [UInt8] = [0x56, 0x58, 0x53, 0x4D]
    static let arpKind: UInt8 = 100

    static func mac(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        bytes[offset..<offset + 6].reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    static func half(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    static func octets(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }

    static func isARP(_ bytes: [UInt8]) -> Bool { bytes.count >= 42 && half(bytes, 12) == 0x0806 }

    static func isICMP(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 42 && half(bytes, 12) == 0x0800 && bytes[14] == 0x45 && bytes[23] == 1
    }

    /// The tag of a frame, or of the packet that an ICMP error is about.
    static func tag(_ bytes: [UInt8]) -> Tag? {
        if isARP(bytes) { return tag(bytes, at: 42, kind: arpKind + bytes[21]) }
        guard isICMP(bytes) else { return tag(bytes, at: 14, kind: 255) }
        let type = bytes[34]
        guard type == 3 || type == 11 else { return tag(bytes, at: 42, kind: type) }
        return tag(bytes, at: 70, kind: type)
    }

    private static func tag(_ bytes: [UInt8], at offset: Int, kind: UInt8) -> Tag? {
        guard bytes.count >= offset + 13, Array(bytes[offset..<offset + 4]) == magic else {
            return nil
        }
        return Tag(
            vsi: bytes[offset + 4], origin: half(bytes, offset + 5),
            target: half(bytes, offset + 7), number: word(bytes, offset + 9), kind: kind)
    }

    static func bytes(_ tag: Tag) -> [UInt8] {
        magic + [tag.vsi] + octets(UInt64(tag.origin), 2) + octets(UInt64(tag.target), 2)
            + octets(UInt64(tag.number), 4)
    }

    // MARK: Making

    /// ICMP echo; `tag.kind` 8 is the question and 0 the answer.
    static func echo(
        source: UInt64, destination: UInt64, from: UInt32, to: UInt32, tag: Tag
    ) -> [UInt8] {
        let payload = bytes(tag) + [UInt8](repeating: tag.kind, count: 11)
        var message: [UInt8] = [tag.kind, 0, 0, 0] + octets(UInt64(tag.number), 4) + payload
        let sum = checksum(message, 0, message.count)
        message.replaceSubrange(2..<4, with: octets(UInt64(sum), 2))
        var header: [UInt8] =
            [0x45, 0] + octets(UInt64(20 + message.count), 2)
            + [0, 0, 0x40, 0, 64, 1, 0, 0] + octets(UInt64(from), 4) + octets(UInt64(to), 4)
        let headerSum = checksum(header, 0, 20)
        header.replaceSubrange(10..<12, with: octets(UInt64(headerSum), 2))
        return octets(destination, 6) + octets(source, 6) + [8, 0] + header + message
    }

    /// A frame of no protocol, for whoever hears it.
    static func opaque(source: UInt64, destination: UInt64, tag: Tag) -> [UInt8] {
        octets(destination, 6) + octets(source, 6) + [0x99, 0x99] + bytes(tag)
            + [UInt8](repeating: 0, count: 33)
    }

    static func arp(
        _ operation: UInt64, source: UInt64, destination: UInt64, senderMAC: UInt64,
        senderIP: UInt32, targetMAC: UInt64, targetIP: UInt32, tag: Tag
    ) -> [UInt8] {
        octets(destination, 6) + octets(source, 6) + [8, 6, 0, 1, 8, 0, 6, 4]
            + octets(operation, 2) + octets(senderMAC, 6) + octets(UInt64(senderIP), 4)
            + octets(targetMAC, 6) + octets(UInt64(targetIP), 4) + bytes(tag)
            + [UInt8](repeating: 0, count: 5)
    }

    static func checksum(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt16 {
        var sum: UInt32 = 0
        var offset = start
        while offset + 1 < start + count {
            sum += UInt32(bytes[offset]) << 8 | UInt32(bytes[offset + 1])
            offset += 2
        }
        if offset < start + count { sum += UInt32(bytes[offset]) << 8 }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
