internal import Memory
public import Wire

/// What the receiving side knows of a run: it looks at frames and counts what became of them.
///
/// Thread-safety: its thread only, except for tally and histogram. `deallocate()` ends it.
public struct Observer: Sendable {
    private let inspector: FrameInspector
    private let tracker: SequenceTracker
    private let index: StreamIndex
    private let tally: Tally
    private let histogram: LatencyHistogram

    public init(
        magic: UInt32, streams: [StreamPlan], tally: Tally, histogram: LatencyHistogram
    ) {
        let flows = streams.reduce(0) { $0 + $1.flows }
        inspector = FrameInspector(magic: magic, streams: flows)
        tracker = SequenceTracker(streams: flows)
        index = StreamIndex(streams)
        self.tally = tally
        self.histogram = histogram
    }

    public func deallocate() {
        tracker.deallocate()
        index.deallocate()
    }

    /// Counts a received frame if it is one of the run.
    /// - Parameters:
    ///   - segmentSize: payload bytes of each UDP datagram that the network merged into the
    ///     frame; 0 when it is a single one.
    ///   - isChecksumPartial: the sender left the UDP checksum to a device.
    ///   - strippedBytes: of a VLAN tag that the kernel handed over beside the frame.
    ///   - time: nanoseconds, now.
    @_noLocks
    public func observe(
        _ frame: FrameView, segmentSize: Int, isChecksumPartial: Bool, strippedBytes: Int,
        time: UInt64
    ) {
        guard
            let datagram = inspector.datagram(of: frame, isChecksumPartial: isChecksumPartial)
        else { return }
        tally.raise(.lastReceived, to: time, stream: Tally.none)
        let end = datagram.offset &+ datagram.byteCount
        let step = segmentSize >= Stamp.byteCount ? segmentSize : datagram.byteCount
        let overhead = datagram.offset &+ FrameWriter.checkByteCount &+ strippedBytes
        var offset = datagram.offset
        repeat {
            let length =
                segmentSize == 0 ? frame.count &- datagram.offset : min(step, end &- offset)
            count(datagram, at: offset, byteCount: length &+ overhead, time)
            offset &+= step
        } while offset < end
    }

    @_noLocks
    private func count(
        _ datagram: FrameInspector.Datagram, at offset: Int, byteCount: Int, _ time: UInt64
    ) {
        // The stamp has a check of its own: a frame that is damaged elsewhere still says what it
        // belongs to.
        guard let stamp = inspector.stamp(of: datagram, at: offset) else {
            return countDamaged(stream: Tally.none, byteCount)
        }
        let stream = index.stream(of: stamp.stream)
        guard datagram.isSound else { return countDamaged(stream: stream, byteCount) }
        tally.add(1, .receivedPackets, stream: stream)
        tally.add(UInt64(truncatingIfNeeded: byteCount), .receivedBytes, stream: stream)
        switch tracker.record(stream: Int(stamp.stream), sequence: stamp.sequence) {
        case .inOrder: break
        case .reordered: tally.add(1, .reordered, stream: stream)
        case .duplicated: return tally.add(1, .duplicated, stream: stream)
        }
        let latency = (time &- stamp.time) & Stamp.timeMask
        histogram.record(latency, stream: stream)
        tally.raise(.longest, to: latency, stream: stream)
    }

    @_noLocks
    private func countDamaged(stream: Int, _ byteCount: Int) {
        tally.add(1, .receivedPackets, stream: stream)
        tally.add(UInt64(truncatingIfNeeded: byteCount), .receivedBytes, stream: stream)
        tally.add(1, .corrupted, stream: stream)
    }
}
