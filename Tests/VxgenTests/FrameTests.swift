import Generator
import Memory
import Testing
import Wire

/// Frames from the writer to the observer, over a wire in memory that does what it is told.
@Suite struct FrameTests {
    /// Makes frames as a sending thread does.
    @safe
    final class Source {
        let writer: FrameWriter
        var flows: [Flow]
        let sizes: FrameSizes
        private let head: Int
        private var number = 0

        init(
            flows count: Int, sizes: FrameSizes, magic: UInt32 = 0x56_1234,
            vlans: ClosedRange<UInt16>? = nil
        ) {
            self.sizes = sizes
            var space = FlowSpace(
                source: IPv4Prefix("10.1.0.0/16")!, destination: IPv4Prefix("10.2.0.0/16")!,
                seed: 9)
            space.vlans = vlans
            writer = FrameWriter(
                streams: [StreamPlan(sizes: sizes, space: space)], magic: magic)
            head = FrameWriter.headByteCount + (vlans == nil ? 0 : 4)
            flows = (0..<count).map { Flow(UInt32($0), in: space) }
        }

        deinit { writer.deallocate() }

        func next(time: UInt64 = 1000) -> [UInt8] {
            let stream = number % flows.count
            let step = number % sizes.pattern.count
            number += 1
            let fill = writer.fillView(step)
            var bytes = [UInt8](repeating: 0, count: head + fill.count)
            FrameTests.view(&bytes) { frame in
                writer.write(
                    flows[stream], number: UInt32(stream), step: step, time: time,
                    to: frame.prefix(head))
            }
            for index in 0..<fill.count {
                bytes[head + index] = fill.loadUInt8(at: index)
            }
            flows[stream].sequence &+= 1
            return bytes
        }
    }

    /// Counts as a receiving thread does.
    final class Sink {
        private let region = PageRegion(byteCount: Tally.byteCount(streams: 1))
        private let buckets = PageRegion(byteCount: LatencyHistogram.byteCount(streams: 1))
        let tally: Tally
        let histogram: LatencyHistogram
        private let observer: Observer

        init(flows: Int, magic: UInt32 = 0x56_1234) {
            tally = Tally(region: region, streams: 1)
            histogram = LatencyHistogram(region: buckets, streams: 1)
            var stream = StreamPlan(
                sizes: FrameSizes("64")!,
                space: FlowSpace(
                    source: IPv4Prefix("10.1.0.0/16")!, destination: IPv4Prefix("10.2.0.0/16")!,
                    seed: 9))
            stream.flows = flows
            observer = Observer(
                magic: magic, streams: [stream], tally: tally, histogram: histogram)
        }

        deinit { observer.deallocate() }

        func take(
            _ frame: [UInt8], segmentSize: Int = 0, isPartial: Bool = false, time: UInt64 = 5000
        ) {
            var frame = frame
            FrameTests.view(&frame) { frame in
                observer.observe(
                    frame, segmentSize: segmentSize, isChecksumPartial: isPartial, strippedBytes: 0,
                    time: time)
            }
        }

        func expect(
            received: UInt64, reordered: UInt64 = 0, duplicated: UInt64 = 0,
            corrupted: UInt64 = 0, location: SourceLocation = #_sourceLocation
        ) {
            #expect(tally.sum(.receivedPackets) == received, sourceLocation: location)
            #expect(tally.sum(.reordered) == reordered, sourceLocation: location)
            #expect(tally.sum(.duplicated) == duplicated, sourceLocation: location)
            #expect(tally.sum(.corrupted) == corrupted, sourceLocation: location)
        }
    }

