import Memory
import Tables
import TestKit
import Testing

@Suite struct ProbeTableTests {
    /// A table beside the dictionary that it has to be like.
    private struct Pair {
        var table: ProbeTable
        var model: [UInt64: UInt32] = [:]
        var removed: [Int] = []

        init(buckets: Int) { table = ProbeTable(buckets: buckets) }

        mutating func set(_ key: UInt64, _ value: UInt32) {
            while table.insert(key, value: value, time: 1) == nil {
                let old = table
                table = old.grown()
                // Slots that wait to be reclaimed went with the old table.
                removed = []
                old.deallocate()
            }
            model[key] = value
        }

        mutating func remove(_ key: UInt64) {
            let slot = table.find(key)
            #expect((slot >= 0) == (model[key] != nil))
            guard slot >= 0 else { return }
            table.remove(at: slot)
            removed.append(slot)
            model[key] = nil
        }

        mutating func reclaim() {
            for slot in removed { table.reclaim(slot) }
            removed = []
        }

        func value(_ key: UInt64) -> UInt32? { table.value(at: table.find(key), for: key) }

        func expectEqual() {
            #expect(table.count == model.count)
            for (key, value) in model { #expect(self.value(key) == value) }
            var seen: [UInt64: UInt32] = [:]
            table.visit { slot, key, value in
                #expect(table.key(at: slot) == key)
                #expect(seen.updateValue(value, forKey: key) == nil)
            }
            #expect(seen == model)
        }
    }

    @Test(arguments: [1, 2, 16, 256])
    func isLikeADictionaryUnderRandomEdits(buckets: Int) {
        var random = SeededRandom.forTest("ProbeTable")
        var pair = Pair(buckets: buckets)
        defer { pair.table.deallocate() }
        let space = UInt64(buckets * 12)
        for step in 0..<20_000 {
            // Few keys, so that every operation meets keys that are there.
            let key = (random.next() % space + 1) << 16 | 7
            switch random.int(in: 0...9) {
            case 0...4: pair.set(key, UInt32(truncatingIfNeeded: random.next()))
            case 5...7: pair.remove(key)
            case 8: #expect(pair.value(key) == pair.model[key])
            default: pair.reclaim()
            }
            if step % 1000 == 0 { pair.expectEqual() }
        }
        pair.expectEqual()
    }

    /// In a table that is looked up as a small one, and in one that is fetched first.
    @Test(arguments: [64, 32_768]) func findsManyKeysAsItFindsEach(buckets: Int) {
        var random = SeededRandom.forTest("ProbeTable.guess")
        var pair = Pair(buckets: buckets)
        let keys = Column<UInt64>(count: 256, repeating: 0)
        let slots = Column<Int32>(count: 256, repeating: 99)
        defer {
            pair.table.deallocate()
            keys.deallocate()
            slots.deallocate()
        }
        for key in 1...300 { pair.set(UInt64(key), UInt32(key * 3)) }
        for _ in 0..<200 {
            let count = random.int(in: 0...256)
            var key: UInt64 = 1
            for index in 0..<count {
                // Runs of one key, as packets of one flow make them.
                if random.bool() { key = UInt64(random.int(in: 0...600)) }
                keys[index] = key
            }
            let reader = pair.table.reader
            reader.guess(keys, count: count, slots: slots)
            for index in 0..<count {
                let key = keys[index]
                let slot = reader.find(key, guess: slots[index])
                #expect(slot == pair.table.find(key))
                #expect((slot >= 0 ? reader.value(at: slot) : nil) == pair.model[key])
            }
        }
    }

    @Test func noEntryIsFoundUnderTheKeyOfAFreeSlot() {
        // A destination of all zeros in VSI 0 asks for the key 0, whose tag free slots have.
        var random = SeededRandom(seed: 1)
        let keys = Column<UInt64>([1, ProbeTable.noKey, 0], default: 0)
        let slots = Column<Int32>(count: 3, repeating: 0)
        defer {
            keys.deallocate()
            slots.deallocate()
        }
        for _ in 0..<40 {
            let table = ProbeTable(buckets: 1)
            defer { table.deallocate() }
            for _ in 0..<2000 {
                let key = random.next() | 1 << 40
                guard let slot = table.insert(key, value: 42, time: 0) else { break }
                #expect(table.find(ProbeTable.noKey) == -1 && table.find(0) == -1)
                table.reader.guess(keys, count: 3, slots: slots)
                #expect(table.reader.find(ProbeTable.noKey, guess: slots[1]) == -1)
                #expect(table.reader.find(0, guess: slots[2]) == -1)
                table.remove(at: slot)
                table.reclaim(slot)
            }
        }
    }

