public import Tables
internal import Wire

/// ARP and ICMP frames of the gateway's own, as bytes. Cold code: each makes an array.
enum ARPFrame {
    /// 42 bytes; who sends it pads it where a medium asks for that.
    static func bytes(
        operation: UInt16, source: MACAddress, destination: MACAddress, senderIP: IPv4Address,
        targetMAC: MACAddress, targetIP: IPv4Address
    ) -> [UInt8] {
        var bytes = [UInt8](
            repeating: 0, count: EthernetHeader.byteCount + ARPPacket.byteCount)
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let frame = unsafe FrameView(base: base, count: buffer.count)
            EthernetHeader(frame: frame, at: 0).emit(
                destination: destination, source: source, etherType: EtherType.arp)
            ARPPacket(frame: frame, at: EthernetHeader.byteCount).emit(
                operation: operation, senderMAC: source, senderIP: senderIP,
                targetMAC: targetMAC, targetIP: targetIP)
        }
        return bytes
    }

    /// A broadcast question.
    static func request(
        source: MACAddress, senderIP: IPv4Address, targetIP: IPv4Address,
        destination: MACAddress = .broadcast
    ) -> [UInt8] {
        bytes(
            operation: ARPPacket.request, source: source, destination: destination,
            senderIP: senderIP, targetMAC: .zero, targetIP: targetIP)
    }

    /// The answer to one asker.
    static func reply(
        source: MACAddress, senderIP: IPv4Address, asker: MACAddress, askerIP: IPv4Address
    ) -> [UInt8] {
        bytes(
            operation: ARPPacket.reply, source: source, destination: asker, senderIP: senderIP,
            targetMAC: asker, targetIP: askerIP)
    }
}

extension Agent {
    /// A frame that a worker has made and could not send: the VTEP it is for had no index.
    public func send(_ frame: [UInt8], vsi: Int, place: Destination) {
        guard place != .unknownPeer else { return }
        orders.append(.send(frame, vsi: vsi, place: place))
    }
}

extension FrameView {
    /// Runs `body` with a view over a copy of `bytes`.
    static func overCopy<Result>(of bytes: [UInt8], _ body: (FrameView) -> Result?) -> Result? {
        var copy = bytes
        return unsafe copy.withUnsafeMutableBufferPointer { buffer -> Result? in
            guard let base = buffer.baseAddress else { return nil }
            return body(unsafe FrameView(base: base, count: buffer.count))
        }
    }
}
