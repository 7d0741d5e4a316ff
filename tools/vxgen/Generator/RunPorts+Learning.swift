internal import CLinux
internal import Glibc
internal import Uring
internal import Wire

extension RunPorts {
    /// Hosts of one stream that are announced at most.
    static var maximumAnnounced: Int { 1 << 20 }

    /// The learning phase (RFC 2544 section 23): the network comes to know both ends.
    func teach(_ plan: RunPlan) throws(GeneratorError) {
        if case .tunnel(let tunnel) = plan.output { findWay(to: tunnel) }
        var known: Set<MACAddress> = []
        for stream in plan.streams {
            let hosts = stream.space.destinationMACs
            for index in 0..<min(hosts.count, UInt32(Self.maximumAnnounced)) {
                let mac = hosts.address(of: index)
                if known.insert(mac).inserted { try announce(mac, known.count) }
            }
        }
        // What was learned takes its way from the dataplane to the tables.
        vx_sleep_microseconds(50_000)
    }

    /// Makes the kernel resolve the next hop, which until then keeps only a few frames: one octet
    /// to the discard port (RFC 863), so that the VTEP's own port counts nothing strange.
    private func findWay(to tunnel: TunnelPlan) {
        guard let socket = tunnels.first?.first else { return }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = tunnel.address.bits.bigEndian
        name.sin_port = UInt16(9).bigEndian
        // A refusal here is told by the run itself.
        _ = unsafe withUnsafePointer(to: &name) { name in
            let address = unsafe UnsafeRawPointer(name).assumingMemoryBound(to: sockaddr.self)
            return unsafe sendto(
                socket.descriptor, [0] as [UInt8], 1, 0, address,
                socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }

    /// Broadcasts from the receiving side, with the address that the frames are for, so that the
    /// network knows where it is: announcements as a virtual machine makes after it has moved
    /// (RARP, RFC 903), which no host answers.
    private func announce(_ mac: MACAddress, _ number: Int) throws(GeneratorError) {
        guard let receiving = receiving.first, receiving.kind != .datagrams else { return }
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
        // Three, so that one lost on the way does no harm; of many hosts one each, with pauses.
        for _ in 0..<(number == 1 ? 3 : 1) {
            let sent = unsafe write(receiving.descriptor, bytes, bytes.count)
            guard sent == bytes.count else {
                throw GeneratorError(
                    inputPlace, "cannot send the learning frames",
                    remedy: "see that the device is up, or leave out --learn")
            }
            if number == 1 { vx_sleep_microseconds(20_000) }
        }
        if number % 64 == 0 { vx_sleep_microseconds(5_000) }
    }
}
