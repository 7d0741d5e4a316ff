import Memory
import TestKit
import Testing

@Suite struct SPSCRingTests {
    @Test(arguments: [1, 2, 8, 1024])
    func holdsItsCapacityAndNoMore(capacity: Int) {
        let ring = SPSCRing<Int>(capacity: capacity, filler: -1)
        defer { ring.deallocate() }
        // Several rounds, so that the ends wrap.
        for round in 0..<5 {
            #expect(ring.isEmpty)
            #expect(ring.pop() == nil)
            for index in 0..<capacity { #expect(ring.push(round * 10_000 + index)) }
            #expect(!ring.push(-5))
            #expect(!ring.isEmpty)
            for index in 0..<capacity { #expect(ring.pop() == round * 10_000 + index) }
            #expect(ring.pop() == nil)
        }
        #expect(ring.pushedCount == UInt64(5 * capacity))
    }

    @Test func behavesAsAQueueUnderRandomUse() {
        var random = SeededRandom.forTest("SPSCRing")
        let ring = SPSCRing<UInt64>(capacity: 16, filler: 0)
        defer { ring.deallocate() }
        var model: [UInt64] = []
        for _ in 0..<50_000 {
            if random.bool() {
                let value = random.next()
                let isPushed = ring.push(value)
                #expect(isPushed == (model.count < 16))
                if isPushed { model.append(value) }
            } else {
                let value = ring.pop()
                #expect(value == model.first)
                if value != nil { model.removeFirst() }
            }
            #expect(ring.isEmpty == model.isEmpty)
        }
    }

    /// Larger than a word, so that a torn element would show.
    private struct Element: BitwiseCopyable {
        var number: UInt64
        var square: UInt64
        var complement: UInt64
        var wrapped: UInt64

        init(_ number: UInt64) {
            self.number = number
            square = number &* number
            complement = ~number
            wrapped = number &* 0x9E37_79B9_7F4A_7C15
        }

        var isWhole: Bool {
            square == number &* number && complement == ~number
                && wrapped == number &* 0x9E37_79B9_7F4A_7C15
        }
    }

    @Test(arguments: [1, 64, 4096])
    func carriesAMillionElementsBetweenTwoThreads(capacity: Int) {
        let count: UInt64 = capacity == 1 ? 50_000 : 1_000_000
        let ring = SPSCRing<Element>(capacity: capacity, filler: Element(0))
        defer { ring.deallocate() }
        let faults = Column<UInt64>(count: 1, repeating: 0)
        defer { faults.deallocate() }
        Threads.run([
            {
                for number in 0..<count {
                    while !ring.push(Element(number)) { Threads.pause() }
                }
            },
            {
                for number in 0..<count {
                    var element = ring.pop()
                    while element == nil {
                        Threads.pause()
                        element = ring.pop()
                    }
                    if element!.number != number || !element!.isWhole { faults[0] += 1 }
                }
                if !ring.isEmpty { faults[0] += 1 }
            },
        ])
        #expect(faults[0] == 0)
        #expect(ring.pushedCount == count)
    }

    @Test func refusesACapacityThatIsNoPowerOfTwo() async {
        await #expect(processExitsWith: .failure) { _ = SPSCRing(capacity: 12, filler: 0) }
    }
}
