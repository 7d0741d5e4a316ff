import TestKit
import Testing
import Wire

@Suite struct EthernetHeaderTests {
    let arena = FrameArena()

    private func fields(_ header: EthernetHeader) -> [UInt64] {
        var result = [header.destination.bits, header.source.bits, UInt64(header.etherType)]
        if header.isTagged {
            result += [
                UInt64(header.vlanIdentifier), UInt64(header.vlanPriority),
                UInt64(header.innerEtherType),
            ]
        }
        return result
    }

    @Test func `What was emitted is read`() {
        let frame = arena.frame(count: 20)
        let header = EthernetHeader(frame: frame, at: 3)
        header.emit(destination: Sample.macB, source: Sample.macA, etherType: 0x0806)
        #expect(header.check() == .valid)
        #expect(fields(header) == [Sample.macB.bits, Sample.macA.bits, 0x0806])
        #expect(
            frame.bytes(at: 0, 3) + frame.bytes(at: 17, 3) == [UInt8](repeating: 0xA5, count: 6))
    }

    @Test func `A header cut short is refused, with and without a tag`() {
        for bytes in [
            Sample.ethernet.payload([]).bytes, Sample.ethernet.vlan(10).payload([]).bytes,
        ] {
            arena.forEachTruncation(of: bytes) {
                #expect(EthernetHeader(frame: $0, at: 0).check() == .truncated)
            }
            #expect(EthernetHeader(frame: arena.frame(bytes), at: 0).check() == .valid)
            #expect(EthernetHeader(frame: arena.frame(bytes), at: -1).check() == .truncated)
            #expect(EthernetHeader(frame: arena.frame(bytes), at: .max).check() == .truncated)
        }
    }

    @Test func `Each flipped bit shows in a field`() {
        // The DEI bit (byte 14, 0x10) belongs to no field that is asked.
        let bytes = Sample.ethernet.vlan(10, priority: 5, etherType: 0x0800).bytes
        let right = fields(EthernetHeader(frame: arena.frame(bytes), at: 0))
        var unseen = 0
        arena.forEachFlip(of: bytes) { frame, _ in
            if fields(EthernetHeader(frame: frame, at: 0)) == right { unseen += 1 }
        }
        #expect(unseen == 1)
    }

    @Test func `A tag is read, changed, removed and put back`() {
        let plain = Sample.ethernet.arp(
            operation: 1, senderMAC: Sample.macA, senderIP: Sample.ipA, targetMAC: .zero,
            targetIP: Sample.ipB)
        let tagged = arena.frame(
            Sample.ethernet.vlan(100, priority: 6).payload(Array(plain.bytes[14...])).bytes)
        tagged.store(0x0806 as UInt16, at: 16)
        let header = EthernetHeader(frame: tagged, at: 0)
        #expect(header.isTagged && header.vlanIdentifier == 100 && header.vlanPriority == 6)
        #expect(header.innerEtherType == EtherType.arp)
        header.vlanIdentifier = 4095
        #expect(header.vlanIdentifier == 4095 && header.vlanPriority == 6)
        let stripped = EthernetHeader.withoutTag(tagged)
        #expect(stripped.bytes == plain.bytes)
        #expect(EthernetHeader.insertTag(tagged, vlanIdentifier: 7, priority: 1))
        #expect(header.vlanIdentifier == 7 && header.vlanPriority == 1)
        #expect(header.destination == Sample.macB && header.source == Sample.macA)
        #expect(header.innerEtherType == EtherType.arp)
    }

    @Test func `A frame too short for a tag is left alone`() {
        let short = arena.frame(count: 17)
        #expect(EthernetHeader.withoutTag(short).count == 17)
        #expect(!EthernetHeader.insertTag(short, vlanIdentifier: 1, priority: 0))
        #expect(short.bytes == [UInt8](repeating: 0xA5, count: 17))
    }
}
