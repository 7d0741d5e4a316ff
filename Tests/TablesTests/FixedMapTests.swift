import Tables
import TestKit
import Testing

@Suite struct FixedMapTests {
    @Test(arguments: [0, 1, 4, 5, 100, 4096])
    func isLikeADictionary(count: Int) {
        var random = SeededRandom.forTest("FixedMap")
        var model: [UInt32: UInt32] = [:]
        while model.count < count {
            model[UInt32(truncatingIfNeeded: random.next())] = UInt32(random.int(in: 0...1_000_000))
        }
        let map = FixedMap(model.map { ($0.key, $0.value) })
        defer { map.deallocate() }
        for (key, value) in model { #expect(map.find(key) == Int(value)) }
        for _ in 0..<1000 {
            let key = UInt32(truncatingIfNeeded: random.next())
            #expect(map.find(key) == (model[key].map { Int($0) } ?? -1))
        }
    }

    @Test func holdsNeighboringKeys() {
        // VNIs and addresses come in rows.
        let map = FixedMap((0..<1000).map { (0x0A00_0000 + $0, $0) })
        defer { map.deallocate() }
        for index in 0..<1000 { #expect(map.find(0x0A00_0000 + UInt32(index)) == index) }
        #expect(map.find(0x0A00_0000 + 1000) == -1)
        #expect(map.find(0x09FF_FFFF) == -1)
    }

    @Test func edgesOfKeysAndValues() {
        let map = FixedMap([(0, 0), (.max, 0), (1, UInt32(Int32.max))])
        let empty = FixedMap([])
        defer {
            map.deallocate()
            empty.deallocate()
        }
        #expect(map.find(0) == 0)
        #expect(map.find(.max) == 0)
        #expect(map.find(1) == Int(Int32.max))
        #expect(map.find(2) == -1)
        for key in [0, 1, UInt32.max] { #expect(empty.find(key) == -1) }
    }
}
