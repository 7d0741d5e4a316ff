import Testing
import Uring

/// Packet sockets on `right` of a veth pair; a UDP socket sends into `left`.
final class PacketBench {
    let lab: Lab
    let loop: Loop
    let sockets: [PacketSocket]
    let files: [UringFile]
    private let user: DatagramSocket
    private let userFile: UringFile

    init(
        sockets count: Int, bypass: Bool = false, receiveBufferBytes: Int = 1 << 20,
        fragmentation: DatagramSocket.Fragmentation = .never
    ) throws {
        lab = try Lab(namespaces: 2)
        for space in lab.namespaces {
            try Lab.require("ip netns exec \(space) sysctl -w net.ipv6.conf.default.disable_ipv6=1")
        }
        try lab.connect()
        loop = try Loop(buffers: 64)
        sockets = try NetworkNamespace.run(in: lab.namespaces[1]) { () throws(UringError) in
            try PacketSocket.open(
                device: "right", count: count, receiveBufferBytes: receiveBufferBytes,
                bypassesQueue: bypass)
        }
        for socket in sockets { loop.receive(.packets, socket.descriptor) }
        files = sockets.map { [loop] in loop.ring.register($0.descriptor) }
        user = try NetworkNamespace.run(in: lab.namespaces[0]) { () throws(UringError) in
            try DatagramSocket.sending(
                address: Lab.address(1), port: 50001, tos: 0x28, fragmentation: fragmentation,
                isChecksummed: true)
        }
        userFile = loop.ring.register(user.descriptor)
    }

    func send(
        payload: Int, to address: UInt32, port: Int = 5000, tos: UInt8? = nil, ttl: UInt8? = nil
    ) throws {
        let bytes = [UInt8](repeating: 3, count: payload)
        let operation = try #require(
            loop.sender.beginDatagram(from: userFile, to: address, port: UInt16(port)))
        loop.append(bytes, to: operation)
        if let tos { operation.setTOS(tos) }
        if let ttl { operation.setTTL(ttl) }
        #expect(loop.sender.commit(operation, tag: Loop.sendTag))
        loop.ring.submit()
        loop.reapSends()
        #expect(loop.results.last == Int32(payload))
    }

    /// The packet of a completion if it carries IPv4 and UDP.
    func udpPacket(_ completion: Completion) -> ReceivedPacket? {
        guard let packet = ReceivedPacket.parse(completion, in: loop.buffers),
            packet.frameLength >= 42, unsafe packet.frame[12] == 8, unsafe packet.frame[23] == 17
        else { return nil }
        return packet
    }
}
