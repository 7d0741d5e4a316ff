internal import Memory
public import Tables
internal import Wire

/// ICMP messages of the gateway's own (RFC 792, RFC 1812 section 4.3). Which packets may be
/// answered and how often was decided before: by the worker that dropped it, or here about a packet
/// that has waited.
extension Agent {
    /// The sender of the packet that `bytes` begin with shall hear what became of it.
    ///
    /// - Parameters:
    ///   - bytes: Ethernet header and the beginning of the packet.
    ///   - vsi: where it came in.
    ///   - mtu: for "fragmentation needed", else 0.
    public func icmpError(
        type: UInt8, code: UInt8, mtu: Int, about bytes: [UInt8], vsi: Int, place: Destination
    ) {
        guard !place.isOwn else {
            return refuse(OwnRefusal(type: type, code: code, mtu: mtu, bytes: bytes))
        }
        guard let name = layout.vsiOf[vsi]?.name,
            let interface = layout.interfaceOf.values.first(where: { $0.vsi == name }),
            place.isPort || place.isPeer
        else { return }
        let message = FrameView.overCopy(of: bytes) { frame -> [UInt8]? in
            let header = IPv4Header(frame: frame, at: EthernetHeader.byteCount)
            guard case .some = Self.quotable(frame) else { return nil }
            return icmpFrame(
                type: type, code: code, mtu: mtu, about: frame, header, interface)
        }
        guard let message else { return }
        orders.append(.send(message, vsi: vsi, place: place))
    }

    /// Nobody answered for the next hop of a packet that waited. Its sender hears of it under the
    /// same rules, and out of the same budget, as of what a worker drops (RFC 1812 sections 4.3.2.7
    /// and 4.3.2.8).
    func reportUnreachable(_ packet: HeldPacket, now: UInt64) {
        let bytes = Array(packet.bytes.prefix(ICMPErrorRules.quotedFrame))
        let isAllowed = FrameView.overCopy(of: bytes) { frame -> Bool? in
            guard frame.holds(EthernetHeader.byteCount, at: 0) else { return nil }
            return ICMPErrorRules.allow(frame, destination: frame.loadMACAddress(at: 0).bits)
        }
        guard isAllowed == true else { return }
        if let icmpPolicer,
            !icmpPolicer.admits(
                configuration.limits.icmpIntervalNanoseconds, burst: Policer.icmpBurst, now: now)
        {
            events.icmpRateLimited += 1
            return
        }
        icmpError(
            type: 3, code: 1, mtu: 0, about: bytes, vsi: packet.vsi, place: packet.place)
    }

    private static func quotable(_ frame: FrameView) -> Int? {
        let offset = EthernetHeader.byteCount
        guard frame.holds(IPv4Header.byteCount, at: offset),
            frame.loadUInt8(at: offset) >> 4 == 4
        else { return nil }
        let count = IPv4Header(frame: frame, at: offset).headerByteCount
        return count >= 20 && frame.holds(count, at: offset) ? count : nil
    }

    /// Ethernet, IPv4, eight bytes of ICMP, and the packet it is about, 576 bytes of IP at most.
    private func icmpFrame(
        type: UInt8, code: UInt8, mtu: Int, about frame: FrameView, _ header: IPv4Header,
        _ interface: Configuration.VSIInterface
    ) -> [UInt8]? {
        let start = EthernetHeader.byteCount
        let available = min(frame.count - start, max(header.totalLength, 0))
        let quoted = min(available, 576 - 28)
        var bytes = [UInt8](repeating: 0, count: start + 28 + quoted)
        let sender = header.source
        let own = ownAddress(interface, toward: sender)
        let source = mac(of: interface)
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let out = unsafe FrameView(base: base, count: buffer.count)
            EthernetHeader(frame: out, at: 0).emit(
                destination: frame.loadMACAddress(at: 6), source: source,
                etherType: EtherType.ipv4)
            IPv4Header(frame: out, at: start).emit(
                source: own, destination: sender, protocolNumber: ProtocolNumber.icmp,
                totalLength: 28 + quoted, timeToLive: 64, typeOfService: 0xC0,
                identification: 0, dontFragment: true)
            out.store(type, at: start + 20)
            out.store(code, at: start + 21)
            out.store(UInt16(clamping: mtu), at: start + 26)
            for offset in 0..<quoted {
                out.store(frame.loadUInt8(at: start + offset), at: start + 28 + offset)
            }
            let sum = InternetChecksum.sum(
                out, offset: start + 20, length: 8 + quoted, initial: 0)
            out.store(InternetChecksum.checksum(sum), at: start + 22)
        }
        return bytes
    }
}
