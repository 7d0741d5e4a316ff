import Memory
import Testing

@Suite struct ColumnTests {
    @Test func keepsWhatIsStoredAndNothingElse() {
        let column = Column<UInt32>(count: 100, repeating: 7)
        defer { column.deallocate() }
        for index in 0..<100 { #expect(column[index] == 7) }
        for index in 0..<100 { column[index] = UInt32(index * index) }
        for index in 0..<100 { #expect(column[index] == UInt32(index * index)) }
    }

    @Test func takesAnArray() {
        let column = Column([3, 1, 4, 1, 5], default: 0)
        defer { column.deallocate() }
        #expect((0..<column.count).map { column[$0] } == [3, 1, 4, 1, 5])
    }

    @Test func mayBeEmpty() {
        let column = Column<UInt64>([], default: 9)
        defer { column.deallocate() }
        #expect(column.count == 0)
    }

    @Test func beginsOnACacheLine() {
        for count in [1, 3, 64, 1000] {
            let column = Column<UInt8>(count: count, repeating: 0)
            defer { column.deallocate() }
            #expect(unsafe UInt(bitPattern: column.pointer(at: 0)) % 64 == 0)
        }
    }

    @Test func handlesShareTheMemory() {
        let column = Column<Int>(count: 2, repeating: 0)
        defer { column.deallocate() }
        let copy = column
        copy[1] = 5
        #expect(column[1] == 5)
    }

    @Test func stopsAReadBehindTheEnd() async {
        await #expect(processExitsWith: .failure) {
            let column = Column<UInt32>(count: 4, repeating: 0)
            _ = column[4]
        }
    }

    @Test func stopsAReadBeforeTheStart() async {
        await #expect(processExitsWith: .failure) {
            let column = Column<UInt32>(count: 4, repeating: 0)
            _ = column[-1]
        }
    }

    @Test func stopsAWriteBehindTheEnd() async {
        await #expect(processExitsWith: .failure) {
            let column = Column<UInt32>(count: 4, repeating: 0)
            column[Int.max] = 1
        }
    }

    @Test func stopsAnAddressOutside() async {
        await #expect(processExitsWith: .failure) {
            let column = Column<UInt32>(count: 4, repeating: 0)
            _ = unsafe column.pointer(at: 4)
        }
    }

    @Test func cellHoldsOneValue() {
        let cell = Cell(5)
        defer { cell.deallocate() }
        let copy = cell
        copy.value += 1
        #expect(cell.value == 6)
    }
}
