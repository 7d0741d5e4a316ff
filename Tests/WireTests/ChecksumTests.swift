import TestKit
import Testing
import Wire

@Suite struct ChecksumTests {
    let arena = FrameArena()

    @Test func `The example of RFC 1071 section 3`() {
        let frame = arena.frame([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])
        let sum = InternetChecksum.sum(frame, offset: 0, length: 8, initial: 0)
        #expect(InternetChecksum.fold(sum) == 0xDDF2)
        #expect(InternetChecksum.checksum(sum) == 0x220D)
    }

    @Test func `Every length up to 300 at every alignment agrees with the plain sum`() {
        var random = SeededRandom.forTest("checksum lengths")
        for length in 0...300 {
            let bytes = random.bytes(length + 8)
            let frame = arena.frame(bytes)
            for offset in 0...8 {
                let sum = InternetChecksum.sum(frame, offset: offset, length: length, initial: 0)
                #expect(
                    InternetChecksum.fold(sum) == plainSum(Array(bytes[offset..<offset + length])))
            }
        }
    }

    @Test func `The largest packets of ones and zeros neither overflow nor lose the sign of zero`()
    {
        for length in [65_534, 65_535, 65_536, 1 << 20] {
            let ones = arena.frame([UInt8](repeating: 0xFF, count: length))
            let expected: UInt16 = length % 2 == 0 ? 0xFFFF : 0xFF00
            let sum = InternetChecksum.sum(ones, offset: 0, length: length, initial: 0)
            #expect(InternetChecksum.fold(sum) == expected)
            let zeros = arena.frame([UInt8](repeating: 0, count: length))
            #expect(InternetChecksum.sum(zeros, offset: 0, length: length, initial: 0) == 0)
        }
    }

    @Test func `A sum is right exactly when it folds to all ones`() {
        var random = SeededRandom.forTest("right sums")
        let edges: [UInt64] = [0, 1, 0xFFFE, 0xFFFF, 0x1_0000, 0x1_FFFE, 0x1_FFFF, .max, .max - 1]
        let multiples: [UInt64] = (0..<2000).map { _ in
            random.next() % (UInt64.max / 0xFFFF) * 0xFFFF
        }
        let near: [UInt64] = multiples.flatMap { [$0, $0 &+ 1, $0 &- 1, $0 &+ 0xFFFF] }
        let others: [UInt64] = (0..<2000).map { _ in
            random.next() >> UInt64(random.int(in: 0...63))
        }
        for sum in edges + near + others {
            #expect(
                InternetChecksum.isRight(sum) == (InternetChecksum.fold(sum) == 0xFFFF), "\(sum)")
        }
    }

    @Test func `Ranges chain and folding takes any sum`() {
        var random = SeededRandom.forTest("checksum chains")
        for _ in 0..<500 {
            let bytes = random.bytes(random.int(in: 2...2000))
            let cut = random.int(in: 0...bytes.count / 2) * 2
            let frame = arena.frame(bytes)
            let first = InternetChecksum.sum(frame, offset: 0, length: cut, initial: 0)
            let both = InternetChecksum.sum(
                frame, offset: cut, length: bytes.count - cut, initial: first)
            #expect(InternetChecksum.fold(both) == plainSum(bytes))
            let any = random.next()
            #expect(InternetChecksum.fold(any) == UInt16((any - 1) % 0xFFFF + 1))
        }
        #expect(InternetChecksum.fold(0) == 0)
        #expect(InternetChecksum.fold(.max) == 0xFFFF)
    }

    @Test func `An incremental update equals a full recompute`() {
        var random = SeededRandom.forTest("checksum updates")
        for round in 0..<20_000 {
            var bytes = random.bytes(20)
            bytes[0] = 0x45
            let checksum = ~plainSum(bytes)
            let isWide = random.bool()
            let offset = random.int(in: 1...(isWide ? 8 : 9)) * 2
            let width = isWide ? 4 : 2
            var new = random.bytes(width)
            if round % 7 == 0 { new = [UInt8](repeating: round % 2 == 0 ? 0 : 0xFF, count: width) }
            let old = Array(bytes[offset..<offset + width])
            bytes.replaceSubrange(offset..<offset + width, with: new)
            let updated =
                isWide
                ? InternetChecksum.updated(
                    checksum, replacing: word(old), with: word(new))
                : InternetChecksum.updated(
                    checksum, replacing: UInt16(word(old)), with: UInt16(word(new)))
            #expect(updated == ~plainSum(bytes))
        }
    }

    @Test func `Pseudo-headers equal their bytes`() {
        var random = SeededRandom.forTest("pseudo-headers")
        for _ in 0..<500 {
            let source = UInt32(truncatingIfNeeded: random.next())
            let destination = UInt32(truncatingIfNeeded: random.next())
            let length = random.int(in: 0...65_535)
            let tail = [0, 17] + [UInt8(length >> 8), UInt8(length & 255)]
            let four = InternetChecksum.pseudoHeaderIPv4(
                source: IPv4Address(bits: source), destination: IPv4Address(bits: destination),
                protocolNumber: 17, length: length)
            #expect(
                InternetChecksum.fold(four) == plainSum(octets(source) + octets(destination) + tail)
            )
            let addresses = random.bytes(32)
            let six = InternetChecksum.pseudoHeaderIPv6(
                arena.frame(addresses), addressOffset: 0, protocolNumber: 17, length: length)
            #expect(InternetChecksum.fold(six) == plainSum(addresses + tail))
        }
    }

    @Test func `A UDP checksum is never zero`() {
        #expect(InternetChecksum.checksum(0xFFFF) == 0)
        #expect(InternetChecksum.checksumUDP(0xFFFF) == 0xFFFF)
        #expect(InternetChecksum.checksumUDP(0x1234) == ~0x1234)
    }

    private func word(_ bytes: [UInt8]) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private func octets(_ word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(word >> UInt32(24 - 8 * $0) & 255) }
    }
}