    static func view(_ bytes: inout [UInt8], _ body: (FrameView) -> Void) {
        unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            body(unsafe FrameView(base: base, count: bytes.count))
        }
    }

    @Test(arguments: ["64", "65", "594", "1518", "9216", "64,512,1518", "imix"])
    func framesAreWholeAndCounted(text: String) throws {
        let sizes = try #require(FrameSizes(text))
        let source = Source(flows: 3, sizes: sizes)
        let sink = Sink(flows: 3)
        var bytes = 0
        for number in 0..<120 {
            let frame = source.next()
            #expect(frame.count == sizes.pattern[number % sizes.pattern.count] - 4)
            bytes += frame.count + 4
            sink.take(frame)
        }
        sink.expect(received: 120)
        #expect(sink.tally.sum(.receivedBytes) == UInt64(bytes))
        #expect(sink.tally.sum(.longest) == 4000 && sink.tally.sum(.lastReceived) == 5000)
        #expect(sink.histogram.percentiles(longest: 4000)?.p50 == 4000)
    }

    @Test func headersAreRight() throws {
        var bytes = Source(flows: 1, sizes: try #require(FrameSizes("129"))).next()
        Self.view(&bytes) { frame in
            let ip = IPv4Header(frame: frame, at: 14)
            #expect(ip.check() == .valid && ip.totalLength == 111 && ip.dontFragment)
            let udp = UDPHeader(frame: frame, at: 34)
            #expect(udp.check() == .valid && udp.length == 91 && udp.checksum != 0)
            #expect(
                udp.hasValidChecksum(
                    pseudoHeader: InternetChecksum.pseudoHeaderIPv4(
                        source: ip.source, destination: ip.destination,
                        protocolNumber: ProtocolNumber.udp, length: 91)))
        }
    }

    /// Exact numbers for each kind of fault on its own and for all of them together.
    @Test func faultsAreCountedExactly() throws {
        let source = Source(flows: 4, sizes: try #require(FrameSizes("64,128")))
        let sink = Sink(flows: 4)
        var dropped: UInt64 = 0
        var duplicated: UInt64 = 0
        var reordered: UInt64 = 0
        var corrupted: UInt64 = 0
        var passed: UInt64 = 0
        var late: [[UInt8]] = []
        for number in 0..<10_000 {
            var frame = source.next()
            switch number {
            case _ where number % 100 == 7:
                dropped += 1
                continue
            case _ where number % 100 == 13:
                sink.take(frame)
                duplicated += 1
            case _ where number % 100 == 29:
                late.append(frame)
                continue
            case _ where number % 100 == 31:
                frame[50] ^= 4
                corrupted += 1
            default: break
            }
            sink.take(frame)
            passed += 1
            // Twelve frames later, three of its own stream have overtaken it.
            if number % 100 == 41, let frame = late.popLast() {
                sink.take(frame)
                reordered += 1
                passed += 1
            }
        }
        #expect(passed + dropped == 10_000)
        sink.expect(
            received: passed + duplicated, reordered: reordered, duplicated: duplicated,
            corrupted: corrupted)
        var totals = RunTotals()
        totals.isReceiving = true
        totals.sent.packets = 10_000
        totals.received.packets = sink.tally.sum(.receivedPackets)
        totals.duplicated = sink.tally.sum(.duplicated)
        #expect(totals.lost == dropped && dropped == 100)
    }

    /// No flipped bit behind the Ethernet header passes for a sound frame. In the magic, or where
    /// it makes another protocol of the frame, it makes a stranger of it.
    @Test func everyFlippedBitIsSeen() throws {
        let source = Source(flows: 1, sizes: try #require(FrameSizes("80")))
        let frame = source.next()
        var strangers = 0
        for bit in 14 * 8..<frame.count * 8 {
            let sink = Sink(flows: 1)
            var damaged = frame
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            sink.take(damaged)
            if sink.tally.sum(.receivedPackets) == 0 {
                strangers += 1
                continue
            }
            #expect(sink.tally.sum(.corrupted) == 1, "bit \(bit)")
        }
        // 24 bits of magic, 8 of version and header length, 8 of protocol, 14 of fragmentation.
        #expect(strangers >= 24 && strangers <= 24 + 8 + 8 + 14)
    }

    @Test func everyTruncationIsSeen() throws {
        let frame = Source(flows: 1, sizes: try #require(FrameSizes("80"))).next()
        for count in 0..<frame.count {
            let sink = Sink(flows: 1)
            sink.take(Array(frame.prefix(count)))
            sink.expect(
                received: count < 60 ? 0 : 1, corrupted: count < 60 ? 0 : 1)
        }
    }

    @Test func otherTrafficAndOtherRunsAreNotOurs() throws {
        let sink = Sink(flows: 1)
        sink.take(Source(flows: 1, sizes: try #require(FrameSizes("64")), magic: 0x56_1235).next())
        sink.take([UInt8](repeating: 0, count: 60))
        sink.take([])
        sink.expect(received: 0)
        // A stream that the run does not have is damage.
        let more = Source(flows: 2, sizes: try #require(FrameSizes("64")))
        sink.take(more.next())
        sink.take(more.next())
        sink.expect(received: 2, corrupted: 1)
    }

    /// A router changes MAC addresses, TTL and header checksum; a tag may be in front.
    @Test func routedAndTaggedFramesAreOurs() throws {
        let source = Source(flows: 1, sizes: try #require(FrameSizes("64")))
        let sink = Sink(flows: 1)
        var frame = source.next()
        Self.view(&frame) { frame in
            #expect(IPv4Header(frame: frame, at: 14).decrementTimeToLive())
            EthernetHeader(frame: frame, at: 0).source = MACAddress(bits: 77)
        }
        sink.take(frame)
        for tags in 1...2 {
            let tag: [UInt8] = Array(repeating: [0x81, 0, 0, 5], count: tags).flatMap { $0 }
            let frame = source.next()
            sink.take(Array(frame.prefix(12)) + tag + frame.dropFirst(12))
        }
        sink.expect(received: 3)
    }

    /// Datagrams of one flow that the network merged (UDP segmentation offload) count one by one.
    @Test func mergedDatagramsCountOneByOne() throws {
        let source = Source(flows: 1, sizes: try #require(FrameSizes("100")))
        let sink = Sink(flows: 1)
        var merged = source.next()
        for _ in 0..<4 { merged += source.next().dropFirst(42) }
        let payload = merged.count - 42
        Self.view(&merged) { frame in
            let ip = IPv4Header(frame: frame, at: 14)
            ip.totalLength = payload + 28
            ip.updateChecksum()
            UDPHeader(frame: frame, at: 34).length = payload + 8
        }
        sink.take(merged, segmentSize: payload / 5, isPartial: true)
        sink.expect(received: 5)
        #expect(sink.tally.sum(.receivedBytes) == 500)
    }
}
