internal import Uring

/// One port of emulated hosts, as the ring knows it.
struct AnswerPort {
    let port: FramePort
    let file: UringFile
    let receiver: MultishotReceiver

    /// The lowest bits of user data belong to sends; receives are numbered beyond.
    static func userData(_ number: Int) -> UInt64 { 1 << 48 | UInt64(number) }

    init(_ port: FramePort, number: Int, ring: UringInstance, buffers: BufferRing) {
        self.port = port
        file = ring.register(port.descriptor)
        let kind: MultishotReceiver.Kind =
            port.kind == .tap
            ? (UringFeatures(probing: ring).hasMultishotRead ? .frames : .singleFrames) : .packets
        receiver = MultishotReceiver(
            kind: kind, file: file, buffers: buffers, userData: Self.userData(number))
    }
}
