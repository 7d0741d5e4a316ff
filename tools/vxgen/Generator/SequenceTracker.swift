internal import Memory

/// Which frames of each stream have arrived, in what order and how often.
///
/// For each stream the number after the highest seen, and a window of bits over the numbers below
/// it. A frame below the highest is reordered (RFC 4737 section 3), one whose bit is set a
/// duplicate. One older than the window counts as reordered: nobody remembers whether it came
/// before.
///
/// Numbers are compared modulo 2^32, so that a stream never ends.
///
/// Thread-safety: its owner's thread. Capacity: about 2^20 bits for all streams together, at
/// least 64 and at most 65,536 for each. A trivial handle; `deallocate()` ends it.
@safe
public struct SequenceTracker: Sendable {
    private let next: Column<UInt32>
    private let bits: Column<UInt64>
    /// Numbers that one stream remembers; a power of two.
    public let window: Int

    public enum Outcome: Sendable {
        case inOrder, reordered, duplicated
    }

    public init(streams: Int) {
        precondition((1...Stamp.maximumStreams).contains(streams))
        var window = 65536
        while window > 64 && window * streams > 1 << 20 { window /= 2 }
        self.window = window
        next = Column(count: streams, repeating: 0)
        bits = Column(count: streams * window / 64, repeating: 0)
    }

    public func deallocate() {
        next.deallocate()
        bits.deallocate()
    }

    public var streams: Int { @_noLocks get { next.count } }

    /// - Precondition: `stream` is below the number of streams.
    @_noLocks
    public func record(stream: Int, sequence: UInt32) -> Outcome {
        let expected = next[stream]
        let ahead = Int(Int32(bitPattern: sequence &- expected))
        if ahead >= 0 {
            forget(stream, from: expected, count: ahead)
            _ = mark(stream, sequence)
            next[stream] = sequence &+ 1
            return .inOrder
        }
        guard -ahead <= window else { return .reordered }
        return mark(stream, sequence) ? .duplicated : .reordered
    }

    /// Sets the bit of a number; whether it was set already.
    @_noLocks
    private func mark(_ stream: Int, _ sequence: UInt32) -> Bool {
        let place = Int(sequence) & (window &- 1)
        let word = stream &* (window &>> 6) &+ place &>> 6
        let bit = (1 as UInt64) &<< UInt64(place & 63)
        let old = bits[word]
        bits[word] = old | bit
        return old & bit != 0
    }

    /// Clears the bits of `count` numbers that were jumped over, and of the one after them.
    @_noLocks
    private func forget(_ stream: Int, from sequence: UInt32, count: Int) {
        let base = stream &* (window &>> 6)
        guard count < window else {
            for word in base..<(base &+ window &>> 6) { bits[word] = 0 }
            return
        }
        for step in 0...count {
            let place = Int(sequence &+ UInt32(truncatingIfNeeded: step)) & (window &- 1)
            let bit = (1 as UInt64) &<< UInt64(place & 63)
            bits[base &+ place &>> 6] &= ~bit
        }
    }
}
