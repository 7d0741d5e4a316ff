internal import Memory
public import Tables
internal import Wire

/// Local proxy ARP of a distributed gateway: every request of a local host is answered with the
/// gateway's own MAC, requests travel between gateways in the gateway's name, and answers are
/// relayed to whoever asked.
///
/// What local hosts send never leaves with their own MAC (A4); what a peer asks is asked again of
/// local ports only (A5); an answer goes to the peers that asked, each once (A7, D3); an answer out
/// of a tunnel teaches and goes no further (A8).
extension Agent {
    /// Someone who waits for an answer about an address.
    struct Asker: Equatable {
        var place: Destination
        var mac: MACAddress
        var address: IPv4Address
    }

    /// Those who asked for one address, until `end`.
    struct Pending {
        var askers: [Asker] = []
        var end: UInt64 = 0
    }

    /// How long an asker is remembered.
    static let pendingNanoseconds: UInt64 = 3_000_000_000
    static let maximumPending = 16_384
    static let maximumAskers = 256

    /// An ARP packet in a VSI whose interface is a proxy. Its form and its sender were checked.
    public func proxyARP(_ bytes: [UInt8], vsi: Int, place: Destination, now: UInt64) {
        _ = FrameView.overCopy(of: bytes) { frame -> Bool? in
            let packet = ARPPacket(frame: frame, at: EthernetHeader.byteCount)
            guard case .valid = packet.check() else { return nil }
            proxy(packet, vsi: vsi, place: place, now: now)
            return true
        }
    }

    private func proxy(_ packet: ARPPacket, vsi: Int, place: Destination, now: UInt64) {
        guard let name = layout.vsiOf[vsi]?.name,
            let interface = layout.interfaceOf.values.first(where: { $0.vsi == name })
        else { return }
        learn(packet, vsi: vsi, place: place, now: now)
        if packet.operation == ARPPacket.request {
            if place.isPort {
                answerLocal(packet, interface, vsi: vsi, place: place, now: now)
            } else {
                answerRemote(packet, interface, vsi: vsi, place: place, now: now)
            }
        } else {
            relay(packet, interface, vsi: vsi, place: place, now: now)
        }
    }

    private func learn(_ packet: ARPPacket, vsi: Int, place: Destination, now: UInt64) {
        guard packet.senderIP.bits != 0 else { return }
        let key = NeighborTable.key(vsi: UInt16(vsi), address: packet.senderIP.bits)
        guard !NeighborTable.isOwn(neighborValue(key) ?? 0) else { return }
        guard !isLate(key, at: place, now: now) else { return }
        addressSeen(
            packet.senderIP, mac: packet.senderMAC, vsi: vsi, place: place,
            isAnnouncement: false, now: now)
    }

    /// A1 to A4, B1 and B2: a host of this site asks.
    private func answerLocal(
        _ packet: ARPPacket, _ interface: Configuration.VSIInterface, vsi: Int,
        place: Destination, now: UInt64
    ) {
        let source = mac(of: interface)
        let target = packet.targetIP
        let asker = Asker(place: place, mac: packet.senderMAC, address: packet.senderIP)
        if isOwn(target, vsi) {
            // Never copied to any other port or tunnel.
            guard !packet.isAnnouncement else { return }
            return answer(asker, with: source, about: target, vsi: vsi)
        }
        if packet.isAnnouncement {
            return ask(target, for: packet.senderIP, source, vsi: vsi, local: false, remote: true)
        }
        if packet.isProbe {
            // Only the true owner answers a probe, wherever it is; its answer finds the prober.
            remember(asker, about: target, vsi: vsi, now: now)
            return ask(
                target, for: .any, source, vsi: vsi, local: true, remote: true, origin: place)
        }
        answer(asker, with: source, about: target, vsi: vsi)
        ask(target, for: packet.senderIP, source, vsi: vsi, local: false, remote: true)
    }

    /// A5, B5, C5: another gateway asks, in its own name.
    private func answerRemote(
        _ packet: ARPPacket, _ interface: Configuration.VSIInterface, vsi: Int,
        place: Destination, now: UInt64
    ) {
        let source = mac(of: interface)
        let target = packet.targetIP
        guard !packet.isAnnouncement else { return }
        let asker = Asker(place: place, mac: packet.senderMAC, address: packet.senderIP)
        if isOwn(target, vsi) {
            return answer(asker, with: source, about: target, vsi: vsi)
        }
        remember(asker, about: target, vsi: vsi, now: now)
        ask(target, for: packet.senderIP, source, vsi: vsi, local: true, remote: false)
    }

    /// A6 to A8: an answer. A local one goes to those who asked; a remote one only to local
    /// probers.
    private func relay(
        _ packet: ARPPacket, _ interface: Configuration.VSIInterface, vsi: Int,
        place: Destination, now: UInt64
    ) {
        let key = NeighborTable.key(vsi: UInt16(vsi), address: packet.senderIP.bits)
        guard let waiting = pending[key] else { return }
        guard waiting.end > now else {
            pending[key] = nil
            return
        }
        let source = mac(of: interface)
        var left: [Asker] = []
        for asker in waiting.askers {
            if asker.place.isPeer && place.isPeer {
                left.append(asker)
            } else if asker.place != place {
                answer(asker, with: source, about: packet.senderIP, vsi: vsi)
            }
        }
        pending[key] = left.isEmpty ? nil : Pending(askers: left, end: waiting.end)
    }

    private func isOwn(_ address: IPv4Address, _ vsi: Int) -> Bool {
        let key = NeighborTable.key(vsi: UInt16(vsi), address: address.bits)
        return NeighborTable.isOwn(neighborValue(key) ?? 0)
    }

    private func answer(
        _ asker: Asker, with source: MACAddress, about address: IPv4Address, vsi: Int
    ) {
        let frame = ARPFrame.reply(
            source: source, senderIP: address, asker: asker.mac, askerIP: asker.address)
        orders.append(.send(frame, vsi: vsi, place: asker.place))
    }

    /// Asks in the gateway's name, for `sender`.
    private func ask(
        _ target: IPv4Address, for sender: IPv4Address, _ source: MACAddress, vsi: Int,
        local: Bool, remote: Bool, origin: Destination = .none
    ) {
        let frame = ARPFrame.request(source: source, senderIP: sender, targetIP: target)
        orders.append(
            .flood(frame, vsi: vsi, local: local, remote: remote, origin: origin))
    }

    private func remember(_ asker: Asker, about target: IPv4Address, vsi: Int, now: UInt64) {
        let key = NeighborTable.key(vsi: UInt16(vsi), address: target.bits)
        var waiting = pending[key] ?? Pending()
        if waiting.end <= now { waiting.askers = [] }
        guard pending[key] != nil || pending.count < Self.maximumPending else { return }
        waiting.end = now + Self.pendingNanoseconds
        waiting.askers.removeAll { $0.place == asker.place && $0.address == asker.address }
        if waiting.askers.count < Self.maximumAskers { waiting.askers.append(asker) }
        pending[key] = waiting
    }

    /// Forgets askers whose time is over.
    func forgetAskers(now: UInt64) {
        guard !pending.isEmpty else { return }
        pending = pending.filter { $0.value.end > now }
    }
}
