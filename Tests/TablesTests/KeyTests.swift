import Tables
import TestKit
import Testing
import Wire

@Suite struct KeyTests {
    @Test func destinationsKeepKindAndIndex() {
        for index in [0, 1, 255, 65_535, 0xFF_FFFE] {
            #expect(Destination.port(index).kind == .port)
            #expect(Destination.peer(index).kind == .peer)
            #expect(Destination.own(index).kind == .own)
            for place in [Destination.port(index), .peer(index), .own(index)] {
                #expect(place.index == index)
                #expect(Destination(bits: place.bits) == place)
                #expect([place.isPort, place.isPeer, place.isOwn].count { $0 } == 1)
            }
        }
        #expect(Destination.none.kind == .none)
        #expect(!Destination.none.isPort && !Destination.none.isPeer && !Destination.none.isOwn)
        #expect(Destination.unknownPeer.isPeer)
        #expect(Destination.unknownPeer.index > 65_535)
        #expect(MemoryLayout<Destination>.size == 4)
    }

    @Test func forwardingKeysAndValuesComeBack() {
        var random = SeededRandom.forTest("ForwardingTable keys")
        for _ in 0..<1000 {
            let mac = MACAddress(bits: random.next())
            let vsi = random.int(in: 0...65_534)
            let key = ForwardingTable.key(mac: mac, vsi: vsi)
            #expect(ForwardingTable.key(mac: mac.bits, vsi: UInt16(vsi)) == key)
            #expect(ForwardingTable.mac(of: key) == mac)
            #expect(ForwardingTable.vsi(of: key) == vsi)
            let elsewhere = [Destination.port(vsi), .peer(vsi), .unknownPeer]
            for kind in [ForwardingTable.Kind.dynamic, .static, .own] {
                let place = kind == .own ? .own(vsi) : elsewhere[random.int(in: 0...2)]
                let value = ForwardingTable.value(place, kind: kind.rawValue)
                #expect(ForwardingTable.destination(of: value) == place)
                #expect(ForwardingTable.kind(of: value) == kind)
                #expect(ForwardingTable.isStatic(value) == (kind == .static))
                #expect(ForwardingTable.isOwn(value) == (kind == .own))
                #expect(!ForwardingTable.isFrozen(value))
                let frozen = ForwardingTable.frozen(value)
                #expect(ForwardingTable.isFrozen(frozen) && frozen != value)
                #expect(ForwardingTable.destination(of: frozen) == place)
                #expect(ForwardingTable.kind(of: frozen) == kind)
                #expect(ForwardingTable.thawed(frozen) == value)
            }
        }
    }

    @Test func neighborKeysAndValuesComeBack() {
        var random = SeededRandom.forTest("NeighborTable keys")
        for _ in 0..<1000 {
            let vsi = UInt16(truncatingIfNeeded: random.next())
            let address = UInt32(truncatingIfNeeded: random.next())
            let key = NeighborTable.key(vsi: vsi, address: address)
            #expect(key != ProbeTable.noKey && key != .max)
            #expect(NeighborTable.vsi(of: key) == Int(vsi))
            #expect(NeighborTable.address(of: key).bits == address)
            let record = random.int(in: 0...0xFF_FFFF)
            let all = [
                NeighborTable.ownFlag, NeighborTable.staticFlag, NeighborTable.incompleteFlag,
                NeighborTable.failedFlag,
            ]
            for flags in [0] + all + [all[0] | all[1]] {
                let value = NeighborTable.value(record: record, flags: flags)
                #expect(value != 0 && NeighborTable.record(of: value) == record)
                #expect(NeighborTable.isOwn(value) == (flags & all[0] != 0))
                #expect(NeighborTable.isStatic(value) == (flags & all[1] != 0))
                #expect(NeighborTable.isIncomplete(value) == (flags & all[2] != 0))
                #expect(NeighborTable.isFailed(value) == (flags & all[3] != 0))
                #expect(NeighborTable.isResolved(value) == (flags & (all[2] | all[3]) == 0))
            }
        }
        #expect(NeighborTable.key(vsi: 0, address: 0) != ProbeTable.noKey)
    }

    @Test func membershipKeysDiffer() {
        var seen: Set<UInt32> = []
        for peer in [0, 1, 255, 65_534] {
            for vsi in [UInt16(0), 1, 255, 65_534] {
                #expect(seen.insert(TableSet.membershipKey(peer: peer, vsi: vsi)).inserted)
            }
        }
    }
}
