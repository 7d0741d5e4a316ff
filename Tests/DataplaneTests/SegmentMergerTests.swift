import Dataplane
import TestKit
import Testing
import Wire

@Suite struct SegmentMergerTests {
    let arena = FrameArena()
    typealias Given = SegmentationTests

    /// What is special of one segment; everything else is as its neighbours have it.
    struct Change {
        var sequence: UInt32 = 0
        var flags: UInt8 = 0x10
        var acknowledgment: UInt32 = 2
        var window: UInt16 = 65535
        var options: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
        var typeOfService: UInt8 = 0
        var timeToLive: UInt8 = 64
        var sourcePort: UInt16 = 1
        var identification: UInt16?
        var fragment: UInt16 = 0x4000
        var checksum = FrameBuilder.Checksum.right
        var headerChecksum = FrameBuilder.Checksum.right
        var isIPv6 = false
    }

    private func segment(
        _ payload: [UInt8], sequence: UInt32, identification: UInt16, _ change: Change = Change()
    ) -> FrameView {
        let ethernet = FrameBuilder.ethernet(destination: Given.macB, source: Given.macA)
        let network =
            change.isIPv6
            ? ethernet.ipv6(
                source: Given.ip6A, destination: Given.ip6B, hopLimit: change.timeToLive,
                trafficClass: change.typeOfService)
            : ethernet.ipv4(
                source: Given.ipA, destination: Given.ipB, timeToLive: change.timeToLive,
                typeOfService: change.typeOfService,
                identification: change.identification ?? identification,
                fragment: change.fragment, checksum: change.headerChecksum)
        return arena.frame(
            network.tcp(
                sourcePort: change.sourcePort, destinationPort: 2,
                sequenceNumber: sequence &+ change.sequence,
                acknowledgmentNumber: change.acknowledgment, flags: change.flags,
                window: change.window, options: change.options, checksum: change.checksum
            ).payload(payload).bytes)
    }

    /// Two segments of 100 bytes that follow each other, the second changed.
    private func second(_ change: Change, size: Int = 100) -> Bool {
        var first = Change()
        first.isIPv6 = change.isIPv6
        first.fragment = change.fragment
        guard
            var merger = SegmentMerger(
                segment([UInt8](repeating: 7, count: 100), sequence: 1000, identification: 5, first)
            )
        else { return false }
        return merger.take(
            segment(
                [UInt8](repeating: 8, count: size), sequence: 1100, identification: 6, change))
    }

    @Test func `Cutting what was merged gives the segments back`() throws {
        var random = SeededRandom.forTest("merge")
        for round in 0..<120 {
            let size = random.int(in: 1...1400)
            let count = random.int(in: 1...40)
            let payload = random.bytes(size * (count - 1) + random.int(in: 1...size))
            var change = Change()
            change.isIPv6 = round % 2 == 1
            let start = UInt32.max - UInt32(random.int(in: 0...40_000))
            var frames: [FrameView] = []
            for index in 0..<count {
                let range = index * size..<min((index + 1) * size, payload.count)
                change.flags = index == count - 1 ? 0x18 : 0x10
                frames.append(
                    segment(
                        Array(payload[range]), sequence: start &+ UInt32(index * size),
                        identification: UInt16(index), change))
            }
            var merger = try #require(SegmentMerger(frames[0]))
            for frame in frames.dropFirst() {
                let isTaken = merger.take(frame)
                try #require(isTaken)
            }
            #expect(merger.segmentCount == count && merger.payloadByteCount == payload.count)
            let merged = arena.frame(count: merger.headerByteCount + payload.count)
            let metadata = merger.writeHeader(merged)
            for (index, byte) in payload.enumerated() {
                merged.store(byte, at: merger.headerByteCount + index)
            }
            try expectCut(of: merged, metadata, gives: frames)
        }
    }

    private func expectCut(
        of merged: FrameView, _ metadata: Segmentation, gives frames: [FrameView]
    ) throws {
        guard frames.count > 1 else { return }
        let segmenter = try #require(Segmenter(frame: merged, segmentation: metadata))
        try #require(segmenter.segmentCount == frames.count)
        for (index, frame) in frames.enumerated() {
            let header = arena.frame(count: Segmenter.maximumHeaderByteCount)
            let cut = try #require(segmenter.segment(index, header: header))
            let bytes =
                header.bytes(at: 0, cut.headerByteCount)
                + merged.bytes(at: cut.payloadOffset, cut.payloadByteCount)
            #expect(bytes == frame.bytes, "segment \(index) of \(frames.count)")
        }
    }

    @Test func `The next segment of the flow is taken`() {
        #expect(second(Change()))
        #expect(second(Change(), size: 40))
        #expect(second(Change(isIPv6: true)))
        #expect(second(Change(flags: 0x18)))
        #expect(second(Change(identification: 99)), "DF set: the identification says nothing")
        #expect(second(Change(fragment: 0)), "DF clear, the next identification")
    }

    @Test(arguments: [
        ("sequence", Change(sequence: 1)), ("FIN", Change(flags: 0x11)),
        ("no ACK", Change(flags: 0)), ("CWR", Change(flags: 0x90)),
        ("acknowledgment", Change(acknowledgment: 3)), ("window", Change(window: 1)),
        ("options", Change(options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 3])),
        ("fewer options", Change(options: [])), ("TOS", Change(typeOfService: 1)),
        ("TTL", Change(timeToLive: 63)), ("port", Change(sourcePort: 9)),
        ("identification", Change(identification: 99, fragment: 0)),
        ("fragment", Change(fragment: 0x2000)), ("checksum", Change(checksum: .given(0xDEAD))),
        ("header checksum", Change(headerChecksum: .given(0xDEAD))),
        ("IPv6 hop limit", Change(timeToLive: 63, isIPv6: true)),
    ]) func `What differs is not taken`(_ name: String, _ change: Change) {
        #expect(!second(change), "\(name)")
    }

    @Test func `A longer segment, and anything after a short or pushed one, is not taken`() throws {
        #expect(!second(Change(), size: 101))
        var merger = try #require(
            SegmentMerger(segment([1, 2, 3], sequence: 1, identification: 1)))
        let isShortTaken = merger.take(segment([4, 5], sequence: 4, identification: 2))
        let isNextTaken = merger.take(segment([6, 7], sequence: 6, identification: 3))
        #expect(isShortTaken && !isNextTaken)
        var pushed = try #require(
            SegmentMerger(segment([1, 2, 3], sequence: 1, identification: 1, Change(flags: 0x18))))
        let isTaken = pushed.take(segment([4, 5, 6], sequence: 4, identification: 2))
        #expect(!isTaken)
    }

    @Test func `A super-packet stays within 65535 bytes`() throws {
        let payload = [UInt8](repeating: 1, count: 1400)
        var merger = try #require(SegmentMerger(segment(payload, sequence: 0, identification: 0)))
        var count = 1
        while merger.take(
            segment(payload, sequence: UInt32(count * 1400), identification: UInt16(count)))
        {
            count += 1
        }
        #expect(count == (65_535 - 52) / 1400)
    }

    @Test func `Every truncation is refused without a trap`() {
        let whole = segment([UInt8](repeating: 7, count: 30), sequence: 1, identification: 1).bytes
        for length in 0..<whole.count {
            #expect(SegmentMerger(arena.frame(Array(whole[..<length]))) == nil)
        }
    }
}
