import Memory
import Tables
import TestKit
import Testing

@Suite struct ProbeTableConcurrencyTests {
    private static func value(of key: UInt64, version: UInt64) -> UInt32 {
        UInt32(key << 24 | version & 0xFF_FFFF)
    }

    /// One writer adds, changes, removes and reclaims; readers look up all the time. What they find
    /// under a key was always written for that key, and its versions never go back.
    @Test func readersNeverSeeAForeignValue() {
        let table = ProbeTable(buckets: 8)
        let snapshot = Snapshot(readers: 2)
        let faults = Column<UInt64>(count: 2, repeating: 0)
        let hits = Column<UInt64>(count: 2, repeating: 0)
        let done = SPSCRing<Bool>(capacity: 1, filler: false)
        defer {
            table.deallocate()
            snapshot.deallocate()
            faults.deallocate()
            hits.deallocate()
            done.deallocate()
        }
        // Any address: the readers follow the epochs alone.
        let address = unsafe Int(bitPattern: faults.pointer(at: 0))
        let keys: UInt64 = 96
        _ = unsafe snapshot.publish(UnsafeRawPointer(bitPattern: address)!)
        let writer: @Sendable () -> Void = {
            var random = SeededRandom.forTest("ProbeTable readers")
            var retired: [(epoch: UInt64, slot: Int)] = []
            for version in UInt64(1)...300_000 {
                let key = random.next() % keys + 1
                let slot = table.find(key)
                if slot >= 0 && version % 3 == 0 {
                    table.remove(at: slot)
                    let epoch = unsafe snapshot.publish(UnsafeRawPointer(bitPattern: address)!)
                    retired.append((epoch, slot))
                } else {
                    _ = table.insert(key, value: Self.value(of: key, version: version), time: 0)
                }
                let oldest = snapshot.oldestEpoch
                for item in retired where item.epoch <= oldest { table.reclaim(item.slot) }
                retired.removeAll { $0.epoch <= oldest }
            }
            _ = done.push(true)
        }
        let reader: @Sendable (Int) -> Void = { number in
            var looker = Looker(table: table, keys: keys, seed: UInt64(number) + 1)
            while done.isEmpty {
                _ = unsafe snapshot.observe(number)
                looker.look()
                snapshot.rest(number)
            }
            faults[number] = looker.faults
            hits[number] = looker.hits
            looker.deallocate()
        }
        Threads.run([writer, { reader(0) }, { reader(1) }])
        for number in 0..<2 {
            #expect(faults[number] == 0)
            #expect(hits[number] > 1000)
        }
    }
}

/// One reader: looks keys up in every way there is and checks the values.
private struct Looker {
    let table: ProbeTable
    let keys: UInt64
    var faults: UInt64 = 0
    var hits: UInt64 = 0
    private var random: SeededRandom
    private let asked = Column<UInt64>(count: 32, repeating: 0)
    private let slots = Column<Int32>(count: 32, repeating: -1)
    /// Where each key was the last time.
    private var hints: [Int32]
    private var versions: [UInt32]

    init(table: ProbeTable, keys: UInt64, seed: UInt64) {
        self.table = table
        self.keys = keys
        random = SeededRandom(seed: seed)
        hints = Array(repeating: -1, count: Int(keys) + 1)
        versions = Array(repeating: 0, count: Int(keys) + 1)
    }

    /// A part of a turn: by itself, with a guess, and where the entry was before.
    mutating func look() {
        for index in 0..<32 { asked[index] = random.next() % keys + 1 }
        let reader = table.reader
        reader.guess(asked, count: 32, slots: slots)
        for index in 0..<32 {
            let key = asked[index]
            if let value = reader.value(atHint: hints[Int(key)], for: key) { check(key, value) }
            let slot =
                index % 2 == 0 ? table.find(key) : reader.find(key, guess: slots[index])
            guard slot >= 0 else { continue }
            hints[Int(key)] = Int32(slot)
            table.touch(slot, time: UInt32(key))
            check(key, reader.value(at: slot))
        }
    }

    private mutating func check(_ key: UInt64, _ value: UInt32) {
        let version = value & 0xFF_FFFF
        if UInt64(value >> 24) != key || version < versions[Int(key)] { faults += 1 }
        versions[Int(key)] = version
        hits += 1
    }

    func deallocate() {
        asked.deallocate()
        slots.deallocate()
    }
}
