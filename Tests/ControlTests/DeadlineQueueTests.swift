import TestKit
import Testing

@testable import Control

@Suite struct DeadlineQueueTests {
    /// Against a sorted list, with deadlines that meet and keys that come several times.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithASortedList(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var queue = DeadlineQueue()
        var model: [DeadlineQueue.Entry] = []
        var now: UInt64 = 0
        for _ in 0..<2000 {
            if random.int(in: 0...2) > 0 {
                let entry = DeadlineQueue.Entry(
                    due: now + UInt64(random.int(in: 0...50)), key: UInt64(random.int(in: 0...9)))
                queue.add(entry.key, due: entry.due)
                model.append(entry)
            } else {
                now += UInt64(random.int(in: 0...20))
                model.sort()
                while let entry = queue.take(now: now) {
                    #expect(entry == model.removeFirst())
                }
                #expect(model.first.map { $0.due > now } ?? true)
            }
            #expect(queue.count == model.count)
            #expect(queue.next == model.map(\.due).min())
        }
    }
}
