internal import Memory
internal import Uring
internal import Wire

/// Where a worker's frames leave: one packet socket, or the UDP sockets of a tunnel.
struct SendRoute {
    /// A packet socket; what follows is then without meaning.
    let isDevice: Bool
    /// One file for a device, one for each outer source port of a tunnel.
    let files: Column<UringFile>
    let address: UInt32
    let port: UInt16
    let vni: VNI
    /// The kernel cuts one send into many datagrams.
    var isSegmented: Bool

    /// A device.
    init(_ socket: PacketSocket, ring: UringInstance) {
        let file = ring.register(socket.descriptor)
        isDevice = true
        files = Column(count: 1, repeating: file)
        address = 0
        port = 0
        vni = VNI(bits: 0)
        isSegmented = false
    }

    /// A tunnel, from `sockets`.
    init(_ tunnel: RunPlan.Tunnel, sockets: [DatagramSocket], ring: UringInstance) {
        isDevice = false
        files = Column(
            sockets.map { ring.register($0.descriptor) }, default: UringFile(descriptor: -1))
        address = tunnel.address.bits
        port = tunnel.port
        vni = tunnel.vni
        isSegmented = sockets.allSatisfy(\.hasSegmentation)
    }
}
