import Dataplane
import Tables
import TestKit
import Testing

@testable import Gateway

@Suite struct SendTests {
    @Test func `A note gives back what it was made of`() {
        var random = SeededRandom.forTest("notes")
        for _ in 0..<2000 {
            let isPeer = random.bool()
            let index = random.int(in: 0...65_535)
            let place: Destination = isPeer ? .peer(index) : .port(index)
            let bytes = random.int(in: 0...131_071)
            let packets = random.int(in: 0...2047)
            let isSegmented = random.bool()
            let slot = SlotPool.slot(
                group: UInt16(random.int(in: 0...1)), buffer: random.int(in: 0...511))
            let single = SendNote(
                slot: slot, place: place, bytes: bytes, packets: packets,
                isSegmented: isSegmented)
            #expect(single.slot == slot && !single.isGrouped)
            let group = random.int(in: 0...63)
            let grouped = SendNote(
                group: group, place: place, bytes: bytes, packets: packets,
                isSegmented: isSegmented)
            #expect(grouped.group == group && grouped.isGrouped)
            for note in [single, grouped] {
                #expect(note.place == place && note.bytes == bytes)
                #expect(note.packets == packets && note.isSegmented == isSegmented)
            }
        }
    }

    @Test func `Queues keep the order within a flow and forget all`() {
        let queues = TunnelQueues()
        defer { queues.deallocate() }
        var random = SeededRandom.forTest("queues")
        for _ in 0..<50 {
            var expected: [UInt64: [Int]] = [:]
            for output in 0..<PacketBatch.outputCapacity {
                let peer = random.int(in: 0...40)
                let port = UInt32(random.int(in: 0...15))
                queues.append(output, to: queues.queue(peer: peer, sourcePort: port))
                expected[UInt64(peer) << 32 | UInt64(port), default: []].append(output)
            }
            #expect(queues.count == expected.count)
            var seen: Set<[Int]> = []
            for index in 0..<queues.count {
                var rows: [Int] = []
                var output = queues.first(queues.place(at: index))
                while output >= 0 {
                    rows.append(output)
                    output = queues.following(output)
                }
                seen.insert(rows)
            }
            #expect(seen == Set(expected.values))
            queues.removeAll()
            #expect(queues.count == 0)
        }
    }

    @Test func `Groups are given out once each`() {
        let groups = SlotGroups()
        defer { groups.deallocate() }
        var taken: Set<Int> = []
        while groups.hasFree { taken.insert(groups.take()) }
        #expect(taken.count == SlotGroups.groupCount && groups.take() == -1)
        for lane in 0..<200 { groups.append(UInt32(lane), to: 3) }
        #expect(groups.count(3) == SlotGroups.laneCapacity && groups.slot(3, 127) == 127)
        for group in taken { groups.giveBack(group) }
        #expect(groups.hasFree)
        let again = groups.take()
        #expect(groups.count(again) == 0)
    }

    @Test func `Errors of sends have their own reasons`() {
        #expect(SendNote.reason(-101, isPort: true) == .txNoRoute)
        #expect(SendNote.reason(-113, isPort: true) == .txUnreachable)
        #expect(SendNote.reason(-90, isPort: true) == .txEmsgsize)
        #expect(SendNote.reason(-11, isPort: true) == .txRingFull)
        #expect(SendNote.reason(-105, isPort: true) == .txNoBuffer)
        #expect(SendNote.reason(-100, isPort: true) == .portDown)
        #expect(SendNote.reason(-100, isPort: false) == .txNoRoute)
        #expect(SendNote.reason(-1, isPort: true) == .txError)
    }

    @Test func `Kernel counters are read by name`() {
        let text = "Ip: Forwarding InHdrErrors\nIp: 1 7\nUdp: InErrors InCsumErrors\nUdp: 3 4\n"
        let values = KernelLosses.parse(text)
        #expect(values["Ip.InHdrErrors"] == 7 && values["Udp.InCsumErrors"] == 4)
        #expect(KernelLosses.parse("Ip: A B\nIp: 1\n").isEmpty)
    }
}
