import Dataplane
import TestKit
import Testing
import Wire

/// What a TCP sender hands over in super-packets is what the receiver's TCP gets, after cutting, a
/// network that loses, repeats, delays and damages, and merging.
@Suite struct TCPIdentityTests {
    /// A network between the two, packet by packet.
    private struct Network {
        var loss: Int
        var repetition: Int
        var delay: Int
        var damage: Int

        init(_ random: inout SeededRandom) {
            let limit = random.int(in: 0...3) == 0 ? 0 : 60
            loss = random.int(in: 0...limit)
            repetition = random.int(in: 0...limit)
            delay = random.int(in: 0...limit)
            damage = random.int(in: 0...limit)
        }

        /// Of a thousand packets so many are met by each evil.
        func carry(_ frames: [[UInt8]], _ random: inout SeededRandom) -> [[UInt8]] {
            var arrived: [[UInt8]] = []
            for var frame in frames where random.int(in: 1...1000) > loss {
                if random.int(in: 1...1000) <= damage {
                    let bit = random.int(in: 14 * 8...frame.count * 8 - 1)
                    frame[bit / 8] ^= 1 << UInt8(bit % 8)
                }
                if frame.count < 60 { frame += random.bytes(60 - frame.count) }
                arrived.append(frame)
                if random.int(in: 1...1000) <= repetition { arrived.append(frame) }
            }
            for index in arrived.indices.dropFirst() where random.int(in: 1...1000) <= delay {
                arrived.swapAt(index, max(0, index - random.int(in: 1...8)))
            }
            return arrived
        }
    }

    /// Frames that are written to a port together.
    private struct Run {
        var merger: SegmentMerger
        var frames: [FrameView]
    }

    @Test func `What a receiver's TCP gets is what arrived, packet by packet`() throws {
        var random = SeededRandom.forTest("TCP identity")
        var merged = 0
        var total = 0
        for round in 0..<150 {
            let arena = FrameArena()
            let segments = try send(arena, &random, "round \(round)")
            let arrived = Network(&random).carry(interleave(segments, &random), &random)
            let views = arrived.map(arena.frame)
            var index = 0
            for run in runs(of: views) {
                let count = run?.frames.count ?? 1
                if let run, count > 1 {
                    merged += count
                    try expect(
                        run, arena, gives: Array(arrived[index..<index + count]),
                        "round \(round), packets from \(index) on")
                } else {
                    try #require(views[index].bytes == arrived[index])
                }
                index += count
            }
            #expect(index == arrived.count)
            total += arrived.count
        }
        print("\(merged) of \(total) packets were merged")
        #expect(merged > total / 4, "the test looks at something")
    }

    // MARK: Sending

    /// Every flow's segments, as they leave the first gateway.
    private func send(
        _ arena: FrameArena, _ random: inout SeededRandom, _ what: Comment
    ) throws -> [[[UInt8]]] {
        var flows: [[[UInt8]]] = []
        for flow in 0..<UInt16(random.int(in: 1...6)) {
            var packet = TCPPacket()
            packet.flow = flow
            packet.tag = random.int(in: 0...3) == 0 ? 7 : nil
            packet.isFragmentable = !packet.isIPv6 && random.int(in: 0...2) == 0
            packet.sequence = UInt32(truncatingIfNeeded: random.next())
            packet.identification = packet.isIPv6 ? 0 : UInt16(random.int(in: 0...65_535))
            let size = random.int(in: 1...1400)
            var frames: [[UInt8]] = []
            for _ in 0..<random.int(in: 1...5) {
                packet.advance(&random)
                if packet.isIPv6 { packet.identification = 0 }
                // Whole segments often, so that the next super-packet's could be merged with them.
                let count = random.int(in: 0...min(60, 12_000 / size))
                let rest = random.bool() ? 0 : random.int(in: 0...size)
                packet.payload = random.bytes(count * size + rest)
                frames += try cut(packet, size, arena, what)
                packet.identification &+= packet.isIPv6 ? 0 : UInt16(packet.payload.count / size)
            }
            flows.append(frames)
        }
        return flows
    }

