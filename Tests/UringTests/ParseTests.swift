import Glibc
import Testing
import Uring

/// The parsers on bytes as the kernel writes them, whole and cut at every length.
@Suite struct ParseTests {
    @Test func everyLengthOfADatagramIsSafe() {
        var bytes = datagram(tos: 0xB9, segmentSize: 50, payload: 120)
        for length in 0..<bytes.count {
            let parsed = parseDatagram(&bytes, length)
            let start = ReceivedDatagram.payloadOffset
            #expect((parsed == nil) == (length < start))
            #expect((parsed?.payloadLength ?? length - start) == length - start)
        }
        let whole = parseDatagram(&bytes, bytes.count)
        #expect(whole?.sourceAddress == 0x0A01_0203)
        #expect(whole?.sourcePort == 50000)
        #expect(whole?.tos == 0xB9)
        #expect(whole?.segmentSize == 50)
        #expect(whole?.isTruncated == false)
    }

    /// Lengths inside the kernel's own header that contradict the buffer yield nil or a datagram
    /// within its bounds.
    @Test func contradictingLengthsAreRefused() {
        for offset in [0, 4, 8, 32, 56] {
            for value: UInt32 in [0, 1, 15, 16, 17, 66, 67, 0x7FFF_FFFF, 0xFFFF_FFFF] {
                var bytes = datagram(tos: 1, segmentSize: 50, payload: 120)
                bytes.replaceSubrange(offset..<offset + 4, with: octets(value))
                let parsed = parseDatagram(&bytes, bytes.count)
                #expect((parsed?.payloadLength ?? 120) == 120)
            }
        }
        var short = datagram(tos: 1, segmentSize: 50, payload: 120)
        short.replaceSubrange(0..<4, with: octets(15))
        #expect(parseDatagram(&short, short.count) == nil, "a name too short for an address")
    }

    @Test func everyLengthOfAPacketIsSafe() {
        var bytes = packet(tci: 0x2064, frame: 60)
        for length in 0..<bytes.count {
            let parsed = unsafe bytes.withUnsafeMutableBufferPointer {
                unsafe ReceivedPacket.parse(
                    buffer: $0.baseAddress!, byteCount: length, bufferID: 3)
            }
            #expect((parsed == nil) == (length < ReceivedPacket.frameOffset))
            #expect((parsed?.vlanTCI ?? 0x2064) == 0x2064)
        }
    }

    @Test func everyLengthOfATunnelFrameIsSafe() {
        var bytes = [UInt8](0..<70)
        for length in 0...70 {
            let parsed = unsafe bytes.withUnsafeMutableBufferPointer {
                unsafe ReceivedFrame.parse(
                    buffer: $0.baseAddress!, byteCount: length, bufferID: 3, capacity: 100,
                    headerByteCount: TunnelOffsets.headerByteCount)
            }
            #expect((parsed == nil) == (length < 24))
            guard let parsed else { continue }
            #expect(parsed.frameLength == length - 24)
            #expect(
                parsed.tunnelOffsets
                    == TunnelOffsets(outerTransport: 0x1514, innerNetwork: 0x1716))
        }
    }

    @Test func everyLengthOfAFrameIsSafe() {
        var bytes = [UInt8](repeating: 1, count: 70)
        for length in 0...70 {
            let parsed = unsafe bytes.withUnsafeMutableBufferPointer {
                unsafe ReceivedFrame.parse(
                    buffer: $0.baseAddress!, byteCount: length, bufferID: 3, capacity: 70)
            }
            #expect((parsed == nil) == (length < 10))
            #expect((parsed?.isTruncated ?? (length == 70)) == (length == 70))
        }
    }

    @Test func offloadHeadersSurviveAndRefuseShortRoom() {
        let header = OffloadHeader(
            flags: 1, segmentationKind: 0x81, headerLength: 54, segmentSize: 1400,
            checksumStart: 34, checksumOffset: 16)
        var bytes = [UInt8](repeating: 0xEE, count: 10)
        for room in 0..<10 {
            #expect(
                unsafe bytes.withUnsafeMutableBufferPointer {
                    unsafe !header.store(to: $0.baseAddress!, count: room)
                })
        }
        #expect(bytes == [UInt8](repeating: 0xEE, count: 10))
        let copy = unsafe bytes.withUnsafeMutableBufferPointer { buffer -> OffloadHeader? in
            unsafe header.store(to: buffer.baseAddress!, count: 10)
            return unsafe OffloadHeader.load(from: buffer.baseAddress!, count: 10)
        }
        #expect(copy == header)
        #expect(bytes == [1, 0x81, 54, 0, 0x78, 5, 34, 0, 16, 0])
        #expect(header.isSuperPacket && header.needsChecksum)
    }

    private func parseDatagram(_ bytes: inout [UInt8], _ count: Int) -> ReceivedDatagram? {
        unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe ReceivedDatagram.parse(
                buffer: $0.baseAddress!, byteCount: count, bufferID: 3)
        }
    }

    private func octets(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    private func datagram(tos: UInt8, segmentSize: UInt8, payload: Int) -> [UInt8] {
        var bytes = octets(16) + octets(48) + octets(UInt32(payload)) + octets(0)
        bytes += [2, 0, 0xC3, 0x50, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0]
        bytes += [17, 0, 0, 0, 0, 0, 0, 0] + octets(0) + octets(1) + [tos, 0, 0, 0, 0, 0, 0, 0]
        bytes += [20, 0, 0, 0, 0, 0, 0, 0] + octets(17) + octets(104)
        bytes += octets(UInt32(segmentSize)) + octets(0)
        bytes += [UInt8](repeating: 0, count: 66 - 48)
        return bytes + [UInt8](repeating: 7, count: payload)
    }

    private func packet(tci: UInt16, frame: Int) -> [UInt8] {
        var bytes = octets(20) + octets(40) + octets(UInt32(frame + 10)) + octets(0)
        bytes += [17, 0, 0, 3] + [UInt8](repeating: 0, count: 20)
        bytes += [36, 0, 0, 0, 0, 0, 0, 0] + octets(263) + octets(8)
        bytes += octets(0x51) + octets(0) + octets(0) + octets(0)
        bytes += [UInt8(tci & 255), UInt8(tci >> 8), 0x00, 0x81, 0, 0, 0, 0]
        return bytes + [UInt8](repeating: 0, count: 10 + frame)
    }
}
