internal import Memory
public import Wire

/// What emulated hosts say: it turns questions into their answers, in place.
///
/// Every host is behind one port. There it answers ARP requests for its address (RFC 826), probes
/// included (RFC 5227 section 2.1.1), echo requests to its addresses (RFC 1122 section 3.2.2.6),
/// and where it is told to, it sends UDP datagrams back.
///
/// Thread-safety: one thread. `deallocate()` ends it.
public struct Responder: Sendable {
    public let hosts: HostSpace
    private let reflects: Bool
    /// The port of each host.
    private let locations: Column<UInt8>

    /// - Parameter ports: hosts are dealt out among them, one by one.
    public init(_ hosts: HostSpace, ports: Int, reflects: Bool) {
        precondition((1...256).contains(ports))
        self.hosts = hosts
        self.reflects = reflects
        locations = Column(count: hosts.count, repeating: 0)
        for host in 0..<hosts.count { locations[host] = UInt8(host % ports) }
    }

    public func deallocate() { locations.deallocate() }

    @_noLocks
    public func port(of host: Int) -> Int { Int(locations[host]) }

    @_noLocks
    public func move(_ host: Int, to port: Int) {
        locations[host] = UInt8(truncatingIfNeeded: port)
    }

    public enum Outcome: Sendable, Equatable {
        /// The frame is the answer now.
        case arpReply, echoReply, reflected
        case conflict, ignored
    }

    /// Looks at a frame that came in at a port, and turns it into the answer to it.
    @_noLocks
    public func answer(_ frame: FrameView, port: Int) -> Outcome {
        guard frame.holds(EthernetHeader.byteCount + EthernetHeader.tagByteCount, at: 0)
        else { return .ignored }
        let ethernet = EthernetHeader(frame: frame, at: 0)
        let isTagged = ethernet.isTagged
        let type = isTagged ? ethernet.innerEtherType : ethernet.etherType
        let offset = EthernetHeader.byteCount &+ (isTagged ? EthernetHeader.tagByteCount : 0)
        switch type {
        case EtherType.arp: return answerARP(frame, at: offset, port)
        case EtherType.ipv4: return answerIPv4(frame, at: offset, port)
        default: return .ignored
        }
    }

    @_noLocks
    private func answerARP(_ frame: FrameView, at offset: Int, _ port: Int) -> Outcome {
        let arp = ARPPacket(frame: frame, at: offset)
        guard case .valid = arp.check() else { return .ignored }
        if arp.isAnnouncement {
            guard let host = hosts.host(with: arp.senderIP), arp.senderMAC != hosts.mac(of: host)
            else { return .ignored }
            return .conflict
        }
        guard arp.operation == ARPPacket.request, let host = here(arp.targetIP, port),
            arp.senderMAC != hosts.mac(of: host)
        else { return .ignored }
        let ethernet = EthernetHeader(frame: frame, at: 0)
        let mac = hosts.mac(of: host)
        guard ethernet.destination.isBroadcast || ethernet.destination == mac else {
            return .ignored
        }
        let asker = arp.senderMAC
        arp.rewriteToReply(answer: mac)
        ethernet.destination = asker
        ethernet.source = mac
        return .arpReply
    }

    @_noLocks
    private func answerIPv4(_ frame: FrameView, at offset: Int, _ port: Int) -> Outcome {
        let ip = IPv4Header(frame: frame, at: offset)
        guard case .valid = ip.check(), !ip.isFragment, let host = here(ip.destination, port)
        else { return .ignored }
        let ethernet = EthernetHeader(frame: frame, at: 0)
        guard ethernet.destination == hosts.mac(of: host) else { return .ignored }
        let inner = offset &+ ip.headerByteCount
        let length = ip.totalLength &- ip.headerByteCount
        switch ip.protocolNumber {
        case ProtocolNumber.icmp:
            let message = ICMPv4(frame: frame, at: inner, length: length)
            guard case .valid = message.check(),
                message.type == ICMPv4.MessageType.echoRequest, message.code == 0
            else { return .ignored }
            message.rewriteToEchoReply()
            turn(ethernet, ip)
            return .echoReply
        case ProtocolNumber.udp where reflects:
            let udp = UDPHeader(frame: frame, at: inner)
            guard case .valid = udp.check() else { return .ignored }
            // The checksum covers both ports and both addresses, and a sum knows no order.
            let from = frame.loadUInt16(at: inner)
            frame.store(frame.loadUInt16(at: inner &+ 2), at: inner)
            frame.store(from, at: inner &+ 2)
            turn(ethernet, ip)
            return .reflected
        default: return .ignored
        }
    }

    /// Sends a packet back to where it came from, with a TTL of its own.
    @_noLocks
    private func turn(_ ethernet: EthernetHeader, _ ip: IPv4Header) {
        let mac = ethernet.destination
        ethernet.destination = ethernet.source
        ethernet.source = mac
        let source = ip.source
        ip.frame.store(ip.destination, at: ip.offset &+ 12)
        ip.frame.store(source, at: ip.offset &+ 16)
        ip.timeToLive = 64
        ip.updateChecksum()
    }

    /// The host with this address, if it is behind this port.
    @_noLocks
    private func here(_ address: IPv4Address, _ port: Int) -> Int? {
        guard let host = hosts.host(with: address), self.port(of: host) == port else { return nil }
        return host
    }

    /// Bytes of an announcement without tag.
    public static var announcementByteCount: Int { @_noLocks get { 60 } }

    /// Writes the announcement of a host (RFC 5227 section 2.3), which tells bridges and neighbors
    /// where it is.
    /// - Parameter frame: `announcementByteCount` bytes, and four more with a tag.
    @_noLocks
    public func announce(_ host: Int, vlan: UInt16, to frame: FrameView) {
        for offset in 0..<frame.count { frame.store(0 as UInt8, at: offset) }
        let tag = vlan == 0 ? 0 : EthernetHeader.tagByteCount
        let ethernet = EthernetHeader(frame: frame, at: 0)
        let mac = hosts.mac(of: host)
        ethernet.emit(
            destination: MACAddress(bits: 0xFFFF_FFFF_FFFF), source: mac,
            etherType: vlan == 0 ? EtherType.arp : EtherType.customerTag)
        if vlan != 0 {
            frame.store(vlan, at: 14)
            frame.store(EtherType.arp, at: 16)
        }
        let address = hosts.address(of: host)
        ARPPacket(frame: frame, at: EthernetHeader.byteCount &+ tag).emit(
            operation: ARPPacket.request, senderMAC: mac, senderIP: address,
            targetMAC: MACAddress(bits: 0),
            targetIP: address)
    }
}
