import TestKit
import Testing

@testable import Gateway

@Suite struct SlotPoolTests {
    @Test func aSlotIsItsGroupAndBuffer() {
        var seen: Set<UInt32> = []
        for group in [SlotPool.underlayGroup, SlotPool.accessGroup] {
            for buffer in 0..<SlotPool.buffersPerGroup {
                let slot = SlotPool.slot(group: group, buffer: buffer)
                #expect(SlotPool.group(of: slot) == group)
                #expect(SlotPool.buffer(of: slot) == buffer)
                #expect(seen.insert(slot).inserted)
            }
        }
    }

    @Test func theLastUserFreesIt() {
        let pool = SlotPool()
        defer { pool.deallocate() }
        let slot = SlotPool.slot(group: 1, buffer: 77)
        let other = SlotPool.slot(group: 0, buffer: 77)
        pool.retain(slot)
        pool.retain(slot)
        pool.retain(other)
        #expect(pool.usedCount() == 2)
        #expect(!pool.release(slot))
        #expect(pool.usedCount() == 2)
        #expect(pool.release(slot))
        #expect(pool.release(other))
        #expect(pool.usedCount() == 0)
    }

    @Test func usersBalanceUnderRandomUse() {
        var random = SeededRandom.forTest("SlotPool")
        let pool = SlotPool()
        defer { pool.deallocate() }
        var model: [UInt32: Int] = [:]
        for _ in 0..<20_000 {
            let slot = SlotPool.slot(
                group: UInt16(random.int(in: 0...1)), buffer: random.int(in: 0...31))
            if random.bool() {
                pool.retain(slot)
                model[slot, default: 0] += 1
            } else if let users = model[slot] {
                #expect(pool.release(slot) == (users == 1))
                model[slot] = users == 1 ? nil : users - 1
            }
        }
        #expect(pool.usedCount() == model.count)
    }

    @Test func buffersHoldTheLargestPacket() {
        // 64 KiB of payload with the headers that the kernel puts in front of it.
        #expect(SlotPool.bufferLength >= 65_535 + 256)
        #expect(SlotPool.stride % 64 == 0)
        // All lines of a cache set would be one buffer's if this were even.
        #expect(SlotPool.stride / 64 % 2 == 1)
    }
}
