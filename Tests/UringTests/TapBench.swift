import Testing
import Uring

/// A tap in a namespace, whose kernel sends UDP into it.
final class TapBench {
    let lab: Lab
    let tap: TapDevice
    let loop: Loop
    let file: UringFile
    let user: DatagramSocket
    let userFile: UringFile

    var space: String { lab.namespaces[0] }

    init(queues: Int, kind: MultishotReceiver.Kind = .frames, bufferLength: Int = 66_000) throws {
        lab = try Lab(namespaces: 1)
        let space = lab.namespaces[0]
        try Lab.require("ip netns exec \(space) sysctl -w net.ipv6.conf.default.disable_ipv6=1")
        tap = try TapDevice(
            name: "tap0", namespace: space, queues: queues, mtu: 1450,
            macAddress: 0x0200_0000_0001)
        try Lab.require("ip -n \(space) address add 10.77.0.1/24 dev tap0")
        try lab.neighbor(space, "tap0", "10.77.0.2", "02:00:00:00:00:02")
        loop = try Loop(bufferLength: bufferLength)
        for descriptor in tap.descriptors { loop.receive(kind, descriptor) }
        file = loop.ring.register(tap.descriptors[0])
        user = try NetworkNamespace.run(in: space) { () throws(UringError) in
            try DatagramSocket.sending(address: Lab.address(1), port: 50001, isChecksummed: true)
        }
        userFile = loop.ring.register(user.descriptor)
    }

    /// The namespace sends to a host behind the tap.
    func send(bytes: Int, segment: UInt16?, mark: UInt8) throws -> Int {
        var payload = [UInt8](repeating: 0, count: bytes)
        payload[0] = mark
        let operation = try #require(
            loop.sender.beginDatagram(from: userFile, to: Lab.address(2), port: 5000))
        loop.append(payload, to: operation)
        if let segment { operation.setSegmentSize(segment) }
        let before = loop.results.count
        #expect(loop.sender.commit(operation, tag: Loop.sendTag))
        // Sends are done when the submission returns; the frame waits in the tap.
        loop.ring.submit()
        loop.reapSends()
        #expect(loop.results.count == before + 1)
        return Int(loop.results.last ?? -1)
    }

    /// The frame of a completion if it carries IPv4 and UDP.
    func udpFrame(_ completion: Completion) -> ReceivedFrame? {
        guard let frame = ReceivedFrame.parse(completion, in: loop.buffers),
            frame.frameLength > 42, unsafe frame.frame[12] == 8, unsafe frame.frame[23] == 17
        else { return nil }
        return frame
    }
}
