import Generator
import Testing
import Wire

/// Captures of every kind, and what is none.
@Suite struct CaptureTests {
    private static func frame(_ number: UInt8, count: Int = 60) -> [UInt8] {
        [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5, number]
            + [UInt8](repeating: 0xAA, count: count - 15)
    }

    private func contents(_ capture: Capture) -> [[UInt8]] {
        capture.frames.map { frame in
            let view = capture.view(frame)
            return (0..<view.count).map { view.loadUInt8(at: $0) }
        }
    }

    @Test(arguments: [true, false], [true, false])
    func recordsAreRead(isBigEndian: Bool, isNanoseconds: Bool) throws {
        var file = CaptureBytes(isBigEndian: isBigEndian)
        file.beginRecords(isNanoseconds: isNanoseconds)
        file.record(1_700_000_000, 5, Self.frame(1))
        file.record(1_700_000_001, 999_999, Self.frame(2, count: 1514))
        file.record(1_700_000_002, 0, Self.frame(3), original: 61)
        let capture = try file.withFile { try Capture(path: $0) }
        #expect(contents(capture) == [Self.frame(1), Self.frame(2, count: 1514)])
        #expect(capture.truncated == 1 && capture.foreign == 0)
        let unit: UInt64 = isNanoseconds ? 1 : 1000
        #expect(
            capture.frames.map(\.time) == [
                1_700_000_000_000_000_000 + 5 * unit, 1_700_000_001_000_000_000 + 999_999 * unit,
            ])
    }

    @Test(arguments: [true, false]) func blocksAreRead(isBigEndian: Bool) throws {
        var file = CaptureBytes(isBigEndian: isBigEndian)
        file.section()
        file.interface()
        file.interface(resolution: 9)
        file.interface(resolution: 0x80 | 10)
        file.interface(link: 113)
        file.block(0xBAD, [1, 2, 3])
        file.packet(0, 1_700_000_000_000_001, Self.frame(1))
        file.packet(1, 1_700_000_000_000_000_002, Self.frame(2, count: 61))
        file.packet(2, 1_700_000_000 << 10 | 512, Self.frame(3))
        file.packet(3, 0, Self.frame(4))
        file.packet(9, 0, Self.frame(5))
        file.packet(0, 1_700_000_001_000_000, Self.frame(6), original: 99)
        file.simplePacket(Self.frame(7))
        let capture = try file.withFile { try Capture(path: $0) }
        #expect(
            contents(capture)
                == [Self.frame(1), Self.frame(2, count: 61), Self.frame(3), Self.frame(7)])
        #expect(capture.foreign == 2 && capture.truncated == 1)
        let second: UInt64 = 1_700_000_000_000_000_000
        #expect(
            capture.frames.map(\.time)
                == [second + 1000, second + 2, second + 500_000_000, second + 1_000_000_000])
    }

    /// Each section begins anew: byte order, interfaces.
    @Test func sectionsFollowEachOther() throws {
        var first = CaptureBytes()
        first.section()
        first.interface(resolution: 9)
        first.packet(0, 7, Self.frame(1))
        var second = CaptureBytes(isBigEndian: true)
        second.section()
        second.interface()
        second.packet(0, 8, Self.frame(2))
        var both = CaptureBytes()
        both.join(first, second)
        let capture = try both.withFile { try Capture(path: $0) }
        #expect(capture.frames.map(\.time) == [7, 8000])
    }

    @Test func whatIsCutIsUsedUpToThere() throws {
        var file = CaptureBytes()
        file.beginRecords(isNanoseconds: false)
        for number: UInt8 in 0..<4 { file.record(UInt32(number), 0, Self.frame(number)) }
        for count in 24..<file.bytes.count {
            var cut = file
            cut.cut(to: count)
            let capture = try cut.withFile { try Capture(path: $0) }
            #expect(capture.frames.count == (count - 24) / 76)
        }
    }

    @Test func whatIsNoCaptureIsRefused() throws {
        var wrongLink = CaptureBytes()
        wrongLink.beginRecords(isNanoseconds: false, link: 101)
        var short = CaptureBytes()
        short.append(0xA1B2_C3D4 as UInt32)
        var text = CaptureBytes()
        for _ in 0..<9 { text.append(0x6F6C_6C65 as UInt32) }
        for file in [wrongLink, short, text, CaptureBytes()] {
            #expect(throws: GeneratorError.self) {
                try file.withFile { _ = try Capture(path: $0) }
            }
        }
        #expect(throws: GeneratorError.self) { _ = try Capture(path: "/vxgen-no-such-file") }
        #expect(throws: GeneratorError.self) { _ = try Capture(path: "/dev/null") }
    }

    /// Bytes by chance behind every kind of beginning: never more than an error or a short list.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func noBytesAreRead(seed: UInt64) throws {
        var chance = Chance(seed: seed)
        for _ in 0..<200 {
            var file = CaptureBytes(isBigEndian: chance.next() % 2 == 0)
            if chance.next() % 2 == 0 {
                file.beginRecords(isNanoseconds: chance.next() % 2 == 0)
            } else {
                file.section()
                file.interface(resolution: UInt8(chance.next() % 256))
                file.packet(0, chance.next(), Self.frame(1))
            }
            for _ in 0..<chance.next() % 60 {
                // Small numbers look like lengths and types.
                file.append(UInt32(truncatingIfNeeded: chance.next() >> (chance.next() % 48)))
            }
            let capture = try? file.withFile { try Capture(path: $0) }
            for frame in capture?.frames ?? [] {
                #expect(frame.offset + frame.byteCount <= file.bytes.count)
            }
        }
    }
}
