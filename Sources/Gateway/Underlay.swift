internal import Control
internal import Uring
internal import Wire

/// The underlay of one gateway: where it receives, what it sends from, and how long its ways are.
struct Underlay {
    /// What carries the tunnels (`vtep.underlay`).
    enum Carrier {
        /// One receiving socket for each worker, and the device that holds the VTEP address.
        case sockets([DatagramSocket], NetworkDevice?)
        case tap(UnderlayTap)
    }

    let address: UInt32
    let carrier: Carrier
    let ports: [UInt16]
    var plan: UnderlayPlan

    private static let receiveBufferBytes = 16 << 20

    /// Opens the sockets or the tap.
    init(_ vtep: Configuration.VTEP, workers: Int) throws(GatewayError) {
        do throws(UringError) {
            address = try Self.resolve(vtep.address)
            switch vtep.underlay {
            case .udp:
                let receiving = try Self.receivingSockets(vtep, address, workers)
                carrier = .sockets(receiving, try NetworkDevice.holding(address: address))
                ports = try SourcePorts.pick(vtep.sourcePorts, address: address, takesFewer: true)
                plan = try UnderlayPlan(
                    vtep, address: address, ports: ports, receiving: receiving)
            case .tap:
                let tap = try Patience.whileTaken { [address] () throws(UringError) in
                    try UnderlayTap(name: vtep.device, address: address, queues: workers)
                }
                carrier = .tap(tap)
                // No socket of the host has the address, so that all of the range is free.
                ports = Array(SourcePorts.range.prefix(vtep.sourcePorts))
                plan = UnderlayPlan(vtep, tap: tap)
            }
        } catch {
            throw GatewayError("vtep: \(error)")
        }
    }

    private static func receivingSockets(
        _ vtep: Configuration.VTEP, _ address: UInt32, _ workers: Int
    ) throws(UringError) -> [DatagramSocket] {
        let sets = UnderlayPlan.setCount(vtep)
        try SourcePorts.reserveDescriptors(for: vtep.sourcePorts * sets + workers)
        var sockets: [DatagramSocket] = []
        for worker in 0..<workers {
            let open = { [address] () throws(UringError) in
                try DatagramSocket.receiving(
                    address: address, port: vtep.udpPort, isFirst: worker == 0,
                    receiveBufferBytes: receiveBufferBytes, coalesces: true)
            }
            sockets.append(try worker == 0 ? Patience.whileTaken(open) : open())
        }
        try DatagramSocket.steer(sockets)
        return sockets
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

    /// The device whose MTU bounds outer packets; nil where the routes to the peers do, because the
    /// VTEP address is a loopback address or that of a tap.
    var boundingDevice: NetworkDevice? {
        guard case .sockets(_, let device?) = carrier, device.name != "lo" else { return nil }
        return device
    }

    /// The tap, if it is one.
    var tapName: String? {
        guard case .tap(let tap) = carrier else { return nil }
        return tap.device.name
    }

    func isTap(_ index: Int32) -> Bool {
        guard case .tap(let tap) = carrier else { return false }
        return tap.device.index == index
    }

    /// The device that has the VTEP address, or to which it is routed.
    var deviceName: String? {
        switch carrier {
        case .sockets(_, let device): device?.name
        case .tap(let tap): tap.device.name
        }
    }

    /// Bytes of the largest outer IPv4 packet to any of `peers`; 0 when it is not known.
    func mtu(to peers: [IPv4Address]) -> Int {
        boundingDevice?.mtu ?? peers.compactMap { pathMTU(to: $0.bits) }.min() ?? 0
    }

    /// Bytes of the longest packet that the kernel lets through to `destination` (host order); nil
    /// when there is no route.
    func pathMTU(to destination: UInt32) -> Int? {
        switch carrier {
        case .sockets(let sockets, _): sockets[0].pathMTU(to: destination)
        case .tap(let tap): tap.pathMTU(to: destination)
        }
    }

    /// What of it is in use, as `show runtime` tells it.
    var features: [(name: String, state: String)] {
        switch carrier {
        case .sockets(let sockets, _):
            let cuts = !plan.segmented.allSatisfy(\.isEmpty)
            let merges = sockets.allSatisfy(\.hasSegmentation)
            return [
                ("udp_segment", cuts ? "on" : "off: needs Linux 4.18 and an outer checksum"),
                ("udp_coalescing", merges ? "on" : "off: needs Linux 5.0"),
            ]
        case .tap(let tap):
            let offloads = tap.device.offloads
            return [
                ("underlay_tap", "on"),
                ("tunnel_gso", offloads.contains(.tunnels) ? "on" : "off: needs Linux 6.17"),
                ("udp_coalescing", offloads.contains(.udp) ? "on" : "off: needs Linux 6.2"),
            ]
        }
    }

    /// Prepares sending for other settings of the outer header.
    mutating func replan(_ vtep: Configuration.VTEP) throws(GatewayError) {
        do throws(UringError) {
            switch carrier {
            case .sockets(let receiving, _):
                plan = try UnderlayPlan(
                    vtep, address: address, ports: ports, receiving: receiving)
            case .tap(let tap): plan = UnderlayPlan(vtep, tap: tap)
            }
        } catch {
            throw GatewayError("vtep: \(error)")
        }
    }

    /// What of `vtep` is a property of sending.
    static func isSameOuter(_ left: Configuration.VTEP, _ right: Configuration.VTEP) -> Bool {
        left.ttl == right.ttl && left.dscp == right.dscp && left.df == right.df
            && left.udpChecksum == right.udpChecksum
    }

    /// A link has changed. The kernel forgets the route to a tap that went down, and gives it back
    /// to nobody.
    func linkChanged(_ device: NetworkDevice) throws(UringError) {
        guard case .tap(let tap) = carrier, device.index == tap.device.index, device.isUp else {
            return
        }
        try tap.routeToVTEP()
    }

    /// Takes a tap away, after the workers have ended.
    func close() throws(UringError) {
        if case .tap(let tap) = carrier { try tap.remove() }
    }
}
