import Dataplane
import FuzzDriver
import TestKit
import Wire

/// Completes, infers and cuts by metadata that anybody may have made up.
enum SegmentationProbe {
    static func run(_ bytes: [UInt8], _ asked: Segmentation) {
        let arena = FrameArena()
        complete(arena.frame(bytes), asked)
        cut(arena.frame(bytes), asked)
        for limit in [1450, 100, 60, 0, -1, Int.min, Int.max] {
            let frame = arena.frame(bytes)
            if let found = Segmentation.inferred(from: frame, maximumPacketByteCount: limit) {
                cut(frame, found)
                complete(frame, found)
            }
        }
        let frame = arena.frame(bytes)
        guard let found = Segmentation.unfinishedChecksum(in: frame) else { return }
        FuzzDriver.expect(found.completeChecksum(in: frame), "what was found can be completed")
        expectRightChecksum(frame)
    }

    /// A refusal changes nothing; success changes nothing but the field.
    private static func complete(_ frame: FrameView, _ asked: Segmentation) {
        let before = frame.bytes
        let succeeded = asked.completeChecksum(in: frame)
        let after = frame.bytes
        let field = Int(asked.checksumStart) + Int(asked.checksumOffset)
        for index in before.indices where before[index] != after[index] {
            FuzzDriver.expect(
                succeeded && asked.needsChecksum && (index == field || index == field + 1)
                    && index >= 18, "only the checksum field is written")
        }
    }

    private static func cut(_ frame: FrameView, _ asked: Segmentation) {
        guard let segmenter = Segmenter(frame: frame, segmentation: asked) else { return }
        FuzzDriver.expect(
            segmenter.headerByteCount <= Segmenter.maximumHeaderByteCount
                && (1...Segmenter.maximumSegmentCount).contains(segmenter.segmentCount),
            "limits hold")
        let before = frame.bytes
        let arena = FrameArena()
        let header = arena.frame(count: segmenter.headerByteCount)
        var next = segmenter.headerByteCount
        // A few of many, and always the last.
        for index in 0..<segmenter.segmentCount {
            guard let segment = segmenter.segment(index, header: header) else {
                FuzzDriver.expect(false, "every index has a segment")
                return
            }
            FuzzDriver.expect(segment.payloadOffset == next, "payload without gap or overlap")
            next += segment.payloadByteCount
            guard index < 4 || index == segmenter.segmentCount - 1 else { continue }
            let payload = frame.bytes(at: segment.payloadOffset, segment.payloadByteCount)
            let packet = arena.frame(header.bytes + payload)
            FuzzDriver.expect(
                packet.count - (FrameLayers.parse(packet)?.layer3Offset ?? 0)
                    <= segmenter.maximumPacketByteCount, "no segment is longer than said")
            if asked.needsChecksum { expectRightChecksum(packet) }
        }
        FuzzDriver.expect(next == FrameLayers.parse(frame)?.endOffset, "the whole payload")
        FuzzDriver.expect(segmenter.segment(segmenter.segmentCount, header: header) == nil, "end")
        FuzzDriver.expect(frame.bytes == before, "the super-packet is not changed")
    }

    private static func expectRightChecksum(_ packet: FrameView) {
        guard let layers = FrameLayers.parse(packet) else {
            FuzzDriver.expect(false, "the packet has the layers it was made with")
            return
        }
        let bytes = packet.bytes(at: layers.transportOffset, layers.transportByteCount)
        let pseudoHeader = InternetChecksum.fold(
            layers.pseudoHeader(packet, length: layers.transportByteCount))
        let sum = Int(plainSum(bytes)) + Int(pseudoHeader)
        FuzzDriver.expect(sum % 0xFFFF == 0 && sum > 0, "the transport checksum is right")
    }
}
