internal import Control
internal import Uring

/// The underlay as a worker uses it.
///
/// With sockets: one to receive from, and the shared pool to send from, by source port and by what
/// the outer header needs. The choice of DF and of the outer checksum is a socket's property, so
/// the pool has a set of sockets for each combination that the configuration can ask for.
///
/// With a tap: its queue, both ways.
final class UnderlayPlan: Sendable {
    /// nil with sockets.
    let tap: UnderlayTap?
    let receiving: [DatagramSocket]
    /// Plain datagrams: `[DF clear, DF set]`, each empty when it cannot occur, else one for each
    /// source port.
    let plain: [[DatagramSocket]]
    /// Segmented sends, whose outer checksum the kernel fills; empty when it has no UDP_SEGMENT or
    /// the checksum is off.
    let segmented: [[DatagramSocket]]
    let checksum: Configuration.OuterChecksum
    /// Where the sockets send to.
    let port: UInt16
    /// TOS and TTL the sockets were made with.
    let defaultTOS: UInt8
    let defaultTTL: UInt8

    /// What a worker receives from.
    func receivingDescriptor(_ worker: Int) -> Int32 {
        tap?.device.descriptor(of: worker) ?? receiving[worker].descriptor
    }

    /// A tap with one queue alone has one reader.
    func isRead(by worker: Int) -> Bool {
        worker == 0 || tap.map { $0.device.descriptors.count > 1 } ?? true
    }

    /// Files that a worker registers.
    var fileCount: Int { (plain + segmented).reduce(1) { $0 + $1.count } }

    init(_ vtep: Configuration.VTEP, tap: UnderlayTap) {
        self.tap = tap
        receiving = []
        plain = [[], []]
        segmented = [[], []]
        checksum = vtep.udpChecksum
        port = vtep.udpPort
        defaultTOS = 0
        defaultTTL = 0
    }

    /// Opens the sending sockets.
    init(
        _ vtep: Configuration.VTEP, address: UInt32, ports: [UInt16], receiving: [DatagramSocket]
    ) throws(UringError) {
        var ttl: UInt8 = 64
        if case .fixed(let value) = vtep.ttl { ttl = value }
        var tos: UInt8 = 0
        if case .fixed(let value) = vtep.dscp { tos = value << 2 }
        let isChecksummed = vtep.udpChecksum == .on
        var plain: [[DatagramSocket]] = []
        var segmented: [[DatagramSocket]] = []
        for fragmentation in [DatagramSocket.Fragmentation.never, .neverAndMarked] {
            let isWanted =
                vtep.df == .inherit || (vtep.df == .set) == (fragmentation == .neverAndMarked)
            func open(checksummed: Bool) throws(UringError) -> [DatagramSocket] {
                guard isWanted else { return [] }
                var sockets: [DatagramSocket] = []
                for port in ports {
                    sockets.append(
                        try DatagramSocket.sending(
                            address: address, port: port, ttl: ttl, tos: tos,
                            fragmentation: fragmentation, isChecksummed: checksummed))
                }
                return sockets
            }
            let sockets = try open(checksummed: isChecksummed)
            plain.append(sockets)
            switch vtep.udpChecksum {
            case .on: segmented.append(sockets.filter(\.hasSegmentation))
            case .off: segmented.append([])
            case .automatic:
                segmented.append(try open(checksummed: true).filter(\.hasSegmentation))
            }
        }
        tap = nil
        self.receiving = receiving
        self.plain = plain
        self.segmented = segmented
        checksum = vtep.udpChecksum
        port = vtep.udpPort
        defaultTOS = tos
        defaultTTL = ttl
    }

    /// Sets of sending sockets that a configuration asks for.
    static func setCount(_ vtep: Configuration.VTEP) -> Int {
        (vtep.df == .inherit ? 2 : 1) * (vtep.udpChecksum == .automatic ? 2 : 1)
    }
}
