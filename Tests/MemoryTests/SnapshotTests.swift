import Memory
import TestKit
import Testing

@Suite struct SnapshotTests {
    private func address(_ cells: Column<UInt64>, _ index: Int) -> UnsafeRawPointer {
        unsafe UnsafeRawPointer(cells.pointer(at: index))
    }

    @Test func readersSeeWhatWasPublishedLast() {
        let cells = Column<UInt64>(count: 3, repeating: 0)
        let snapshot = Snapshot(readers: 2)
        defer {
            cells.deallocate()
            snapshot.deallocate()
        }
        #expect(unsafe snapshot.observe(0) == nil)
        for index in 0..<3 {
            _ = unsafe snapshot.publish(address(cells, index))
            #expect(unsafe snapshot.observe(0) == address(cells, index))
            #expect(unsafe snapshot.observe(1) == address(cells, index))
        }
    }

    @Test func whatAReaderHoldsIsNotFree() {
        let cells = Column<UInt64>(count: 3, repeating: 0)
        let snapshot = Snapshot(readers: 2)
        defer {
            cells.deallocate()
            snapshot.deallocate()
        }
        let first = unsafe snapshot.publish(address(cells, 0))
        // Both rest: everything is free.
        #expect(snapshot.oldestEpoch >= first)
        _ = unsafe snapshot.observe(0)
        let second = unsafe snapshot.publish(address(cells, 1))
        #expect(snapshot.oldestEpoch < second)
        // The other reader's turn changes nothing for the first.
        _ = unsafe snapshot.observe(1)
        #expect(snapshot.oldestEpoch < second)
        _ = unsafe snapshot.observe(0)
        #expect(snapshot.oldestEpoch >= second)
        let third = unsafe snapshot.publish(address(cells, 2))
        #expect(snapshot.oldestEpoch < third)
        snapshot.rest(0)
        #expect(snapshot.oldestEpoch < third)
        snapshot.rest(1)
        #expect(snapshot.oldestEpoch >= third)
    }

    /// A writer that replaces what readers look at and breaks what is free: no reader may ever see
    /// a broken one.
    @Test func reclaimsOnlyWhatNoReaderCanSee() {
        let slots = 64
        let rounds: UInt64 = 200_000
        let cells = Column<UInt64>(count: slots * 2, repeating: 1)
        let snapshot = Snapshot(readers: 3)
        let faults = Column<UInt64>(count: 3, repeating: 0)
        let turns = Column<UInt64>(count: 3, repeating: 0)
        let stop = SPSCRing<Bool>(capacity: 4, filler: false)
        defer {
            cells.deallocate()
            snapshot.deallocate()
            faults.deallocate()
            turns.deallocate()
            stop.deallocate()
        }
        func fill(_ slot: Int, _ value: UInt64) {
            cells[slot * 2] = value
            cells[slot * 2 + 1] = ~value
        }
        for slot in 0..<slots { fill(slot, 0) }
        _ = unsafe snapshot.publish(address(cells, 0))
        let writer: @Sendable () -> Void = {
            var free = Array(1..<slots)
            var retired: [(epoch: UInt64, slot: Int)] = []
            var current = 0
            for round in 1...rounds {
                while free.isEmpty {
                    let oldest = snapshot.oldestEpoch
                    for item in retired where item.epoch <= oldest {
                        // Broken for whoever still looks.
                        cells[item.slot * 2] = 0xDEAD
                        cells[item.slot * 2 + 1] = 0xDEAD
                        free.append(item.slot)
                    }
                    retired.removeAll { $0.epoch <= oldest }
                    if free.isEmpty { Threads.pause() }
                }
                let slot = free.removeLast()
                cells[slot * 2] = round
                cells[slot * 2 + 1] = ~round
                let epoch = unsafe snapshot.publish(UnsafeRawPointer(cells.pointer(at: slot * 2)))
                retired.append((epoch, current))
                current = slot
            }
            for _ in 0..<3 { _ = stop.push(true) }
        }
        let reader: @Sendable (Int) -> Void = { number in
            var last: UInt64 = 0
            // The last round is the sign to stop; it stays published.
            while last < rounds {
                let seen = unsafe snapshot.observe(number)!.assumingMemoryBound(to: UInt64.self)
                for _ in 0..<4 {
                    let value = unsafe seen[0]
                    if unsafe seen[1] != ~value || value < last { faults[number] += 1 }
                    last = max(last, value)
                }
                turns[number] += 1
                if turns[number] % 16 == 0 {
                    snapshot.rest(number)
                    Threads.pause()
                }
            }
            snapshot.rest(number)
        }
        Threads.run([writer] + (0..<3).map { number in { @Sendable in reader(number) } })
        for number in 0..<3 {
            #expect(faults[number] == 0)
            #expect(turns[number] > 0)
        }
    }
}
