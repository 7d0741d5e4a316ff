internal import Memory
internal import Tables
internal import Wire

/// The questions the route stage asks before it forwards.
enum RouteChecks {
    /// What the route stage has to know of every header.
    struct Fields {
        let source: UInt32
        let destination: UInt32
        /// Bytes of the frame up to the end of the payload.
        let end: Int
        let timeToLive: UInt8

        /// - Parameter header: has passed `reasonAgainst`.
        @_noLocks
        init(_ header: IPv4Header) {
            source = header.source.bits
            destination = header.destination.bits
            end = header.offset &+ header.totalLength
            timeToLive = header.timeToLive
        }

        /// Settles at three loads what nearly every packet is: a sound header without options, no
        /// later fragment, a destination that `reasonAgainst` has nothing to say of. Nil says
        /// nothing, nor is anything said of the source.
        @_noLocks @inline(__always)
        init?(plain frame: FrameView, _ filter: RouteTable.AddressFilter) {
            let offset = EthernetHeader.byteCount
            let room = frame.count &- offset &- IPv4Header.byteCount
            guard room >= 0 else { return nil }
            let first = frame.loadUInt64(at: offset)
            let second = frame.loadUInt64(at: offset &+ 8)
            destination = frame.loadUInt32(at: offset &+ 16)
            source = UInt32(truncatingIfNeeded: second)
            let totalLength = Int(truncatingIfNeeded: first &>> 32 & 0xFFFF)
            let payload = totalLength &- IPv4Header.byteCount
            end = offset &+ totalLength
            timeToLive = UInt8(truncatingIfNeeded: second &>> 56)
            guard first &>> 56 == 0x45, first & 0x1FFF == 0,
                UInt(bitPattern: payload) <= UInt(bitPattern: room)
            else { return nil }
            let sum =
                (first &>> 32) &+ (first & 0xFFFF_FFFF) &+ (second &>> 32)
                &+ (second & 0xFFFF_FFFF) &+ UInt64(destination)
            // The first word is not zero, so the sum is not.
            guard InternetChecksum.isRight(sum), filter.isOrdinary(destination) else {
                return nil
            }
        }
    }

    /// What forbids to route a packet by its header and addresses, or nil.
    @_noLocks
    static func reasonAgainst(_ header: IPv4Header) -> DropReason? {
        switch header.check() {
        case .valid: break
        case .truncated, .badTotalLength: return .ipBadLength
        case .badVersion: return .ipBadVersion
        case .badHeaderLength: return .ipBadIhl
        case .badChecksum: return .ipBadChecksum
        }
        if header.hasImpossibleFragmentOffset { return .ipFragmentOffset }
        if header.hasOptions, hasSourceRoute(header) { return .ipOptions }
        let source = header.source
        guard source.isUnicastSource else { return .ipMartianSrc }
        let destination = header.destination
        guard !destination.isLoopback, !destination.isThisNetwork, !destination.isReserved,
            !destination.isMulticast, !destination.isLinkLocal, !source.isLinkLocal
        else { return source.isLinkLocal ? .ipMartianSrc : .ipMartianDst }
        return nil
    }

    /// What forbids it by where it came from, or nil. Only when the interface checks the reverse
    /// path or the source may be special is there something to say.
    @_noLocks
    static func reasonAgainst(
        source: UInt32, from origin: Destination, _ index: Int, _ tables: TableView
    ) -> DropReason? {
        guard !origin.isOwn else { return nil }
        let interface = tables.interfaces[index]
        let back = tables.routes.find(vrf: interface.vrf, address: source)
        if RouteTable.isEdge(back) { return .ipMartianSrc }
        // Out of a tunnel it is another gateway with the same address, with an ICMP error; the way
        // back to it is not asked for, as it ends here.
        if RouteTable.isOwn(back) { return origin.isPort ? .ipMartianSrc : nil }
        return reversePath(interface, back, tables)
    }

    @_noLocks
    private static func reversePath(
        _ interface: InterfaceRecord, _ back: UInt64, _ tables: TableView
    ) -> DropReason? {
        switch interface.reversePath {
        case .off: return nil
        case .loose: return RouteTable.isForward(back) ? nil : .rpfFail
        case .strict:
            guard RouteTable.isForward(back) else { return .rpfFail }
            let first = RouteTable.nextHop(back, flowHash: 0)
            for index in first..<first &+ RouteTable.nextHopCount(back) {
                let through = tables.nextHops[index].interface
                if tables.interfaces[through].vsi == interface.vsi { return nil }
            }
            return .rpfFail
        }
    }

    /// Loose or strict source routing (RFC 7126 sections 4.3 and 4.4).
    @_noLocks
    private static func hasSourceRoute(_ header: IPv4Header) -> Bool {
        let end = header.offset &+ header.headerByteCount
        var offset = header.offset &+ IPv4Header.byteCount
        while offset < end {
            let kind = header.frame.loadUInt8(at: offset)
            if kind == 0 { return false }
            if kind == 131 || kind == 137 { return true }
            if kind == 1 {
                offset &+= 1
                continue
            }
            guard offset &+ 1 < end else { return false }
            let length = Int(header.frame.loadUInt8(at: offset &+ 1))
            guard length >= 2 else { return false }
            offset &+= length
        }
        return false
    }

    /// In a subnet of the interface and neither its network nor its broadcast address, or a next
    /// hop of an onlink route by it, which is a subnet of one address: who may speak ARP, and what
    /// a proxy may answer for (RFC 1027).
    @_noLocks
    static func isHost(
        _ address: UInt32, _ interface: InterfaceRecord, _ tables: TableView
    ) -> Bool {
        for offset in 0..<interface.subnetCount {
            let subnet = tables.subnets[Int(interface.firstSubnet &+ offset)]
            guard address & subnet.mask == subnet.network else { continue }
            if subnet.mask >= 0xFFFF_FFFE { return true }
            return address != subnet.network && address != subnet.network | ~subnet.mask
        }
        return false
    }

    /// The policy of the ingress interface that a packet matches, or -1. What the gateway sends
    /// itself comes in by no interface.
    @_noLocks
    static func policy(
        _ lane: Int, _ header: IPv4Header, _ interface: InterfaceRecord, _ pipeline: Pipeline
    ) -> Int {
        guard interface.policyCount > 0, !pipeline.batch.ingress[lane].isOwn else { return -1 }
        let tables = pipeline.tables
        let number = header.protocolNumber
        let transport = header.offset &+ header.headerByteCount
        var ports: UInt32?
        if number == ProtocolNumber.tcp || number == ProtocolNumber.udp,
            header.fragmentOffset == 0, header.frame.holds(4, at: transport)
        {
            ports = header.frame.loadUInt32(at: transport)
        }
        for offset in 0..<interface.policyCount {
            let index = Int(interface.firstPolicy &+ offset)
            let matches = tables.policies[index].matches(
                source: header.source.bits, destination: header.destination.bits,
                protocolNumber: number, ports: ports)
            if matches { return index }
        }
        return -1
    }
}