    /// One key in 65,536 has the tag of free slots, which then match as well.
    @Test func keysWithTheTagOfFreeSlotsAreLikeOthers() throws {
        var random = SeededRandom.forTest("ProbeTable zero tags")
        let table = ProbeTable(buckets: 1 << 16)
        defer { table.deallocate() }
        var keys: [UInt64] = [0]
        for _ in 0..<200_000 { keys.append(random.next() | 1 << 40) }
        for (index, key) in keys.enumerated() {
            _ = try #require(table.insert(key, value: UInt32(index), time: 0))
        }
        for (index, key) in keys.enumerated() {
            #expect(table.value(at: table.find(key), for: key) == UInt32(index))
        }
        table.remove(at: table.find(0))
        #expect(table.find(0) == -1)
    }

    @Test func slotOfARemovedEntryIsNotGivenOutBeforeItIsReclaimed() {
        let table = ProbeTable(buckets: 1)
        defer { table.deallocate() }
        var slots: [Int] = []
        for key in UInt64(1)...8 { slots.append(table.insert(key, value: UInt32(key), time: 0)!) }
        #expect(table.insert(9, value: 9, time: 0) == nil)
        table.remove(at: slots[3])
        #expect(table.count == 7)
        #expect(table.value(at: slots[3], for: 4) == nil)
        #expect(table.find(4) == -1)
        #expect(table.insert(9, value: 9, time: 0) == nil)
        table.reclaim(slots[3])
        #expect(table.insert(9, value: 9, time: 0) == slots[3])
        #expect(table.value(at: slots[3], for: 4) == nil)
        #expect(table.value(at: slots[3], for: 9) == 9)
    }

    @Test func insertReplacesTheValueInPlace() {
        let table = ProbeTable(buckets: 4)
        defer { table.deallocate() }
        let slot = table.insert(5, value: 1, time: 3)!
        #expect(table.insert(5, value: 2, time: 4) == slot)
        #expect(table.count == 1)
        #expect(table.value(at: slot, for: 5) == 2)
        table.setValue(7, at: slot)
        #expect(table.value(at: slot, for: 5) == 7)
        #expect(table.value(at: -1, for: 5) == nil)
    }

    @Test func timesGoWithTheEntryWhenTheTableGrows() {
        let table = ProbeTable(buckets: 2)
        for key in UInt64(1)...6 { _ = table.insert(key, value: UInt32(key), time: UInt32(key)) }
        table.touch(table.find(3), time: 99)
        table.touch(-1, time: 5)
        let grown = table.grown()
        #expect(grown.capacity >= table.capacity * 2)
        for key in UInt64(1)...6 {
            #expect(grown.lastTouched(grown.find(key)) == (key == 3 ? 99 : UInt32(key)))
        }
        table.deallocate()
        grown.deallocate()
    }

    @Test func forEachMayRemoveWhatItIsGiven() {
        let table = ProbeTable(buckets: 64)
        defer { table.deallocate() }
        for key in UInt64(1)...200 {
            #expect(table.insert(key, value: UInt32(key), time: 0) != nil)
        }
        table.visit { slot, key, _ in if key % 2 == 0 { table.remove(at: slot) } }
        #expect(table.count == 100)
        for key in UInt64(1)...200 { #expect((table.find(key) >= 0) == (key % 2 == 1)) }
    }

    @Test func fillsWellBeforeItAsksToGrow() {
        // The first failure is an extreme value: over seeds it comes between 0.64 and 0.82.
        var random = SeededRandom.forTest("ProbeTable load")
        let table = ProbeTable(buckets: 1024)
        defer { table.deallocate() }
        var count = 0
        while table.insert(random.next() | 1, value: 0, time: 0) != nil { count += 1 }
        #expect(Double(count) / Double(table.capacity) > 0.6)
    }

    @Test func refusesTheKeysThatMeanSomething() async {
        await #expect(processExitsWith: .failure) {
            _ = ProbeTable(buckets: 1).insert(ProbeTable.noKey, value: 1, time: 0)
        }
        await #expect(processExitsWith: .failure) {
            _ = ProbeTable(buckets: 1).insert(.max, value: 1, time: 0)
        }
    }
}
