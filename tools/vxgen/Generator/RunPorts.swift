internal import CLinux
internal import Glibc
internal import Uring
internal import Wire

/// The sockets of a run, opened and checked before the first frame. Several runs may use them one
/// after the other.
public struct RunPorts: Sendable {
    /// One for each worker; empty with a tunnel.
    let devices: [FramePort]
    /// The sockets of each worker; empty with a device.
    let tunnels: [[DatagramSocket]]
    /// One for each receiving worker; empty when nothing is received.
    let receiving: [FramePort]
    /// How errors name output and input.
    let place: String
    let inputPlace: String

    /// Enough for half a second of the shortest frames at 100,000 a second; the kernel counts
    /// about 768 bytes for each.
    private static let receiveBufferBytes = 64 << 20
    /// Looks at a link, 50 ms apart, before it counts as down.
    private static let linkAttempts = 30

    /// - Throws: what is missing or does not fit, in one line.
    public init(_ plan: RunPlan) throws(GeneratorError) {
        var tap: TapDevice?
        // A tap that only receives is made first: the output may be its other side.
        if !plan.isLoop, case .tap = plan.input {
            (receiving, inputPlace) = try Self.openInput(plan, sharing: nil)
            (devices, tunnels, place) = try Self.openOutput(plan, making: &tap)
        } else {
            (devices, tunnels, place) = try Self.openOutput(plan, making: &tap)
            (receiving, inputPlace) = try Self.openInput(plan, sharing: tap)
        }
    }

    private static func openOutput(
        _ plan: RunPlan, making tap: inout TapDevice?
    ) throws(GeneratorError) -> ([FramePort], [[DatagramSocket]], String) {
        switch plan.output {
        case .device(let port):
            let place = "device \(port.device)"
            return (try openDevices(port, plan, place), [], place)
        case .tap(let port):
            let place = "tap \(port.device)"
            let made = try makeTap(port, queues: plan.workers, plan, place)
            tap = made
            return ((0..<plan.workers).map { FramePort(made, queue: $0) }, [], place)
        case .tunnel(let tunnel):
            let place = "vxlan \(tunnel.address)"
            return ([], try openTunnels(tunnel, plan, place), place)
        case .wire(let descriptor):
            return (
                Array(repeating: FramePort(wire: descriptor), count: plan.workers), [], "wire"
            )
        }
    }

    private static func openInput(
        _ plan: RunPlan, sharing tap: TapDevice?
    ) throws(GeneratorError) -> ([FramePort], String) {
        let count = plan.receiveWorkers
        switch plan.input {
        case .device(let port):
            let place = "receive \(port.device)"
            let sockets = try open(
                port, count: count, receiveBufferBytes: receiveBufferBytes, place)
            return (sockets.map { FramePort($0) }, place)
        case .tap(let port):
            let place = "receive \(port.device)"
            if plan.isLoop, let tap {
                return ((0..<plan.workers).map { FramePort(tap, queue: $0) }, place)
            }
            let made = try makeTap(port, queues: count, plan, place)
            return ((0..<count).map { FramePort(made, queue: $0) }, place)
        case .tunnel(let end):
            let place = "receive vxlan \(end.address)"
            var ports: [FramePort] = []
            for number in 0..<count {
                let socket = try attempt(place) { () throws(UringError) in
                    try NetworkNamespace.run(in: end.namespace) { () throws(UringError) in
                        try DatagramSocket.receiving(
                            address: end.address.bits, port: end.port, isFirst: number == 0,
                            receiveBufferBytes: receiveBufferBytes, coalesces: true)
                    }
                }
                ports.append(FramePort(socket))
            }
            return (ports, place)
        case .wire(let descriptor): return ([FramePort(wire: descriptor)], "receive wire")
        case nil: return ([], "")
        }
    }

    /// A port that both receives and sends.
    static func openAnswering(_ input: RunPlan.Input) throws(GeneratorError) -> FramePort {
        switch input {
        case .device(let port):
            let sockets = try open(
                port, count: 1, receiveBufferBytes: receiveBufferBytes, "device \(port.device)")
            return FramePort(sockets[0])
        case .tap(let port):
            let tap = try attempt("tap \(port.device)") { () throws(UringError) in
                try TapDevice(name: port.device, namespace: port.namespace)
            }
            return FramePort(tap, queue: 0)
        case .wire(let descriptor): return FramePort(wire: descriptor)
        case .tunnel: preconditionFailure("hosts are not behind the end of a tunnel")
        }
    }

    private static func makeTap(
        _ port: RunPlan.Port, queues: Int, _ plan: RunPlan, _ place: String
    ) throws(GeneratorError) -> TapDevice {
        let needed = plan.longestFrame - FrameWriter.checkByteCount - EthernetHeader.byteCount
        return try attempt(place) { () throws(UringError) in
            try TapDevice(
                name: port.device, namespace: port.namespace, queues: queues,
                mtu: max(1500, needed))
        }
    }

