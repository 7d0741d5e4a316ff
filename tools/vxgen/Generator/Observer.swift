internal import Memory
public import Wire

/// What the receiving side knows of a run: it looks at frames and counts what became of them.
///
/// Thread-safety: its thread only, except for tally and histogram. `deallocate()` ends it.
public struct Observer: Sendable {
    private let inspector: FrameInspector
    private let tracker: SequenceTracker
    private let tally: Tally
    private let histogram: LatencyHistogram

    public init(magic: UInt32, streams: Int, tally: Tally, histogram: LatencyHistogram) {
        inspector = FrameInspector(magic: magic, streams: streams)
        tracker = SequenceTracker(streams: streams)
        self.tally = tally
        self.histogram = histogram
    }

    public func deallocate() { tracker.deallocate() }

    /// Counts a received frame if it is one of the run.
    /// - Parameters:
    ///   - segmentSize: payload bytes of each UDP datagram that the network merged into the
    ///     frame; 0 when it is a single one.
    ///   - isChecksumPartial: the sender left the UDP checksum to a device.
    ///   - time: nanoseconds, now.
    @_noLocks
    public func observe(
        _ frame: FrameView, segmentSize: Int, isChecksumPartial: Bool, time: UInt64
    ) {
        guard
            let datagram = inspector.datagram(of: frame, isChecksumPartial: isChecksumPartial)
        else { return }
        tally.raise(.lastReceived, to: time)
        let end = datagram.offset &+ datagram.byteCount
        let step = segmentSize >= Stamp.byteCount ? segmentSize : datagram.byteCount
        let overhead = datagram.offset &+ FrameWriter.checkByteCount
        var offset = datagram.offset
        repeat {
            let length =
                segmentSize == 0 ? frame.count &- datagram.offset : min(step, end &- offset)
            tally.add(1, .receivedPackets)
            tally.add(UInt64(truncatingIfNeeded: length &+ overhead), .receivedBytes)
            count(datagram, at: offset, time)
            offset &+= step
        } while offset < end
    }

    @_noLocks
    private func count(_ datagram: FrameInspector.Datagram, at offset: Int, _ time: UInt64) {
        guard let stamp = inspector.stamp(of: datagram, at: offset) else {
            return tally.add(1, .corrupted)
        }
        switch tracker.record(stream: Int(stamp.stream), sequence: stamp.sequence) {
        case .inOrder: break
        case .reordered: tally.add(1, .reordered)
        case .duplicated: return tally.add(1, .duplicated)
        }
        let latency = (time &- stamp.time) & Stamp.timeMask
        histogram.record(latency)
        tally.raise(.longest, to: latency)
    }
}
