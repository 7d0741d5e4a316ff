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
        let sockets = try attempt(place) { () throws(UringError) in
            try NetworkNamespace.run(in: tunnel.namespace) { () throws(UringError) in
                try openSockets(tunnel, source, workers: plan.workers)
            }
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
        guard sockets[0].device.isUp else {
            throw GeneratorError(
                place, "it is down or has no carrier",
                remedy: "set it and its other end up (`ip link set \(port.device) up`)")
        }
        return sockets
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

    /// Broadcasts from the receiving side, with the address that the frames are for, so that the
    /// network knows where it is: announcements as a virtual machine makes after it has moved
    /// (RARP, RFC 903), which no host answers.
    func teach(_ mac: MACAddress) throws(GeneratorError) {
        guard let receiving else { return }
        let offload = OffloadHeader.byteCount
        var bytes = [UInt8](repeating: 0, count: offload + 60)
        let count = bytes.count
        unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            let frame = unsafe FrameView(base: base + offload, count: count - offload)
            EthernetHeader(frame: frame, at: 0).emit(
                destination: .broadcast, source: mac, etherType: 0x8035)
            // Ethernet, IPv4, lengths 6 and 4, operation 3: request reverse.
            frame.store(0x0001_0800 as UInt32, at: 14)
            frame.store(0x0604_0003 as UInt32, at: 18)
            frame.store(mac, at: 22)
            frame.store(mac, at: 32)
        }
        // Three, so that one lost on the way does no harm.
        for _ in 0..<3 {
            let sent = unsafe send(receiving.descriptor, bytes, bytes.count, 0)
            guard sent == bytes.count else {
                throw GeneratorError(
                    "receive \(receiving.device.name)", "cannot send the learning frames",
                    remedy: "see that the device is up, or leave out --learn")
            }
            vx_sleep_microseconds(20_000)
        }
    }
}