    /// The segments of one super-packet, which are those that the sender would have sent.
    private func cut(
        _ packet: TCPPacket, _ size: Int, _ arena: FrameArena, _ what: Comment
    ) throws -> [[UInt8]] {
        let frame = arena.frame(packet.bytes(checksum: .unfinished))
        let metadata = Segmentation(
            kind: packet.isIPv6 ? .tcp6 : .tcp4, isCongestionAware: packet.flags & 0x80 != 0,
            segmentSize: UInt16(size), headerLength: UInt16(packet.payloadOffset),
            checksumStart: UInt16(packet.transportOffset), checksumOffset: 16,
            needsChecksum: true)
        let segmenter = try #require(Segmenter(frame: frame, segmentation: metadata), what)
        let expected = packet.cut(size).map { $0.bytes() }
        try #require(segmenter.segmentCount == expected.count, what)
        let header = arena.frame(count: Segmenter.maximumHeaderByteCount)
        for (index, bytes) in expected.enumerated() {
            let segment = try #require(segmenter.segment(index, header: header), what)
            let made =
                header.bytes(at: 0, segment.headerByteCount)
                + frame.bytes(at: segment.payloadOffset, segment.payloadByteCount)
            try #require(made == bytes, what)
        }
        return expected
    }

    /// One stream of packets out of several, each flow in its order, in bursts.
    private func interleave(
        _ flows: [[[UInt8]]], _ random: inout SeededRandom
    ) -> [[UInt8]] {
        var left = flows.map { $0[...] }
        var mixed: [[UInt8]] = []
        while !left.allSatisfy(\.isEmpty) {
            let flow = random.int(in: 0...left.count - 1)
            let burst = left[flow].prefix(random.int(in: 1...30))
            mixed += burst
            left[flow] = left[flow].dropFirst(burst.count)
        }
        return mixed
    }

    // MARK: Receiving

    /// The runs that a worker would write: consecutive frames as long as the merger takes them, nil
    /// for a frame that none begins with.
    private func runs(of frames: [FrameView]) -> [Run?] {
        var runs: [Run?] = []
        for frame in frames {
            if var run = runs.last ?? nil, run.frames.count < 128, run.merger.take(frame) {
                run.frames.append(frame)
                runs[runs.count - 1] = run
            } else {
                runs.append(SegmentMerger(frame).map { Run(merger: $0, frames: [frame]) })
            }
        }
        return runs
    }

    /// What the receiver's kernel reads out of a merged packet and its metadata is what arrived.
    private func expect(
        _ run: Run, _ arena: FrameArena, gives arrived: [[UInt8]], _ what: Comment
    ) throws {
        let header = arena.frame(count: run.merger.headerByteCount)
        let metadata = run.merger.writeHeader(header)
        var bytes = header.bytes
        for frame in run.frames {
            bytes += run.merger.payload(of: frame).bytes
        }
        let whole = try #require(TCPPacket(reading: bytes), what)
        try #require(bytes == whole.bytes(checksum: .unfinished), what)
        try #require(metadata.kind == (whole.isIPv6 ? .tcp6 : .tcp4), what)
        try #require(metadata.needsChecksum && metadata.checksumOffset == 16, what)
        try #require(Int(metadata.checksumStart) == whole.transportOffset, what)
        try #require(Int(metadata.headerLength) == whole.payloadOffset, what)
        let size = Int(metadata.segmentSize)
        try #require(size > 0 && bytes.count - whole.networkOffset <= 65_535, what)
        let parts = whole.cut(size)
        try #require(parts.count == arrived.count, what)
        for (part, frame) in zip(parts, arrived) {
            var expected = part
            // Of a packet that may not be fragmented the identification says nothing.
            if !part.isFragmentable, let original = TCPPacket(reading: frame) {
                expected.identification = original.identification
            }
            let bytes = expected.bytes()
            try #require(Array(frame.prefix(bytes.count)) == bytes, what)
            try #require(frame.count == bytes.count || frame.count == 60, what)
        }
    }
}
