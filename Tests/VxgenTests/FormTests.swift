import Generator
import Testing

/// What is typed on the command line: every form, and what is none.
@Suite struct FormTests {
    @Test func ratesHaveUnits() {
        #expect(Rate("600pps") == .packetsPerSecond(600))
        #expect(Rate("1Mpps") == .packetsPerSecond(1e6))
        #expect(Rate("2.5kpps") == .packetsPerSecond(2500))
        #expect(Rate("2Gbit/s") == .bitsPerSecond(2e9))
        #expect(Rate("100Mbps") == .bitsPerSecond(1e8))
        #expect(Rate("max") == .unlimited)
    }

    @Test(arguments: [
        "", "1", "pps", "-1pps", "0pps", "1.2.3pps", "1Mb", "1MMpps", "1 Mpps", "2Gpps", "nan",
        "infpps", "Max", "1e3pps",
    ])
    func whatIsNoRateIsRefused(text: String) {
        #expect(Rate(text) == nil)
    }

    @Test func bitsAreThoseOfFramesWithTheirCheckSequence() {
        #expect(Rate("512Mbit/s")?.packetsPerSecond(meanByteCount: 64) == 1e6)
        #expect(Rate("max")?.packetsPerSecond(meanByteCount: 64) == nil)
    }

    @Test func sizesAreOneOrManyOrAMix() {
        #expect(FrameSizes("64")?.pattern == [64])
        #expect(FrameSizes("64,512,1518")?.pattern == [64, 512, 1518])
        let mix = FrameSizes("imix")?.pattern ?? []
        #expect(mix.count == 12)
        for (size, count) in [(64, 7), (594, 4), (1518, 1)] {
            #expect(mix.filter { $0 == size }.count == count)
        }
        #expect(FrameSizes("64,128")?.meanByteCount == 96)
    }

    /// RFC 6985 sections 4 and 5.
    @Test func sizesMayBeAGenome() {
        #expect(
            FrameSizes("abcdefghi")?.pattern == [64, 128, 256, 512, 1024, 1280, 1518, 2112, 9000])
        #expect(FrameSizes("aaAB,A=100,B=9216")?.pattern == [64, 64, 100, 9216])
        #expect(FrameSizes("aaaaaaaAAAAg,A=594")?.pattern == FrameSizes("imix")?.pattern)
        for text in ["k", "aA", "A=5", "aA,A=63", "A,A=64,B", "A,a=64", "aA,A=", "a,", "AB,AB=64"] {
            #expect(FrameSizes(text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["", "63", "9217", "64,", ",64", "64,63", "IMIX", "64 128", "-64", "0x40"])
    func whatIsNoSizeIsRefused(text: String) {
        #expect(FrameSizes(text) == nil)
    }

    @Test func durationsHaveUnits() {
        #expect(RunDuration("10s")?.nanoseconds == 10_000_000_000)
        #expect(RunDuration("500ms")?.nanoseconds == 500_000_000)
        #expect(RunDuration("1.5m")?.nanoseconds == 90_000_000_000)
        #expect(RunDuration("1h")?.nanoseconds == 3_600_000_000_000)
    }

    @Test(arguments: ["", "10", "s", "0s", "-1s", "169h", "1d", "1 s", "0.0000001ms"])
    func whatIsNoDurationIsRefused(text: String) {
        #expect(RunDuration(text) == nil)
    }
}
