internal import Memory
internal import Tables
internal import Wire

/// Packets for an address of the gateway itself.
///
/// An ICMP echo request becomes its own reply and goes back where it came from (RFC 1812 section
/// 4.3.3.6). Everything else ends here.
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
        guard header.frame.loadUInt8(at: offset) == 8, header.frame.loadUInt8(at: offset &+ 1) == 0
        else { return }
        reply(lane, header, interface, offset, end, pipeline)
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
        let ethernet = EthernetHeader(frame: frame, at: 0)
        let source = batch.sourceMAC[lane]
        ethernet.destination = MACAddress(bits: source)
        ethernet.source = MACAddress(bits: interface.mac)
        batch.destinationMAC[lane] = source
        batch.sourceMAC[lane] = interface.mac
        batch.vlan[lane] = 0
        batch.egress[lane] = batch.ingress[lane]
        batch.verdict[lane] = .forward
    }
}
