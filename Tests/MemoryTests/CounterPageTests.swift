import Memory
import TestKit
import Testing

@Suite struct CounterPageTests {
    @Test func beginsAtZeroAndAdds() {
        let region = PageRegion(byteCount: 1000 * 8)
        let page = CounterPage(region: region, count: 1000)
        for index in 0..<1000 { #expect(page.read(index) == 0) }
        for index in 0..<1000 { page.add(UInt64(index), to: index) }
        page.add(.max, to: 5)
        #expect(page.read(5) == 4)
        #expect(page.read(999) == 999)
    }

    @Test func readersSeeWholeWordsThatOnlyGrow() {
        let region = PageRegion(byteCount: 64)
        let page = CounterPage(region: region, count: 8)
        let faults = Column<UInt64>(count: 1, repeating: 0)
        defer { faults.deallocate() }
        // Steps that carry from the lower half of the word into the upper.
        let step: UInt64 = 0xFFFF_FFF0
        let count: UInt64 = 300_000
        Threads.run([
            { for _ in 0..<count { page.add(step, to: 3) } },
            {
                var last: UInt64 = 0
                while last < step * count {
                    let value = page.read(3)
                    if value < last || value % step != 0 { faults[0] += 1 }
                    last = max(last, value)
                }
            },
        ])
        #expect(faults[0] == 0)
    }

    @Test func stopsOutsideItsWords() async {
        await #expect(processExitsWith: .failure) {
            let region = PageRegion(byteCount: 4096)
            let page = CounterPage(region: region, count: 8)
            page.add(1, to: 8)
        }
    }

    @Test func regionIsZeroAndWritableToItsEnd() {
        let region = PageRegion(byteCount: 3 * 4096 + 100)
        #expect(region.byteCount == 3 * 4096 + 100)
        for offset in stride(from: 0, to: region.byteCount, by: 97) {
            #expect(unsafe region.base.load(fromByteOffset: offset, as: UInt8.self) == 0)
        }
        unsafe region.base.storeBytes(of: 1, toByteOffset: region.byteCount - 1, as: UInt8.self)
    }

    /// Handles are copied into hot code: they must stay as small as their pointers and counts.
    @Test func handlesAreTrivialAndSmall() {
        #expect(MemoryLayout<Column<UInt64>>.size == 16)
        #expect(MemoryLayout<Cell<Int>>.size == 8)
        #expect(MemoryLayout<CounterPage>.size == 16)
        #expect(MemoryLayout<Snapshot>.size == 24)
        #expect(MemoryLayout<SPSCRing<UInt64>>.size == 40)
    }
}
