internal import Wire

/// An ICMP echo request of the gateway's own, and what may come back for it (RFC 792).
struct EchoFrame: Equatable {
    var origin: MACAddress
    var source: IPv4Address
    var destination: IPv4Address
    var identifier: UInt16
    var sequence: UInt16
    /// Nanoseconds of the monotonic clock, at the start of the data where there is room.
    var timestamp: UInt64
    /// Bytes of data.
    var size: Int

    /// The route stage takes one off, so that the first link sees 64.
    private static let timeToLive: UInt8 = 65
    private static let icmpOffset = EthernetHeader.byteCount + IPv4Header.byteCount

    /// Addressed to the MAC of the interface it is sent from: what a host of its VSI would send to
    /// be routed. It may not be fragmented, as fragments of a reply would not be put together here.
    var bytes: [UInt8] {
        let start = EthernetHeader.byteCount
        var bytes = [UInt8](repeating: 0, count: Self.icmpOffset) + [0, 0, 0, 0, 0, 0, 0, 0] + data
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let frame = unsafe FrameView(base: base, count: buffer.count)
            EthernetHeader(frame: frame, at: 0).emit(
                destination: origin, source: origin, etherType: EtherType.ipv4)
            IPv4Header(frame: frame, at: start).emit(
                source: source, destination: destination, protocolNumber: ProtocolNumber.icmp,
                totalLength: buffer.count - start, timeToLive: Self.timeToLive, typeOfService: 0,
                identification: sequence, dontFragment: true)
            ICMPv4(frame: frame, at: Self.icmpOffset, length: buffer.count - Self.icmpOffset)
                .emitEcho(
                    type: ICMPv4.MessageType.echoRequest, identifier: identifier,
                    sequence: sequence)
        }
        return bytes
    }

    /// The time, then bytes that count up, as ping(8) has them.
    var data: [UInt8] {
        let time = (0..<8).map { UInt8(truncatingIfNeeded: timestamp >> (56 - 8 * $0)) }
        let pattern = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        return size < 8 ? pattern : time + pattern[8...]
    }
}

/// What a received frame says about an echo request of the gateway's own.
struct EchoAnswer: Equatable {
    /// Sender of the message: the host itself, or a router on the way.
    var from: IPv4Address
    var type: UInt8
    var code: UInt8
    var timeToLive: UInt8
    /// Of "fragmentation needed".
    var mtu: Int
    var identifier: UInt16
    var sequence: UInt16
    /// Where the request was sent to.
    var destination: IPv4Address
    /// Data of a reply.
    var data: [UInt8]

    /// Nil for what is no sound answer: too short, a wrong checksum, an error about something else.
    init?(frame bytes: [UInt8]) {
        let made = Self.withFrame(bytes) { frame -> EchoAnswer? in
            guard let (header, message) = Self.message(frame), case .valid = message.check()
            else { return nil }
            switch message.type {
            case ICMPv4.MessageType.echoReply: return EchoAnswer(reply: message, header)
            case ICMPv4.MessageType.unreachable, ICMPv4.MessageType.timeExceeded:
                return EchoAnswer(error: message, header)
            default: return nil
            }
        }
        guard let made else { return nil }
        self = made
    }

    /// What the gateway says itself about a request that it could not send on.
    ///
    /// - Parameter bytes: the request, from its Ethernet header on.
    init?(refused bytes: [UInt8], type: UInt8, code: UInt8, mtu: Int) {
        let made = Self.withFrame(bytes) { frame -> EchoAnswer? in
            guard let (header, request) = Self.message(frame),
                request.type == ICMPv4.MessageType.echoRequest
            else { return nil }
            return EchoAnswer(about: request, header, from: header.source)
        }
        guard var made else { return nil }
        made.type = type
        made.code = code
        made.mtu = mtu
        self = made
    }

    private init(about request: ICMPv4, _ header: IPv4Header, from: IPv4Address) {
        self.from = from
        type = request.type
        code = request.code
        timeToLive = header.timeToLive
        mtu = 0
        identifier = request.identifier
        sequence = request.sequence
        destination = header.destination
        data = []
    }

    private init(reply: ICMPv4, _ header: IPv4Header) {
        self.init(about: reply, header, from: header.source)
        destination = header.source
        let start = reply.offset + ICMPv4.byteCount
        data = (start..<reply.offset + reply.length).map { reply.frame.loadUInt8(at: $0) }
    }

    private init?(error: ICMPv4, _ header: IPv4Header) {
        let start = error.offset + ICMPv4.byteCount
        guard error.frame.holds(IPv4Header.byteCount + ICMPv4.byteCount, at: start),
            error.frame.loadUInt8(at: start) == 0x45
        else { return nil }
        let quoted = IPv4Header(frame: error.frame, at: start)
        // The quote ends where the message does, so it is asked no further than the echo's fields.
        let request = ICMPv4(
            frame: error.frame, at: start + IPv4Header.byteCount, length: ICMPv4.byteCount)
        guard quoted.protocolNumber == ProtocolNumber.icmp,
            request.type == ICMPv4.MessageType.echoRequest
        else { return nil }
        self.init(about: request, quoted, from: header.source)
        type = error.type
        code = error.code
        timeToLive = header.timeToLive
        let needsFragmenting =
            error.type == ICMPv4.MessageType.unreachable
            && error.code == ICMPv4.UnreachableCode.fragmentationNeeded
        mtu = needsFragmenting ? Int(error.nextHopMTU) : 0
    }

    /// The ICMP message of a frame whose lengths fit; of a request cut short, its beginning.
    private static func message(_ frame: FrameView) -> (IPv4Header, ICMPv4)? {
        let start = EthernetHeader.byteCount
        guard frame.holds(IPv4Header.byteCount, at: start), frame.loadUInt8(at: start) >> 4 == 4
        else { return nil }
        let header = IPv4Header(frame: frame, at: start)
        let offset = start + header.headerByteCount
        let end = min(start + header.totalLength, frame.count)
        guard header.headerByteCount >= IPv4Header.byteCount,
            header.protocolNumber == ProtocolNumber.icmp, end - offset >= ICMPv4.byteCount
        else { return nil }
        return (header, ICMPv4(frame: frame, at: offset, length: end - offset))
    }

    private static func withFrame(
        _ bytes: [UInt8], _ body: (FrameView) -> EchoAnswer?
    ) -> EchoAnswer? {
        var copy = bytes
        return unsafe copy.withUnsafeMutableBufferPointer { buffer -> EchoAnswer? in
            guard let base = buffer.baseAddress else { return nil }
            return body(unsafe FrameView(base: base, count: buffer.count))
        }
    }
}
