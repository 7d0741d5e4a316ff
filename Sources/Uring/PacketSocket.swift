internal import CLinux
import Glibc

/// A packet socket on an existing network device: every frame the device receives, and a way to
/// send frames out of it. Frames carry a 10-byte `OffloadHeader` both ways.
///
/// Thread-safety: immutable, except that `takeLosses` clears the kernel's count: one caller.
public final class PacketSocket: Sendable {
    private let owned: OwnedDescriptor
    public let device: NetworkDevice
    /// Bytes the kernel granted for its queue.
    public let bufferBytes: Int

    public var descriptor: Int32 { owned.number }

    /// Opens one socket for each worker. The kernel gives each flow to one of them: by a program
    /// (`FlowSteering`) where that is permitted, else by a hash of its own.
    ///
    /// Nothing is in a socket before all its options are set, and no frame is in two sockets.
    /// - Parameters:
    ///   - device: of the current network namespace.
    ///   - receiveBufferBytes: wanted for each; beyond net.core.rmem_max with CAP_NET_ADMIN.
    ///   - bypassesQueue: sends past the device's queueing discipline: cheaper on a NIC, but a
    ///     device without TCP segmentation then drops super-packets.
    /// - Throws: no such device, or no permission.
    public static func open(
        device name: String, count: Int, receiveBufferBytes: Int, bypassesQueue: Bool = false
    ) throws(UringError) -> [PacketSocket] {
        precondition(count >= 1 && count <= 256)
        let device = try NetworkDevice.named(name)
        var sockets: [PacketSocket] = []
        var group: Int32?
        let steering = count > 1 ? try? FlowSteering(.sniffed, workers: count) : nil
        for _ in 0..<count {
            let socket = try PacketSocket(
                device: device, receiveBufferBytes: receiveBufferBytes,
                bypassesQueue: bypassesQueue)
            if count > 1 {
                group = try socket.joinFanout(group, isSteered: steering != nil)
                try steering?.steer(sniffed: socket.descriptor)
            }
            let opened = vx_packet_open_gate(socket.descriptor)
            guard opened == 0 else {
                throw UringError.unexpected("open the packet socket of \(name)", opened)
            }
            sockets.append(socket)
        }
        return sockets
    }

    private init(
        device: NetworkDevice, receiveBufferBytes: Int, bypassesQueue: Bool
    ) throws(UringError) {
        let name = device.name
        // Protocol 0: it receives nothing before the bind names one.
        let type = Int32(SOCK_RAW.rawValue) | O_NONBLOCK | O_CLOEXEC
        let number = socket(AF_PACKET, type, 0)
        guard number >= 0 else { throw Self.explain(errno, name) }
        owned = OwnedDescriptor(number)
        self.device = device
        let granted = vx_set_receive_buffer(number, Int32(clamping: receiveBufferBytes))
        bufferBytes = Int(max(0, granted))
        var options: [(Int32, String)] = [
            (15, "carry offload headers (PACKET_VNET_HDR)"),
            (8, "carry VLAN tags (PACKET_AUXDATA)"),
            (23, "leave out what the host sends (PACKET_IGNORE_OUTGOING)"),
        ]
        if bypassesQueue { options.append((20, "bypass the queue (PACKET_QDISC_BYPASS)")) }
        for (option, action) in options {
            let result = vx_set_option(number, Self.level, option, 1)
            guard result == 0 else {
                throw UringError.unexpected("make the packet socket of \(name) \(action)", result)
            }
        }
        // The gate stays closed until the socket is in its group: before, it would receive what
        // its siblings receive too.
        for result in [
            vx_packet_close_gate(number), vx_packet_bind(number, device.index),
            vx_packet_promiscuous(number, device.index),
        ] where result != 0 {
            throw Self.explain(-result, name)
        }
    }

    /// Frames that the kernel lost at this socket since the last call.
    public func takeLosses() -> UInt64 {
        var received: UInt32 = 0
        var dropped: UInt32 = 0
        guard unsafe vx_packet_drops(descriptor, &received, &dropped) == 0 else { return 0 }
        return UInt64(dropped)
    }

    /// Joins group `group`, or makes a new one when it is nil.
    /// - Returns: the group's number.
    private func joinFanout(_ group: Int32?, isSteered: Bool) throws(UringError) -> Int32 {
        let mode = isSteered ? VX_PACKET_FANOUT_EBPF : VX_PACKET_FANOUT_HASH
        let unique = group == nil ? VX_PACKET_FANOUT_FLAG_UNIQUE_ID : 0
        let base = group ?? 0
        // The group has its own setting for outgoing frames; older kernels do not know it, and
        // there `ReceivedPacket.isOutgoing` tells them apart.
        var result: Int32 = -EINVAL
        for flag in [VX_PACKET_FANOUT_FLAG_IGNORE_OUTGOING, 0] where result == -EINVAL {
            result = vx_set_option(
                descriptor, Self.level, 18, base | (mode | unique | flag) << 16)
        }
        guard result == 0 else {
            throw UringError.unexpected("share \(device.name) among workers", result)
        }
        if let group { return group }
        let value = vx_get_option(descriptor, Self.level, 18)
        return value & 0xFFFF
    }

    /// SOL_PACKET.
    static let level: Int32 = 263

    private static func explain(_ code: Int32, _ name: String) -> UringError {
        switch code {
        case EPERM, EACCES:
            return UringError(
                "no permission for a packet socket on \(name)",
                remedy: "run as root or give CAP_NET_RAW", code: code)
        case ENODEV, ENXIO:
            return UringError(
                "network device \(name) has gone", remedy: "create it again, then reload",
                code: code)
        case ENETDOWN:
            return UringError(
                "network device \(name) is down", remedy: "set it up (`ip link set \(name) up`)",
                code: code)
        default: return .unexpected("open a packet socket on \(name)", code)
        }
    }
}
