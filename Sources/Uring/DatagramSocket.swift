internal import CLinux
import Glibc

/// A UDP socket over IPv4, set up for one direction of a VXLAN underlay.
///
/// Thread-safety: immutable. The descriptor closes with the last reference; a ring's own table of
/// files keeps the socket itself open until it is removed there.
public final class DatagramSocket: Sendable {
    private let owned: OwnedDescriptor
    /// Host order.
    public let address: UInt32
    public let port: UInt16
    /// Bytes the kernel granted for the queue of this direction.
    public let bufferBytes: Int
    /// The kernel coalesces (receiving) or cuts (sending) datagrams for us.
    public let hasSegmentation: Bool

    public var descriptor: Int32 { owned.number }

    private init(
        _ owned: OwnedDescriptor, _ address: UInt32, _ port: UInt16, bufferBytes: Int32,
        hasSegmentation: Bool
    ) {
        self.owned = owned
        self.address = address
        self.port = port
        self.bufferBytes = Int(bufferBytes)
        self.hasSegmentation = hasSegmentation
    }

    /// What happens to a datagram that does not fit the next link.
    public enum Fragmentation: Sendable {
        /// Never fragmented, DF clear: RFC 7348 section 4.3. Too long for the device is EMSGSIZE.
        case never
        /// Never fragmented, DF set: too long for the path as far as known is EMSGSIZE.
        case neverAndMarked
    }

    /// A socket that receives on (address, port), both in host order.
    /// - Parameters:
    ///   - isFirst: nobody else may hold the port yet, another vxgate included. Later sockets of
    ///     the same process (one for each worker) say false and share it; the kernel spreads flows.
    ///   - receiveBufferBytes: wanted; beyond net.core.rmem_max only with CAP_NET_ADMIN.
    ///   - coalesces: let the kernel merge datagrams of a flow (UDP_GRO).
    /// - Throws: port in use, address not on this host, or missing permission.
    public static func receiving(
        address: UInt32, port: UInt16, isFirst: Bool, receiveBufferBytes: Int,
        coalesces: Bool = false
    ) throws(UringError) -> DatagramSocket {
        let owned = try openSocket()
        try set(owned, internetLevel, IP_RECVTOS, 1, "receive the TOS of datagrams")
        let granted = vx_set_receive_buffer(owned.number, Int32(clamping: receiveBufferBytes))
        if !isFirst { try set(owned, SOL_SOCKET, SO_REUSEPORT, 1, "share a UDP port") }
        try bind(owned, address, port)
        // Only now: the bind above had to fail if anyone else holds the port.
        if isFirst { try set(owned, SOL_SOCKET, SO_REUSEPORT, 1, "share a UDP port") }
        let merges = coalesces && vx_set_option(owned.number, 17, VX_UDP_GRO, 1) == 0
        return DatagramSocket(
            owned, address, port, bufferBytes: max(0, granted), hasSegmentation: merges)
    }

    /// Has the kernel give each conversation to one of the sockets that share the port: all of
    /// `sockets`, in the order in which they were made. Without permission its own hash does that,
    /// for each direction by itself.
    public static func steer(_ sockets: [DatagramSocket]) throws(UringError) {
        guard sockets.count > 1,
            let steering = try? FlowSteering(.datagrams, workers: sockets.count)
        else { return }
        try steering.steer(datagrams: sockets[0].descriptor)
    }

