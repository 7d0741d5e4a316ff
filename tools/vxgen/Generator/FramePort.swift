internal import Uring

/// An open socket or tap queue, with what keeps it open.
struct FramePort: Sendable {
    enum Kind: Sendable {
        /// A packet socket, or a wire of this process: messages.
        case messages
        /// A queue of a tap: reads and writes.
        case tap
        /// A UDP socket that receives VXLAN.
        case datagrams
    }

    let kind: Kind
    let descriptor: Int32
    private let socket: PacketSocket?
    private let underlay: DatagramSocket?
    private let tap: TapDevice?

    /// The MTU of the device; nil where there is none.
    var mtu: Int? { socket?.device.mtu }

    init(_ socket: PacketSocket) {
        self.init(.messages, socket.descriptor, socket: socket)
    }

    init(_ tap: TapDevice, queue: Int) {
        self.init(.tap, tap.descriptors[queue], tap: tap)
    }

    init(_ underlay: DatagramSocket) {
        self.init(.datagrams, underlay.descriptor, underlay: underlay)
    }

    /// - Parameter wire: stays its owner's, who keeps it open for the run.
    init(wire: Int32) { self.init(.messages, wire) }

    private init(
        _ kind: Kind, _ descriptor: Int32, socket: PacketSocket? = nil,
        underlay: DatagramSocket? = nil, tap: TapDevice? = nil
    ) {
        self.kind = kind
        self.descriptor = descriptor
        self.socket = socket
        self.underlay = underlay
        self.tap = tap
    }

    /// Frames that the socket itself lost so far, of which `before` are known; a tap does not say.
    func losses(before: UInt64) -> UInt64 {
        if let socket { return before + socket.takeLosses() }
        return underlay?.overflowDrops ?? 0
    }
}
