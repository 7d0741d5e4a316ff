import TestKit
import Wire

/// A TCP packet or super-packet as its sender means it, written and read in the plainest way, and
/// cut as Linux cuts it.
struct TCPPacket: Equatable {
    typealias Given = SegmentationTests

    /// Its source port; odd ones are IPv6.
    var flow: UInt16 = 0
    var tag: UInt16?
    var typeOfService: UInt8 = 0
    var timeToLive: UInt8 = 64
    var identification: UInt16 = 0
    var isFragmentable = false
    var sequence: UInt32 = 0
    var acknowledgment: UInt32 = 0
    var flags: UInt8 = 0x10
    var window: UInt16 = 500
    var urgentPointer: UInt16 = 0
    var options: [UInt8] = []
    var payload: [UInt8] = []

    var isIPv6: Bool { flow % 2 == 1 }

    func bytes(checksum: FrameBuilder.Checksum = .right) -> [UInt8] {
        var builder = FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
        if let tag { builder = builder.vlan(tag) }
        builder =
            isIPv6
            ? builder.ipv6(
                source: Given.ip6A, destination: Given.ip6B, hopLimit: timeToLive,
                trafficClass: typeOfService, flowLabel: UInt32(flow))
            : builder.ipv4(
                source: Given.ipA, destination: Given.ipB, timeToLive: timeToLive,
                typeOfService: typeOfService, identification: identification,
                fragment: isFragmentable ? 0 : 0x4000)
        return builder.tcp(
            sourcePort: flow, destinationPort: 80, sequenceNumber: sequence,
            acknowledgmentNumber: acknowledgment, flags: flags, window: window,
            urgentPointer: urgentPointer, options: options, checksum: checksum
        ).payload(payload).bytes
    }

    /// Offsets in `bytes`.
    var networkOffset: Int { tag == nil ? 14 : 18 }
    var transportOffset: Int { networkOffset + (isIPv6 ? 40 : 20) }
    var payloadOffset: Int { transportOffset + 20 + options.count }

    /// The segments of `size` bytes of payload: CWR belongs to the first, FIN and PSH to the last.
    func cut(_ size: Int) -> [TCPPacket] {
        let count = max(1, (payload.count + size - 1) / size)
        return (0..<count).map { index in
            var segment = self
            let start = index * size
            segment.payload = Array(payload[start..<min(start + size, payload.count)])
            segment.sequence &+= UInt32(start)
            segment.identification &+= isIPv6 ? 0 : UInt16(index)
            if index > 0 { segment.flags &= 0x7F }
            if index < count - 1 { segment.flags &= 0xF6 }
            return segment
        }
    }

    init() {}

    /// Reads what `bytes` writes. Nil for other packets, and for lengths that are not sound;
    /// checksums are not looked at. What is behind the packet is padding.
    init?(reading frame: [UInt8]) {
        guard frame.count >= 54 else { return nil }
        var offset = 12
        if Self.word(frame, offset) == 0x8100 {
            tag = Self.word(frame, offset + 2)
            offset += 4
        }
        let isIPv6 = Self.word(frame, offset) == 0x86DD
        let ip = offset + 2
        let tcp = ip + (isIPv6 ? 40 : 20)
        guard frame.count >= tcp + 20 else { return nil }
        let end: Int
        if isIPv6 {
            typeOfService = frame[ip] << 4 | frame[ip + 1] >> 4
            timeToLive = frame[ip + 7]
            end = tcp + Int(Self.word(frame, ip + 4))
        } else {
            typeOfService = frame[ip + 1]
            timeToLive = frame[ip + 8]
            identification = Self.word(frame, ip + 4)
            isFragmentable = frame[ip + 6] == 0
            end = ip + Int(Self.word(frame, ip + 2))
        }
        flow = Self.word(frame, tcp)
        sequence = UInt32(Self.word(frame, tcp + 4)) << 16 | UInt32(Self.word(frame, tcp + 6))
        acknowledgment =
            UInt32(Self.word(frame, tcp + 8)) << 16 | UInt32(Self.word(frame, tcp + 10))
        flags = frame[tcp + 13]
        window = Self.word(frame, tcp + 14)
        urgentPointer = Self.word(frame, tcp + 18)
        let data = tcp + Int(frame[tcp + 12] >> 4) * 4
        guard flow % 2 == (isIPv6 ? 1 : 0), data >= tcp + 20, data <= end, end <= frame.count
        else { return nil }
        options = Array(frame[tcp + 20..<data])
        payload = Array(frame[data..<end])
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }
}

extension TCPPacket {
    /// The next thing that a flow sends, most often with one thing other than before, so that the
    /// one alone decides whether the two may be merged.
    mutating func advance(_ random: inout SeededRandom) {
        sequence &+= UInt32(payload.count)
        if flags & 0x01 != 0 { sequence &+= 1 }
        flags = 0x10
        urgentPointer = 0
        switch random.int(in: 0...13) {
        case 0: acknowledgment &+= UInt32(random.int(in: 1...3000))
        case 1: window = UInt16(random.int(in: 0...65_535))
        case 2: options = Self.options(&random)
        case 3: for index in options.indices.suffix(1) { options[index] ^= 0x40 }
        case 4: typeOfService ^= UInt8(random.int(in: 1...3))
        case 5: timeToLive = UInt8(random.int(in: 1...255))
        case 6: identification &+= UInt16(random.int(in: 1...3))
        case 7: sequence &+= UInt32(random.int(in: 1...3))
        case 8: urgentPointer = UInt16(random.int(in: 1...9000))
        case 9: flags |= [0x01, 0x20, 0x40, 0x80][random.int(in: 0...3)]
        default: break
        }
        if random.int(in: 0...3) == 0 { flags |= 0x08 }
    }

    /// Timestamps, SACK blocks, both or neither, filled up with NOP.
    private static func options(_ random: inout SeededRandom) -> [UInt8] {
        var options: [UInt8] = []
        if random.int(in: 0...3) > 0 { options += [1, 1, 8, 10] + random.bytes(8) }
        let blocks = max(0, random.int(in: -4...3))
        if blocks > 0 { options += [1, 1, 5, UInt8(2 + 8 * blocks)] + random.bytes(8 * blocks) }
        return options
    }
}
