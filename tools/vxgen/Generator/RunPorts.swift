internal import CLinux
internal import Glibc
internal import Uring
internal import Wire

/// The sockets of a run, opened and checked before the first frame.
struct RunPorts {
    /// One for each worker; empty with a tunnel.
    let devices: [PacketSocket]
    /// The sockets of each worker; empty with a device.
    let tunnels: [[DatagramSocket]]
    let receiving: PacketSocket?
    /// How errors name the output.
    let place: String

    /// Enough for half a second of the shortest frames at 100,000 a second; the kernel counts
    /// about 768 bytes for each.
    private static let receiveBufferBytes = 64 << 20
    /// Looks at a link, 50 ms apart, before it counts as down.
    private static let linkAttempts = 30
    /// Outer IPv4, UDP and VXLAN headers.
    private static let tunnelOverhead = 20 + 8 + 8

    init(_ plan: RunPlan) throws(GeneratorError) {
        switch plan.output {
        case .device(let port):
            place = "device \(port.device)"
            devices = try Self.openDevices(port, plan, place)
            tunnels = []
        case .tunnel(let tunnel):
            place = "vxlan \(tunnel.address)"
            devices = []
            tunnels = try Self.openTunnels(tunnel, plan, place)
        }
        receiving = try plan.receive.map { port throws(GeneratorError) in
            try Self.open(
                port, count: 1, receiveBufferBytes: Self.receiveBufferBytes,
                "receive \(port.device)")[0]
        }
    }

    private static func openDevices(
        _ port: RunPlan.Port, _ plan: RunPlan, _ place: String
    ) throws(GeneratorError) -> [PacketSocket] {
        var sockets: [PacketSocket] = []
        for _ in 0..<plan.workers {
            let socket = try open(port, count: 1, receiveBufferBytes: 0, place)[0]
            // It only sends: what the device receives shall not be copied to it.
            _ = vx_packet_close_gate(socket.descriptor)
            sockets.append(socket)
        }
        let mtu = sockets[0].device.mtu
        let needed =
            plan.sizes.longest - FrameWriter.checkByteCount - EthernetHeader.byteCount
        guard needed <= mtu else {
            throw GeneratorError(
                place,
                "frames of \(plan.sizes.longest) bytes need an MTU of \(needed), it has \(mtu)",
                remedy: "lower --size, or `ip link set \(port.device) mtu \(needed)`")
        }
        return sockets
    }

    private static func openTunnels(
        _ tunnel: RunPlan.Tunnel, _ plan: RunPlan, _ place: String
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
        let needed = plan.sizes.longest - FrameWriter.checkByteCount + tunnelOverhead
        guard needed <= mtu else {
            throw GeneratorError(
                place,
                "frames of \(plan.sizes.longest) bytes need an underlay MTU of \(needed), it is"
                    + " \(mtu)", remedy: "lower --size or raise the MTU of the underlay")
        }
        return sockets
    }

    /// A refusal in the words of the generator's own options.
    private static func explain(
        _ error: UringError, _ tunnel: RunPlan.Tunnel, _ place: String
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
        _ tunnel: RunPlan.Tunnel, _ source: UInt32, workers: Int
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
