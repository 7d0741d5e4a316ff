import TestKit
import Testing
import Wire

@Suite struct ARPPacketTests {
    let arena = FrameArena()
    let request = FrameBuilder.empty.arp(
        operation: 1, senderMAC: Sample.macA, senderIP: Sample.ipA, targetMAC: .zero,
        targetIP: Sample.ipB
    ).bytes

    @Test func `What was emitted is read`() {
        let frame = arena.frame(count: 28)
        let packet = ARPPacket(frame: frame, at: 0)
        packet.emit(
            operation: ARPPacket.request, senderMAC: Sample.macA, senderIP: Sample.ipA,
            targetMAC: .zero, targetIP: Sample.ipB)
        #expect(packet.check() == .valid)
        #expect(frame.bytes == request)
        #expect(packet.senderMAC == Sample.macA && packet.senderIP == Sample.ipA)
        #expect(packet.targetMAC == .zero && packet.targetIP == Sample.ipB)
        #expect(!packet.isProbe && !packet.isAnnouncement)
    }

    @Test func `A packet cut short is refused`() {
        arena.forEachTruncation(of: request) {
            #expect(ARPPacket(frame: $0, at: 0).check() == .truncated)
        }
        #expect(ARPPacket(frame: arena.frame(request), at: 1).check() == .truncated)
    }

    @Test func `Each flipped bit is refused by the name of its field or shows in an address`() {
        let names: [ARPPacket.Check] = [
            .badHardwareType, .badHardwareType, .badProtocolType, .badProtocolType,
            .badHardwareLength, .badProtocolLength, .badOperation, .badOperation,
        ]
        arena.forEachFlip(of: request) { frame, byte in
            let packet = ARPPacket(frame: frame, at: 0)
            #expect(packet.check() == (byte < 8 ? names[byte] : .valid))
            let isSame =
                packet.senderMAC == Sample.macA && packet.senderIP == Sample.ipA
                && packet.targetMAC == .zero && packet.targetIP == Sample.ipB
            #expect(isSame == (byte < 8))
        }
    }

    @Test func `A request becomes its reply in place`() {
        let frame = arena.frame(request)
        ARPPacket(frame: frame, at: 0).rewriteToReply(answer: Sample.macB)
        let reply = FrameBuilder.empty.arp(
            operation: 2, senderMAC: Sample.macB, senderIP: Sample.ipB, targetMAC: Sample.macA,
            targetIP: Sample.ipA)
        #expect(frame.bytes == reply.bytes)
    }

    @Test func `Probes and announcements are told apart`() {
        let packet = ARPPacket(frame: arena.frame(request), at: 0)
        packet.senderIP = IPv4Address(bits: 0)
        #expect(packet.isProbe && !packet.isAnnouncement)
        packet.operation = ARPPacket.reply
        #expect(!packet.isProbe)
        packet.senderIP = Sample.ipB
        #expect(packet.isAnnouncement)
    }
}
