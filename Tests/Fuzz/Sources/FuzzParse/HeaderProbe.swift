import FuzzDriver
import TestKit
import Wire

/// Reads the bytes as each header at several offsets, and changes them as the stages do.
enum HeaderProbe {
    static func run(_ bytes: [UInt8]) {
        let arena = FrameArena()
        for offset in [0, 1, 14, 18, bytes.count, bytes.count + 1, -1, Int.max, Int.min] {
            let frame = arena.frame(bytes)
            ethernet(frame, offset)
            arp(frame, offset)
            vxlan(frame, offset)
            ipv4(frame, offset)
            ipv6(frame, offset)
            transport(frame, offset)
            icmp(frame, offset)
            for etherType in [0x0800, 0x86DD, 0x8847, 0x0806] as [UInt16] {
                _ = FlowHash.hash(frame: frame, etherType: etherType, layer3Offset: offset)
            }
            _ = FlowHash.hash(frame: frame)
        }
        tags(arena.frame(bytes), arena.frame([0, 0, 0, 0] + bytes))
        layers(arena.frame(bytes))
    }

    private static func ethernet(_ frame: FrameView, _ offset: Int) {
        let header = EthernetHeader(frame: frame, at: offset)
        guard case .valid = header.check() else { return }
        let (destination, source) = (header.destination, header.source)
        header.emit(destination: source, source: destination, etherType: header.etherType)
        FuzzDriver.expect(header.source == destination, "addresses are exchanged")
        guard header.isTagged else { return }
        header.vlanIdentifier = header.vlanIdentifier ^ 1
        _ = header.innerEtherType
    }

    private static func arp(_ frame: FrameView, _ offset: Int) {
        let packet = ARPPacket(frame: frame, at: offset)
        guard case .valid = packet.check() else { return }
        let (asker, wanted) = (packet.senderIP, packet.targetIP)
        packet.rewriteToReply(answer: .broadcast)
        FuzzDriver.expect(
            packet.targetIP == asker && packet.senderIP == wanted
                && packet.operation == ARPPacket.reply && packet.check() == .valid,
            "a reply is the request turned round")
    }

    private static func vxlan(_ frame: FrameView, _ offset: Int) {
        let header = VXLANHeader(frame: frame, at: offset)
        guard case .valid = header.check() else { return }
        let vni = header.vni
        _ = header.hasReservedBits
        header.emit(vni: vni)
        FuzzDriver.expect(header.vni == vni && !header.hasReservedBits, "emit writes what is read")
    }

    private static func ipv4(_ frame: FrameView, _ offset: Int) {
        let header = IPv4Header(frame: frame, at: offset)
        guard case .valid = header.check() else {
            guard case .badChecksum = header.check() else { return }
            header.updateChecksum()
            FuzzDriver.expect(header.check() == .valid, "a computed checksum is right")
            return
        }
        FuzzDriver.expect(
            header.headerByteCount <= header.totalLength
                && frame.holds(header.totalLength, at: offset), "lengths fit each other")
        let hops = header.timeToLive
        FuzzDriver.expect(header.decrementTimeToLive() == (hops > 1), "one hop of two or more")
        header.setECN(header.ecn ^ 3)
        FuzzDriver.expect(header.check() == .valid, "changes keep the checksum right")
        _ = header.hasImpossibleFragmentOffset
    }

    private static func ipv6(_ frame: FrameView, _ offset: Int) {
        let header = IPv6Header(frame: frame, at: offset)
        guard case .valid = header.check() else { return }
        header.ecn = header.ecn ^ 3
        FuzzDriver.expect(header.check() == .valid, "the class is not the version")
        _ = InternetChecksum.pseudoHeaderIPv6(
            frame, addressOffset: header.addressOffset, protocolNumber: header.nextHeader,
            length: header.payloadLength)
    }

    private static func transport(_ frame: FrameView, _ offset: Int) {
        let udp = UDPHeader(frame: frame, at: offset)
        if case .valid = udp.check() { _ = udp.hasValidChecksum(pseudoHeader: 0) }
        let tcp = TCPHeader(frame: frame, at: offset)
        if case .valid = tcp.check() {
            _ = tcp.hasValidChecksum(pseudoHeader: 0, length: tcp.headerByteCount)
            tcp.flags = ~tcp.flags
        }
    }

    private static func icmp(_ frame: FrameView, _ offset: Int) {
        for length in [frame.count, frame.count &- offset, 8, -1, Int.max] {
            let message = ICMPv4(frame: frame, at: offset, length: length)
            guard case .valid = message.check() else { continue }
            message.rewriteToEchoReply()
            FuzzDriver.expect(message.check() == .valid, "a reply's checksum is right")
        }
        let original = FrameArena()
        let quoted = original.frame(frame.bytes)
        let message = ICMPv4(frame: frame, at: offset, length: frame.count &- max(offset, 0))
        let length = message.emitError(
            type: ICMPv4.MessageType.unreachable, code: 0, nextHopMTU: 0, original: quoted)
        guard length > 0 else { return }
        let written = ICMPv4(frame: frame, at: offset, length: length)
        FuzzDriver.expect(written.check() == .valid, "an error's checksum is right")
    }

    private static func tags(_ frame: FrameView, _ roomy: FrameView) {
        let bytes = frame.bytes
        guard EthernetHeader.insertTag(roomy, vlanIdentifier: 5, priority: 1) else { return }
        FuzzDriver.expect(
            EthernetHeader.withoutTag(roomy).bytes == bytes, "a tag taken out leaves the frame")
        _ = EthernetHeader.withoutTag(frame)
    }

    private static func layers(_ frame: FrameView) {
        guard let layers = FrameLayers.parse(frame) else { return }
        FuzzDriver.expect(
            layers.layer3Offset < layers.transportOffset
                && layers.transportOffset < layers.payloadOffset
                && layers.payloadOffset <= layers.endOffset && layers.endOffset <= frame.count
                && layers.checksumOffset + 2 <= layers.payloadOffset,
            "layers follow each other inside the frame")
    }
}