    private static func openDevices(
        _ port: RunPlan.Port, _ plan: RunPlan, _ place: String
    ) throws(GeneratorError) -> [FramePort] {
        var ports: [FramePort] = []
        for _ in 0..<plan.workers {
            let socket = try open(port, count: 1, receiveBufferBytes: 0, place)[0]
            // It only sends: what the device receives shall not be copied to it.
            _ = vx_packet_close_gate(socket.descriptor)
            ports.append(FramePort(socket))
        }
        let mtu = ports[0].mtu ?? 0
        for stream in plan.streams {
            let tag = stream.space.vlans == nil ? 0 : EthernetHeader.tagByteCount
            let longest = stream.sizes.longest
            let needed =
                longest - FrameWriter.checkByteCount - EthernetHeader.byteCount - tag
            guard needed <= mtu else {
                throw GeneratorError(
                    place,
                    "frames of \(longest) bytes need an MTU of \(needed), it has \(mtu)",
                    remedy: "lower --size, or `ip link set \(port.device) mtu \(needed)`")
            }
        }
        return ports
    }

    private static func openTunnels(
        _ tunnel: TunnelPlan, _ plan: RunPlan, _ place: String
    ) throws(GeneratorError) -> [[DatagramSocket]] {
        let source = tunnel.source?.bits ?? 0
        let sockets: [[DatagramSocket]]
        do throws(UringError) {
            sockets = try NetworkNamespace.run(in: tunnel.namespace) { () throws(UringError) in
                try openSockets(tunnel, source, workers: plan.workers)
            }
        } catch {
            throw explain(error, tunnel, place)
        }
        let mtu = try attempt(place) { () throws(UringError) in
            try NetworkNamespace.run(in: tunnel.namespace) {
                sockets[0][0].pathMTU(
                    to: tunnel.address.bits)
            }
        }
        guard let mtu else {
            throw GeneratorError(
                place, "there is no route to it",
                remedy: "add one, or correct --vxlan (`ip route get \(tunnel.address)`)")
        }
        let needed = plan.longestFrame - FrameWriter.checkByteCount + OuterHeader.frameOverhead
        guard needed <= mtu else {
            throw GeneratorError(
                place,
                "frames of \(plan.longestFrame) bytes need an underlay MTU of \(needed), it is"
                    + " \(mtu)", remedy: "lower --size or raise the MTU of the underlay")
        }
        return sockets
    }

    /// A refusal in the words of the generator's own options.
    private static func explain(
        _ error: UringError, _ tunnel: TunnelPlan, _ place: String
    ) -> GeneratorError {
        if error.code == EADDRNOTAVAIL, let source = tunnel.source {
            return GeneratorError(
                place, "\(source) is not an address of this host",
                remedy: "correct --vxlan-source, or leave it out")
        }
        let isPorts = error.remedy.contains("source-ports")
        return GeneratorError(
            place, error.what, remedy: isPorts ? "lower --source-ports" : error.remedy)
    }

    private static func openSockets(
        _ tunnel: TunnelPlan, _ source: UInt32, workers: Int
    ) throws(UringError) -> [[DatagramSocket]] {
        let count = tunnel.sourcePorts * workers
        try SourcePorts.reserveDescriptors(for: count)
        let ports = try SourcePorts.pick(count, address: source)
        var sets: [[DatagramSocket]] = []
        for worker in 0..<workers {
            var set: [DatagramSocket] = []
            for index in 0..<tunnel.sourcePorts {
                set.append(
                    try DatagramSocket.sending(
                        address: source, port: ports[worker * tunnel.sourcePorts + index],
                        ttl: tunnel.timeToLive, tos: tunnel.typeOfService,
                        fragmentation: tunnel.dontFragment ? .neverAndMarked : .never,
                        isChecksummed: true))
            }
            sets.append(set)
        }
        return sets
    }

    private static func open(
        _ port: RunPlan.Port, count: Int, receiveBufferBytes: Int, _ place: String
    ) throws(GeneratorError) -> [PacketSocket] {
        let sockets = try attempt(place) { () throws(UringError) in
            try NetworkNamespace.run(in: port.namespace) { () throws(UringError) in
                try PacketSocket.open(
                    device: port.device, count: count, receiveBufferBytes: receiveBufferBytes,
                    bypassesQueue: true)
            }
        }
        if sockets[0].device.isUp { return sockets }
        // A link that has just been set up is reported with a delay of up to a second.
        for _ in 0..<linkAttempts {
            vx_sleep_microseconds(50_000)
            let device = try attempt(place) { () throws(UringError) in
                try NetworkNamespace.run(in: port.namespace) { () throws(UringError) in
                    try NetworkDevice.named(port.device)
                }
            }
            if device.isUp { return sockets }
        }
        throw GeneratorError(
            place, "it is down or has no carrier",
            remedy: "set it and its other end up (`ip link set \(port.device) up`)")
    }

    private static func attempt<Value>(
        _ place: String, _ work: () throws(UringError) -> Value
    ) throws(GeneratorError) -> Value {
        do throws(UringError) {
            return try work()
        } catch {
            throw GeneratorError(place, error.what, remedy: error.remedy)
        }
    }
}
