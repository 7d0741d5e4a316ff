internal import Memory
internal import Uring
internal import Wire

/// Where a worker's frames leave: one device, or the UDP sockets of a tunnel.
struct SendRoute {
    enum Kind: Sendable, BitwiseCopyable {
        case messages, tap, tunnel
    }

    let kind: Kind
    /// One file for a device, one for each outer source port of a tunnel.
    let files: Column<UringFile>
    /// Of a tunnel's other end, host order.
    let address: UInt32
    let port: UInt16
    /// The kernel cuts one send into many datagrams.
    var isSegmented: Bool

    var isTunnel: Bool { @_noLocks get { kind == .tunnel } }

    /// A device.
    init(_ device: FramePort, ring: UringInstance) {
        kind = device.kind == .tap ? .tap : .messages
        files = Column(count: 1, repeating: ring.register(device.descriptor))
        address = 0
        port = 0
        isSegmented = false
    }

    /// A tunnel, from `sockets`.
    init(_ tunnel: TunnelPlan, sockets: [DatagramSocket], ring: UringInstance) {
        kind = .tunnel
        files = Column(
            sockets.map { ring.register($0.descriptor) }, default: UringFile(descriptor: -1))
        address = tunnel.address.bits
        port = tunnel.port
        isSegmented = sockets.allSatisfy(\.hasSegmentation)
    }
}