    /// A socket that sends from (address, port), both in host order.
    /// - Parameters:
    ///   - port: shared by the sockets of all workers.
    ///   - ttl: of every datagram that does not carry its own, 1...255.
    ///   - tos: likewise, DSCP and ECN.
    ///   - isChecksummed: false sends a zero UDP checksum, and excludes segmented sends.
    ///   - sendBufferBytes: wanted; beyond net.core.wmem_max only with CAP_NET_ADMIN.
    /// - Throws: port in use, address not on this host, or missing permission.
    public static func sending(
        address: UInt32, port: UInt16, ttl: UInt8 = 64, tos: UInt8 = 0,
        fragmentation: Fragmentation = .never, isChecksummed: Bool = false,
        sendBufferBytes: Int = 4 << 20
    ) throws(UringError) -> DatagramSocket {
        let owned = try openSocket()
        try set(owned, SOL_SOCKET, SO_REUSEPORT, 1, "share a UDP port")
        let granted = vx_set_send_buffer(owned.number, Int32(clamping: sendBufferBytes))
        // Nothing is received here: what strangers send to the port shall hold no memory.
        _ = vx_set_option(owned.number, SOL_SOCKET, SO_RCVBUF, 0)
        try set(owned, internetLevel, IP_TTL, Int32(max(1, ttl)), "set the outer TTL")
        try set(owned, internetLevel, IP_TOS, Int32(tos), "set the outer TOS")
        let discovery: Int32 =
            switch fragmentation {
            case .never: 4  // IP_PMTUDISC_INTERFACE
            case .neverAndMarked: 2  // IP_PMTUDISC_DO
            }
        try set(owned, internetLevel, IP_MTU_DISCOVER, discovery, "set the DF policy")
        if !isChecksummed {
            try set(owned, SOL_SOCKET, SO_NO_CHECK, 1, "switch off the UDP checksum")
        }
        try bind(owned, address, port)
        let cuts =
            isChecksummed && vx_set_option(owned.number, 17, VX_UDP_SEGMENT, 1400) == 0
            && vx_set_option(owned.number, 17, VX_UDP_SEGMENT, 0) == 0
        return DatagramSocket(
            owned, address, port, bufferBytes: max(0, granted), hasSegmentation: cuts)
    }

    /// Datagrams lost because the receive buffer was full, since the socket was made.
    public var overflowDrops: UInt64 { UInt64(max(0, vx_socket_drops(descriptor))) }

    /// The path MTU the kernel holds for `destination` (an ICMP too-big lowers it for a while);
    /// nil when there is no route.
    public func pathMTU(to destination: UInt32) -> Int? {
        let result = vx_path_mtu(address, destination)
        return result > 0 ? Int(result) : nil
    }
}

private let internetLevel: Int32 = 0

extension DatagramSocket {
    static func openSocket() throws(UringError) -> OwnedDescriptor {
        let type = Int32(SOCK_DGRAM.rawValue) | O_NONBLOCK | O_CLOEXEC
        let number = socket(AF_INET, type, 0)
        guard number >= 0 else {
            let code = errno
            guard code == EMFILE || code == ENFILE else {
                throw UringError.unexpected("open a UDP socket", code)
            }
            throw UringError(
                "no file descriptor is left for a UDP socket",
                remedy: "raise the limit (`ulimit -n`, systemd LimitNOFILE=) or lower"
                    + " vtep.source-ports", code: code)
        }
        return OwnedDescriptor(number)
    }

    private static func set(
        _ owned: OwnedDescriptor, _ level: Int32, _ name: Int32, _ value: Int32, _ action: String
    ) throws(UringError) {
        let result = vx_set_option(owned.number, level, name, value)
        guard result == 0 else { throw UringError.unexpected(action, result) }
    }

    private static func bind(
        _ owned: OwnedDescriptor, _ address: UInt32, _ port: UInt16
    ) throws(UringError) {
        let result = vx_bind_ipv4(owned.number, address, port)
        guard result != 0 else { return }
        let text = dotted(address)
        switch -result {
        case EADDRINUSE:
            throw UringError(
                "udp port \(port) on \(text) is in use",
                remedy: "stop the other VXLAN program (`ss -lunp 'sport = \(port)'` names it) or"
                    + " set vtep.udp-port", code: EADDRINUSE)
        case EADDRNOTAVAIL:
            throw UringError(
                "\(text) is not an address of this host",
                remedy: "add it to a device (`ip address add \(text)/32 dev lo`) or correct"
                    + " vtep.address", code: EADDRNOTAVAIL)
        case EACCES, EPERM:
            throw UringError(
                "udp port \(port) on \(text) needs a permission",
                remedy: "run as root or give CAP_NET_BIND_SERVICE", code: -result)
        default:
            throw UringError.unexpected("bind udp port \(port) on \(text)", result)
        }
    }

    static func dotted(_ address: UInt32) -> String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
    }
}
