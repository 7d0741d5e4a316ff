import Memory
import Tables
import TestKit
import Testing

@testable import Control

@Suite struct TableWriterTests {
    /// What the directory says of neighbors is what the table says, through changes, growth and
    /// reuse of records.
    @Test func directoryAndTableAgree() throws {
        var random = SeededRandom.forTest("TableWriter")
        let writer = TableWriter(readers: 0, time: 0)
        var addresses = Set<UInt32>()
        for step in 0..<30_000 {
            let address = UInt32(random.int(in: 0...9999))
            let key = NeighborTable.key(vsi: 3, address: address)
            let slot = writer.neighbors.find(key)
            if slot >= 0, random.int(in: 0...2) == 0 {
                writer.removeNeighbor(at: slot)
                addresses.remove(address)
            } else {
                let flags = [0, 0, NeighborTable.incompleteFlag, NeighborTable.ownFlag]
                try #require(
                    writer.setNeighbor(
                        key, mac: UInt64(step), egress: .port(1),
                        flags: flags[random.int(in: 0...3)], time: 0))
                addresses.insert(address)
            }
            if step % 1000 == 0 { writer.reclaim() }
        }
        #expect(writer.neighbors.count == addresses.count && addresses.count > 3000)
        let table = writer.neighborTable
        for address in UInt32(0)..<10_000 {
            let key = NeighborTable.key(vsi: 3, address: address)
            let value = table.find(key)
            let isKnown = NeighborTable.isResolved(value) && !NeighborTable.isOwn(value)
            // One subnet never fights for cells, so the directory has all of them.
            #expect(table.record(of: key) == (isKnown ? NeighborTable.record(of: value) : -1))
        }
    }

    /// A worker notes in a record where it found the MAC address, while the agent reads the record.
    /// Meant for the thread sanitizer.
    @Test func aWorkerNotesHintsWhileTheAgentReads() {
        nonisolated(unsafe) let writer = TableWriter(readers: 0, time: 0)
        let key = NeighborTable.key(vsi: 3, address: 7)
        unsafe writer.setNeighbor(key, mac: 1, egress: .port(1), flags: 0, time: 0)
        let table = unsafe writer.neighborTable
        let changes: UInt64 = 2000
        let done = SPSCRing(capacity: 1, filler: false)
        defer { done.deallocate() }
        Threads.run([
            {
                var slot = 0
                while done.isEmpty {
                    slot = (slot + 1) & 0xFFFF
                    table.setSlotHint(slot, ofRecord: table.record(of: key))
                }
            },
            {
                for mac in 1...changes {
                    unsafe writer.setNeighbor(key, mac: mac, egress: .port(1), flags: 0, time: 0)
                    Threads.pause()
                }
                _ = done.push(true)
            },
        ])
        #expect(table.mac(of: table.find(key)) == changes)
    }
}
