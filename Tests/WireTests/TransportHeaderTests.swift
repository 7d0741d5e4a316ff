import TestKit
import Testing
import Wire

@Suite struct TransportHeaderTests {
    let arena = FrameArena()

    @Test func `UDP: what was emitted is read, and lengths are checked`() {
        let frame = arena.frame(count: 12)
        let header = UDPHeader(frame: frame, at: 0)
        header.emit(sourcePort: 50_000, destinationPort: 4789, length: 12, checksum: 0xABCD)
        #expect(header.check() == .valid)
        #expect(header.sourcePort == 50_000 && header.destinationPort == 4789)
        #expect(header.length == 12 && header.checksum == 0xABCD)
        arena.forEachTruncation(of: frame.bytes) { frame in
            #expect(
                UDPHeader(frame: frame, at: 0).check()
                    == (frame.count < 8 ? .truncated : .badLength))
        }
        header.length = 7
        #expect(header.check() == .badLength)
        header.length = 8
        #expect(header.check() == .valid)
    }

    @Test func `UDP: each flipped bit breaks the checksum`() {
        let bytes = FrameBuilder.empty.ipv4(source: Sample.ipA, destination: Sample.ipB)
            .udp(sourcePort: 1, destinationPort: 2).payload(count: 11).bytes
        let pseudoHeader = InternetChecksum.pseudoHeaderIPv4(
            source: Sample.ipA, destination: Sample.ipB, protocolNumber: 17, length: 19)
        let right = UDPHeader(frame: arena.frame(bytes), at: 20)
        #expect(right.hasValidChecksum(pseudoHeader: pseudoHeader))
        arena.forEachFlip(of: bytes) { frame, byte in
            let header = UDPHeader(frame: frame, at: 20)
            guard byte >= 20, header.check() == .valid else { return }
            #expect(!header.hasValidChecksum(pseudoHeader: pseudoHeader))
        }
    }

    @Test func `TCP: what was emitted is read`() {
        let frame = arena.frame(count: 20)
        let header = TCPHeader(frame: frame, at: 0)
        header.emit(
            sourcePort: 1, destinationPort: 2, sequenceNumber: 0xDEAD_BEEF,
            acknowledgmentNumber: 7, flags: TCPHeader.Flag.ack | TCPHeader.Flag.fin, window: 99,
            checksum: 0x1234)
        #expect(header.check() == .valid && header.headerByteCount == 20)
        #expect(header.sourcePort == 1 && header.destinationPort == 2)
        #expect(header.sequenceNumber == 0xDEAD_BEEF && header.acknowledgmentNumber == 7)
        #expect(header.flags == 0x11 && header.window == 99 && header.checksum == 0x1234)
        #expect(
            frame.bytes
                == FrameBuilder.empty.tcp(
                    sourcePort: 1, destinationPort: 2, sequenceNumber: 0xDEAD_BEEF,
                    acknowledgmentNumber: 7, flags: 0x11, window: 99, checksum: .given(0x1234)
                ).bytes)
    }

    @Test func `TCP: headers cut short or too short are refused`() {
        let bytes = FrameBuilder.empty.tcp(
            sourcePort: 1, destinationPort: 2, options: [1, 1, 1, 0]
        ).bytes
        arena.forEachTruncation(of: bytes) {
            #expect(TCPHeader(frame: $0, at: 0).check() == .truncated)
        }
        for dataOffset in UInt8(0)..<16 {
            let frame = arena.frame(bytes)
            frame.store(dataOffset << 4, at: 12)
            let expected: TCPHeader.Check =
                dataOffset < 5 ? .badDataOffset : dataOffset <= 6 ? .valid : .truncated
            #expect(TCPHeader(frame: frame, at: 0).check() == expected)
        }
    }

    @Test func `TCP: each flipped bit breaks the checksum`() {
        let bytes = FrameBuilder.empty.ipv4(source: Sample.ipA, destination: Sample.ipB)
            .tcp(sourcePort: 1, destinationPort: 2).payload(count: 10).bytes
        let pseudoHeader = InternetChecksum.pseudoHeaderIPv4(
            source: Sample.ipA, destination: Sample.ipB, protocolNumber: 6, length: 30)
        let right = TCPHeader(frame: arena.frame(bytes), at: 20)
        #expect(right.hasValidChecksum(pseudoHeader: pseudoHeader, length: 30))
        arena.forEachFlip(of: bytes) { frame, byte in
            guard byte >= 20 else { return }
            let header = TCPHeader(frame: frame, at: 20)
            #expect(!header.hasValidChecksum(pseudoHeader: pseudoHeader, length: 30))
        }
    }

    @Test func `ICMP: an echo request becomes its reply`() {
        for count in [0, 1, 8, 56, 1400] {
            let request = FrameBuilder.empty.icmp(type: 8, rest: 0x1234_0007).payload(count: count)
            let reply = FrameBuilder.empty.icmp(type: 0, rest: 0x1234_0007).payload(count: count)
            let frame = arena.frame(request.bytes)
            let message = ICMPv4(frame: frame, at: 0, length: frame.count)
            #expect(message.check() == .valid && message.type == 8 && !message.isError)
            #expect(message.identifier == 0x1234 && message.sequence == 7)
            message.rewriteToEchoReply()
            #expect(message.check() == .valid)
            #expect(frame.bytes == reply.bytes)
            message.emitEcho(type: 8, identifier: 0x1234, sequence: 7)
            #expect(frame.bytes == request.bytes)
        }
    }

    @Test func `ICMP: a reply of nothing but zeros has a right checksum`() {
        // Found by the fuzzer: identifier, sequence and data zero.
        for count in [0, 1, 56] {
            let zeros = [UInt8](repeating: 0, count: count)
            let frame = arena.frame(FrameBuilder.empty.icmp(type: 8, rest: 0).payload(zeros).bytes)
            let message = ICMPv4(frame: frame, at: 0, length: frame.count)
            message.rewriteToEchoReply()
            #expect(message.check() == .valid && message.checksum == 0xFFFF)
        }
    }

    @Test func `ICMP: a message cut short or flipped is refused`() {
        let bytes = FrameBuilder.empty.icmp(type: 8).payload(count: 8).bytes
        arena.forEachTruncation(of: bytes) { frame in
            #expect(ICMPv4(frame: frame, at: 0, length: bytes.count).check() == .truncated)
        }
        for length in [Int.min, -1, 0, 7, bytes.count + 1, Int.max] {
            #expect(ICMPv4(frame: arena.frame(bytes), at: 0, length: length).check() == .truncated)
        }
        arena.forEachFlip(of: bytes) { frame, _ in
            #expect(ICMPv4(frame: frame, at: 0, length: frame.count).check() == .badChecksum)
        }
    }

    @Test func `ICMP: an error quotes no more than it may`() {
        let original = arena.frame(
            FrameBuilder.empty.ipv4(source: Sample.ipA, destination: Sample.ipB)
                .udp(sourcePort: 1, destinationPort: 2).payload(count: 2000).bytes)
        for (room, expected) in [(2000, 556), (556, 556), (555, 555), (36, 36), (8, 8), (7, 0)] {
            let frame = arena.frame(count: 2004)
            let message = ICMPv4(frame: frame, at: 2, length: room)
            let length = message.emitError(
                type: ICMPv4.MessageType.unreachable,
                code: ICMPv4.UnreachableCode.fragmentationNeeded, nextHopMTU: 1450,
                original: original)
            #expect(length == expected)
            let rest = frame.bytes(at: 2 + length, 2002 - length)
            #expect(rest == [UInt8](repeating: 0xA5, count: rest.count))
            guard length > 0 else { continue }
            let written = ICMPv4(frame: frame, at: 2, length: length)
            #expect(written.check() == .valid && written.isError)
            #expect(written.code == 4 && written.nextHopMTU == 1450)
            #expect(frame.bytes(at: 10, length - 8) == original.bytes(at: 0, length - 8))
        }
    }
}
