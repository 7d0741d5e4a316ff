import Generator
import Testing

/// Streams with injected faults, and the exact account of them.
@Suite struct SequenceTrackerTests {
    private func outcomes(_ sequences: [UInt32]) -> [SequenceTracker.Outcome] {
        let tracker = SequenceTracker(streams: 1)
        defer { tracker.deallocate() }
        return sequences.map { tracker.record(stream: 0, sequence: $0) }
    }

    @Test func aStreamInOrderHasNoFaults() {
        #expect(outcomes(Array(0..<1000)).allSatisfy { $0 == .inOrder })
    }

    @Test func aGapIsNoFaultOfTheFramesAroundIt() {
        #expect(outcomes([0, 1, 5, 6, 100_000, 100_001]).allSatisfy { $0 == .inOrder })
    }

    @Test func aLateFrameIsReorderedOnceAndThenADuplicate() {
        #expect(
            outcomes([0, 3, 1, 3, 1, 2, 2, 4])
                == [
                    .inOrder, .inOrder, .reordered, .duplicated, .duplicated, .reordered,
                    .duplicated, .inOrder,
                ])
    }

    @Test func numbersGoRoundAt32Bits() {
        let start = UInt32.max - 2
        let tracker = SequenceTracker(streams: 1)
        defer { tracker.deallocate() }
        // Half of the numbers ahead at most, as serial numbers go (RFC 1982).
        for step: UInt32 in [0x4000_0000, 0x8000_0000, 0xC000_0000] {
            #expect(tracker.record(stream: 0, sequence: step) == .inOrder)
        }
        for step: UInt32 in 0..<6 {
            #expect(tracker.record(stream: 0, sequence: start &+ step) == .inOrder)
        }
        #expect(tracker.record(stream: 0, sequence: start &+ 4) == .duplicated)
        #expect(tracker.record(stream: 0, sequence: start &+ 1) == .duplicated)
    }

    @Test func streamsDoNotDisturbEachOther() {
        let tracker = SequenceTracker(streams: 20_000)
        defer { tracker.deallocate() }
        #expect(tracker.window == 64)
        for sequence: UInt32 in 0..<200 {
            for stream in [0, 1, 9999, 19_999] {
                #expect(tracker.record(stream: stream, sequence: sequence) == .inOrder)
            }
        }
        #expect(tracker.record(stream: 1, sequence: 199) == .duplicated)
        #expect(tracker.record(stream: 2, sequence: 199) == .inOrder)
    }

    @Test func whatIsOlderThanTheWindowIsReordered() {
        let tracker = SequenceTracker(streams: 1 << 16)
        defer { tracker.deallocate() }
        for sequence: UInt32 in 0..<65 {
            #expect(tracker.record(stream: 7, sequence: sequence) == .inOrder)
        }
        #expect(tracker.record(stream: 7, sequence: 1) == .duplicated)
        #expect(tracker.record(stream: 7, sequence: 0) == .reordered, "nobody remembers it")
    }

    /// Against a set that forgets nothing, on streams that are shuffled, thinned and repeated
    /// within the window.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func agreesWithASetThatForgetsNothing(seed: UInt64) {
        var chance = Chance(seed: seed)
        let tracker = SequenceTracker(streams: 16)
        defer { tracker.deallocate() }
        var seen: [Set<UInt32>] = Array(repeating: [], count: 16)
        var next: [UInt32] = Array(repeating: 0, count: 16)
        var highest: [UInt32] = Array(repeating: 0, count: 16)
        for _ in 0..<50_000 {
            let stream = Int(chance.next() % 16)
            let sequence: UInt32
            if chance.next() % 8 == 0 {
                sequence = next[stream] - min(next[stream], UInt32(chance.next() % 60))
            } else {
                sequence = next[stream] + UInt32(chance.next() % 3)
                next[stream] = sequence + 1
            }
            let expected: SequenceTracker.Outcome
            if seen[stream].contains(sequence) {
                expected = .duplicated
            } else {
                expected = sequence < highest[stream] ? .reordered : .inOrder
            }
            seen[stream].insert(sequence)
            highest[stream] = max(highest[stream], sequence + 1)
            #expect(
                tracker.record(stream: stream, sequence: sequence) == expected, "seed \(seed)")
        }
    }
}

/// A small generator of chance with a seed (xorshift64*).
struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return (state &* 0x2545_F491_4F6C_DD1D) >> 11
    }
}
