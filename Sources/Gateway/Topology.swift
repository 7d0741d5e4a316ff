internal import Control
internal import Uring
internal import Wire

/// The devices and sockets that are open, and how to open those a configuration asks for.
///
/// Thread-safety: one thread at a time.
final class Topology {
    /// A device with one queue for each worker.
    enum Device {
        case tap(TapDevice)
        case packet([PacketSocket])

        func descriptor(_ worker: Int) -> Int32 {
            switch self {
            case .tap(let tap): tap.descriptors[worker]
            case .packet(let sockets): sockets[worker].descriptor
            }
        }

        var takesDatagramSuperPackets: Bool {
            switch self {
            case .tap(let tap): tap.offloads.contains(.udp)
            case .packet: true
            }
        }

        var isTap: Bool {
            if case .tap = self { true } else { false }
        }
    }

    let workers: Int
    private(set) var devices: [DeviceKey: Device] = [:]
    /// Frames the kernel lost at packet sockets, those of closed ones included.
    private(set) var packetLosses: UInt64 = 0

    private static let receiveBufferBytes = 4 << 20

    init(workers: Int) { self.workers = workers }

    /// Opens a device without keeping it.
    /// - Parameters:
    ///   - mtu: of a tap that vxgate makes; nil leaves the kernel's.
    ///   - waits: for a name that is taken, as one that a killed gateway had may be (`Patience`).
    func open(
        _ key: DeviceKey, mtu: Int?, waits: Bool = false
    ) throws(GatewayError) -> Device {
        do throws(UringError) {
            switch key.type {
            case .tap:
                let make = { [workers] () throws(UringError) in
                    try TapDevice(
                        name: key.device, namespace: key.netns, queues: workers, mtu: mtu)
                }
                return .tap(try waits ? Patience.whileTaken(make) : make())
            case .packet:
                return .packet(
                    try PacketSocket.open(
                        device: key.device, count: workers,
                        receiveBufferBytes: Self.receiveBufferBytes))
            }
        } catch {
            throw GatewayError("access port device \(key.device): \(error)")
        }
    }

    func keep(_ device: Device, as key: DeviceKey) { devices[key] = device }

    func remove(_ key: DeviceKey) {
        collectLosses()
        devices[key] = nil
    }

    /// Adds what packet sockets have lost since the last call.
    func collectLosses() {
        for case .packet(let sockets) in devices.values {
            for socket in sockets { packetLosses += socket.takeLosses() }
        }
    }

    func clearLosses() {
        collectLosses()
        packetLosses = 0
    }

    /// A tap's link is up while it exists; a packet socket's device has a link of its own.
    func isUp(_ key: DeviceKey) -> Bool {
        switch devices[key] {
        case .tap: true
        case .packet: (try? NetworkDevice.named(key.device).isUp) ?? false
        case nil: false
        }
    }
}

/// The underlay of one gateway: where it receives and what it sends from.
struct Underlay {
    let address: UInt32
    /// The device that holds the address.
    let device: NetworkDevice?
    let ports: [UInt16]
    let receiving: [DatagramSocket]
    var plan: UnderlayPlan

    private static let receiveBufferBytes = 16 << 20

    /// Opens the sockets of the `udp` underlay.
    init(_ vtep: Configuration.VTEP, workers: Int) throws(GatewayError) {
        do throws(UringError) {
            address = try Self.resolve(vtep.address)
            device = try NetworkDevice.holding(address: address)
            let sets = Self.setCount(vtep)
            try SourcePorts.reserveDescriptors(for: vtep.sourcePorts * sets + workers)
            var sockets: [DatagramSocket] = []
            for worker in 0..<workers {
                let open = { [address] () throws(UringError) in
                    try DatagramSocket.receiving(
                        address: address, port: vtep.udpPort, isFirst: worker == 0,
                        receiveBufferBytes: Self.receiveBufferBytes, coalesces: true)
                }
                sockets.append(try worker == 0 ? Patience.whileTaken(open) : open())
            }
            receiving = sockets
            ports = try SourcePorts.pick(
                vtep.sourcePorts, address: address, takesFewer: true)
            plan = try Self.plan(vtep, address: address, ports: ports, receiving: sockets)
        } catch {
            throw GatewayError("vtep: \(error)")
        }
    }

    /// Bytes of the largest outer IPv4 packet to any of `peers`: the MTU of the device with the
    /// address, or, where that is a loopback address that is routed to, of the routes to the peers.
    /// 0 when it is not known.
    func mtu(to peers: [IPv4Address]) -> Int {
        guard let device, device.name != "lo" else {
            return peers.compactMap { receiving[0].pathMTU(to: $0.bits) }.min() ?? 0
        }
        return device.mtu
    }

    /// Opens sending sockets for other settings of the outer header.
    mutating func replan(_ vtep: Configuration.VTEP) throws(GatewayError) {
        do throws(UringError) {
            plan = try Self.plan(vtep, address: address, ports: ports, receiving: receiving)
        } catch {
            throw GatewayError("vtep: \(error)")
        }
    }

    /// What of `vtep` is a property of the sending sockets.
    static func isSameOuter(_ left: Configuration.VTEP, _ right: Configuration.VTEP) -> Bool {
        left.ttl == right.ttl && left.dscp == right.dscp && left.df == right.df
            && left.udpChecksum == right.udpChecksum
    }

    private static func resolve(
        _ source: Configuration.VTEPSource
    ) throws(UringError) -> UInt32 {
        switch source {
        case .address(let address): return address.bits
        case .interface(let name):
            guard let address = try NetworkDevice.address(of: name) else {
                throw UringError(
                    "device \(name) has no IPv4 address",
                    remedy: "give it one or set vtep.address")
            }
            return address
        }
    }

    private static func setCount(_ vtep: Configuration.VTEP) -> Int {
        (vtep.df == .inherit ? 2 : 1) * (vtep.udpChecksum == .automatic ? 2 : 1)
    }

    private static func plan(
        _ vtep: Configuration.VTEP, address: UInt32, ports: [UInt16],
        receiving: [DatagramSocket]
    ) throws(UringError) -> UnderlayPlan {
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
        return UnderlayPlan(
            receiving: receiving, plain: plain, segmented: segmented, port: vtep.udpPort,
            defaultTOS: tos, defaultTTL: ttl)
    }
}
