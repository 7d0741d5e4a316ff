internal import CLinux
import Glibc

/// A tap that we make: a network device whose other end is our descriptors, one for each worker.
///
/// Frames carry an `OffloadHeader` both ways, and `TunnelOffsets` behind it where tunnels are
/// offloaded. The device lives as long as its queues.
///
/// Thread-safety: immutable.
public final class TapDevice: Sendable {
    public let name: String
    /// The device's index in its own namespace.
    public let index: Int32
    /// What the device's users may leave to us: unfinished checksums and super-packets.
    public let offloads: Offloads
    /// Bytes in front of every frame: 24 with tunnel offloads, else 10.
    public let headerByteCount: Int
    private let queues: [OwnedDescriptor]

    /// One descriptor for each queue. There are as many as were asked for, or there is one alone,
    /// because the kernel let nobody say which flow goes into which (`FlowSteering`).
    public var descriptors: [Int32] { queues.map(\.number) }

    /// What worker `worker` sends into; where each has a queue, its own.
    public func descriptor(of worker: Int) -> Int32 { queues[worker % queues.count].number }

    /// The offloads of a tap, as the kernel's TUN_F_ bits.
    public struct Offloads: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let checksum = Offloads(rawValue: VX_TUN_CSUM)
        public static let tcp = Offloads(rawValue: VX_TUN_TSO4 | VX_TUN_TSO6)
        public static let tcpCongestionMarks = Offloads(rawValue: VX_TUN_TSO_ECN)
        /// UDP super-packets (Linux 6.2).
        public static let udp = Offloads(rawValue: VX_TUN_USO4 | VX_TUN_USO6)
        /// Super-packets in UDP tunnels, with and without an outer checksum (Linux 6.17).
        public static let tunnels = Offloads(
            rawValue: VX_TUN_UDP_TUNNEL_GSO | VX_TUN_UDP_TUNNEL_GSO_CSUM)

        /// Strongest first: the first that the kernel takes is in force.
        static let candidates: [Offloads] = [
            [.checksum, .tcp, .tcpCongestionMarks, .udp],
            [.checksum, .tcp, .tcpCongestionMarks],
            [.checksum, .tcp],
            [.checksum],
        ]
    }

    /// What the device is for.
    public enum Purpose: Sendable {
        /// The network card of a host.
        case accessPort
        /// A next hop of this host's routes: no ARP, no IPv6, super-packets in tunnels.
        case routed

        var traffic: FlowSteering.Traffic {
            switch self {
            case .accessPort: .hosts
            case .routed: .tunnels
            }
        }
    }

    /// - Parameters:
    ///   - name: at most 15 bytes; no device of that name may exist.
    ///   - namespace: where the device appears (see `NetworkNamespace`); nil is here.
    ///   - queues: how many workers are to read and write it.
    ///   - mtu: bytes of layer-3 packet; nil leaves the kernel's 1500.
    ///   - macAddress: of the device's own end, which belongs to its user; nil is random.
    ///   - wantsOffloads: false makes every frame complete and at most MTU-sized.
    /// - Throws: no tun module, no permission, name taken, namespace missing.
    public init(
        name: String, namespace: String? = nil, queues: Int = 1, mtu: Int? = nil,
        macAddress: UInt64? = nil, wantsOffloads: Bool = true, purpose: Purpose = .accessPort
    ) throws(UringError) {
        precondition(queues >= 1 && queues <= 256)
        // One queue keeps every order by itself, and is what remains when steering is refused.
        let steering = queues > 1 ? try? FlowSteering(purpose.traffic, workers: queues) : nil
        let made = try NetworkNamespace.run(in: namespace) { () throws(UringError) in
            try Self.make(
                name: name, queues: steering == nil ? 1 : queues, steering: steering, mtu: mtu,
                macAddress: macAddress,
                candidates: wantsOffloads ? Self.candidates(for: purpose) : [], purpose: purpose)
        }
        self.name = name
        self.queues = made.queues
        self.offloads = made.offloads
        self.headerByteCount = Self.headerByteCount(made.offloads)
        self.index = made.index
    }

    private static func candidates(for purpose: Purpose) -> [Offloads] {
        switch purpose {
        case .accessPort: Offloads.candidates
        case .routed: [Offloads.candidates[0].union(.tunnels)] + Offloads.candidates
        }
    }

    private static func headerByteCount(_ offloads: Offloads) -> Int {
        offloads.contains(.tunnels) ? TunnelOffsets.headerByteCount : OffloadHeader.byteCount
    }

    private struct Made {
        let queues: [OwnedDescriptor]
        let offloads: Offloads
        let index: Int32
    }

    private static func make(
        name: String, queues: Int, steering: FlowSteering?, mtu: Int?, macAddress: UInt64?,
        candidates: [Offloads], purpose: Purpose
    ) throws(UringError) -> Made {
        if let taken = try? NetworkDevice.named(name) {
            throw UringError(
                "the device name \(name) is taken (index \(taken.index))",
                remedy: "remove that device (`ip link delete \(name)`) or name the tap otherwise",
                code: EBUSY)
        }
        var made: [OwnedDescriptor] = []
        var offloads: Offloads = []
        for _ in 0..<queues {
            let queue = try openQueue()
            try attach(queue, name)
            offloads =
                candidates.first { vx_tap_set_offload(queue.number, $0.rawValue) == 0 } ?? []
            let result = vx_tap_set_header_length(
                queue.number, Int32(headerByteCount(offloads)))
            guard result == 0 else {
                throw UringError.unexpected("set the offload header of tap \(name)", result)
            }
            made.append(queue)
        }
        try steering?.steer(tap: made[0].number)
        if let macAddress { try NetworkDevice.setMACAddress(macAddress, of: name) }
        if let mtu { try NetworkDevice.setMTU(mtu, of: name) }
        if case .routed = purpose { try NetworkDevice.setRoutedOnly(name) }
        try NetworkDevice.setUp(true, of: name)
        return Made(
            queues: made, offloads: offloads, index: try NetworkDevice.named(name).index)
    }

    private static func openQueue() throws(UringError) -> OwnedDescriptor {
        let number = unsafe open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        if number >= 0 { return OwnedDescriptor(number) }
        let code = errno
        switch code {
        case ENOENT, ENODEV, ENXIO:
            throw UringError(
                "/dev/net/tun does not exist",
                remedy: "load the module (`modprobe tun`), or give the container the device",
                code: code)
        case EACCES, EPERM:
            throw UringError(
                "/dev/net/tun may not be opened",
                remedy: "run as root, or allow the device (systemd DeviceAllow=/dev/net/tun rw)",
                code: code)
        default: throw UringError.unexpected("open /dev/net/tun", code)
        }
    }

    private static func attach(
        _ queue: OwnedDescriptor, _ name: String
    ) throws(UringError) {
        let result = unsafe vx_tap_attach(queue.number, name)
        switch -result {
        case 0: return
        case EPERM, EACCES:
            throw UringError(
                "no permission to make tap \(name)",
                remedy: "run as root or give CAP_NET_ADMIN", code: -result)
        case EBUSY:
            throw UringError(
                "the device name \(name) is in use",
                remedy: "stop what holds it or name the tap otherwise", code: EBUSY)
        case EINVAL:
            throw UringError(
                "\(name) cannot be the name of a tap",
                remedy: "use 1 to 15 letters, digits, dots or dashes, and no existing device",
                code: EINVAL)
        default: throw UringError.unexpected("make tap \(name)", result)
        }
    }
}
