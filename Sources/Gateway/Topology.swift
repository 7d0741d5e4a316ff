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
            case .tap(let tap): tap.descriptor(of: worker)
            case .packet(let sockets): sockets[worker].descriptor
            }
        }

        /// Worker `worker` of several receives from it. The device whose number is `index` has one
        /// reader where it has one queue alone, and the devices take turns among the workers.
        func isRead(by worker: Int, of workers: Int, index: Int) -> Bool {
            switch self {
            case .tap(let tap): tap.descriptors.count > 1 || index % workers == worker
            case .packet: true
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
    ///   - underlayMTU: 0 when unknown. A tap that vxgate makes takes what tunnels leave of it, or
    ///     what the kernel gives it.
    ///   - waits: for a name that is taken, as one that a killed gateway had may be (`Patience`).
    func open(
        _ key: DeviceKey, underlayMTU: Int = 0, waits: Bool = false
    ) throws(GatewayError) -> Device {
        let mtu = underlayMTU > 0 ? underlayMTU - OuterHeader.packetOverhead : nil
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
