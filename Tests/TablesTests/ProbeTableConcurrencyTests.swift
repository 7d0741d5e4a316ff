import Memory
import Tables
import TestKit
import Testing

@Suite struct ProbeTableConcurrencyTests {
    private static func value(of key: UInt64, version: UInt64) -> UInt64 {
        key << 24 | version & 0xFF_FFFF
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
            var random = SeededRandom(seed: UInt64(number) + 1)
            var versions = [UInt64](repeating: 0, count: Int(keys) + 1)
            while done.isEmpty {
                _ = unsafe snapshot.observe(number)
                for _ in 0..<32 {
                    let key = random.next() % keys + 1
                    let slot = table.find(key)
                    table.touch(slot, time: UInt32(key))
                    guard let value = table.value(at: slot, for: key) else { continue }
                    let version = value & 0xFF_FFFF
                    if value >> 24 != key || version < versions[Int(key)] { faults[number] += 1 }
                    versions[Int(key)] = version
                    hits[number] += 1
                }
                snapshot.rest(number)
            }
        }
        Threads.run([writer, { reader(0) }, { reader(1) }])
        for number in 0..<2 {
            #expect(faults[number] == 0)
            #expect(hits[number] > 1000)
        }
    }
}
