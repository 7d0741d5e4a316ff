internal import Memory
internal import Tables
internal import Wire

/// Packets for an address of the gateway itself.
///
/// An ICMP echo request becomes its own reply and goes back where it came from (RFC 1812 section
/// 4.3.3.6). What may answer a ping of the gateway's own goes to the agent, as often as its budget
/// allows. Everything else ends here.
enum LocalDelivery {
    @_noLocks
    static func deliver(
        _ lane: Int, _ header: IPv4Header, _ interface: InterfaceRecord, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        batch.verdict[lane] = .consumed
        let offset = header.offset &+ header.headerByteCount
        let end = header.offset &+ header.totalLength
        guard header.protocolNumber == ProtocolNumber.icmp, !header.isFragment,
            end &- offset >= 8, !batch.segmentations[lane].isSuperPacket
        else { return }
        let type = header.frame.loadUInt8(at: offset)
        let code = header.frame.loadUInt8(at: offset &+ 1)
        if type == ICMPv4.MessageType.echoRequest, code == 0 {
            reply(lane, header, interface, offset, end, pipeline)
        } else if answersPing(type, header.frame, offset, end) {
            pipeline.puntEchoAnswer(lane)
        }
    }

    /// An echo reply, or an error that quotes an ICMP packet without options; the agent knows what
    /// it has asked.
    @_noLocks
    private static func answersPing(
        _ type: UInt8, _ frame: FrameView, _ offset: Int, _ end: Int
    ) -> Bool {
        switch type {
        case ICMPv4.MessageType.echoReply: return true
        case ICMPv4.MessageType.unreachable, ICMPv4.MessageType.timeExceeded:
            let quote = offset &+ ICMPv4.byteCount
            return end &- quote >= IPv4Header.byteCount &+ ICMPv4.byteCount
                && frame.loadUInt8(at: quote) == 0x45
                && frame.loadUInt8(at: quote &+ 9) == ProtocolNumber.icmp
        default: return false
        }
    }

    @_noLocks
    private static func reply(
        _ lane: Int, _ header: IPv4Header, _ interface: InterfaceRecord, _ offset: Int,
        _ end: Int, _ pipeline: Pipeline
    ) {
        let batch = pipeline.batch
        let frame = header.frame
        let sum = InternetChecksum.sum(frame, offset: offset, length: end &- offset, initial: 0)
        guard InternetChecksum.fold(sum) == 0xFFFF else { return }
        // Type 8 becomes 0: the checksum follows by RFC 1624.
        let before = frame.loadUInt16(at: offset)
        frame.store(0 as UInt8, at: offset)
        let checksum = InternetChecksum.updated(
            frame.loadUInt16(at: offset &+ 2), replacing: before,
            with: frame.loadUInt16(at: offset))
        frame.store(checksum, at: offset &+ 2)
        let asker = header.source
        frame.store(header.destination, at: header.offset &+ 12)
        frame.store(asker, at: header.offset &+ 16)
        header.timeToLive = 64
        header.updateChecksum()
        // A ping of the gateway to one of its own addresses: it has no port to go back to.
        guard !batch.ingress[lane].isOwn else { return pipeline.puntEchoAnswer(lane) }
        let ethernet = EthernetHeader(frame: frame, at: 0)
        let source = batch.sourceMAC[lane]
        ethernet.destination = MACAddress(bits: source)
        ethernet.source = MACAddress(bits: interface.mac)
        batch.destinationMAC[lane] = source
        batch.sourceMAC[lane] = interface.mac
        batch.vlan[lane] = 0
        pipeline.sendBack(lane)
    }
}
