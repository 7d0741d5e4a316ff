import Tables
import TestKit
import Testing

@Suite struct NeighborDirectoryTests {
    @Test func aSubnetHasRoomForAllItsHosts() {
        let directory = NeighborDirectory()
        defer { directory.deallocate() }
        for host in 0..<65_536 {
            directory.note(key(7, UInt32(host)), NeighborTable.value(record: host, flags: 0))
        }
        for host in 0..<65_536 {
            #expect(directory.record(of: key(7, UInt32(host))) == host)
            #expect(directory.record(of: key(8, UInt32(host))) == -1)
            #expect(directory.record(of: key(7, UInt32(host) + 65_536)) == -1)
        }
    }

    @Test func onlyNeighborsToSendToAreIn() {
        let directory = NeighborDirectory()
        defer { directory.deallocate() }
        let flags = [
            NeighborTable.ownFlag, NeighborTable.incompleteFlag, NeighborTable.failedFlag,
            NeighborTable.ownFlag | NeighborTable.staticFlag,
        ]
        for flag in flags {
            directory.note(key(1, 1), NeighborTable.value(record: 5, flags: 0))
            #expect(directory.record(of: key(1, 1)) == 5)
            directory.note(key(1, 1), NeighborTable.value(record: 6, flags: flag))
            #expect(directory.record(of: key(1, 1)) == -1)
        }
        directory.note(key(1, 1), NeighborTable.value(record: 0, flags: NeighborTable.staticFlag))
        #expect(directory.record(of: key(1, 1)) == 0)
        directory.note(key(1, 1), 0)
        #expect(directory.record(of: key(1, 1)) == -1)
    }

    /// Neighbors of few VSIs that fight for few cells, against a dictionary: an answer is always
    /// the present one, and the last to be noted has one.
    @Test func answersAreThoseOfTheTable() {
        var random = SeededRandom.forTest("NeighborDirectory")
        let directory = NeighborDirectory()
        defer { directory.deallocate() }
        var model: [UInt64: Int] = [:]
        let addresses = (0..<40).map { _ in UInt32(random.int(in: 0...3)) }.map {
            // Addresses 2^18 apart share a cell.
            $0 &+ UInt32(random.int(in: 0...15)) << 18
        }
        for step in 0..<20_000 {
            let key = key(UInt16(random.int(in: 0...3)), addresses[random.int(in: 0...39)])
            if random.int(in: 0...3) == 0 {
                model[key] = nil
                directory.note(key, random.bool() ? 0 : NeighborTable.failedFlag | 1)
                #expect(directory.record(of: key) == -1)
            } else {
                model[key] = step
                directory.note(key, NeighborTable.value(record: step, flags: 0))
                #expect(directory.record(of: key) == step)
            }
            let other = self.key(
                UInt16(random.int(in: 0...3)), addresses[random.int(in: 0...39)])
            let record = directory.record(of: other)
            #expect(record == -1 || record == model[other])
        }
    }

    private func key(_ vsi: UInt16, _ address: UInt32) -> UInt64 {
        NeighborTable.key(vsi: vsi, address: address)
    }
}
