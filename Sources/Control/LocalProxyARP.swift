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
        /// The end that stands in `pendingEnds`; the true one may be later.
        var filed: UInt64 = 0
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
        guard let interface = layout.interfaceOfVSI[vsi].flatMap({ layout.interfaceOf[$0] }) else {
            return
        }
        let isBelieved = learn(packet, vsi: vsi, place: place, now: now)
        if packet.isAnnouncement, !isOwn(packet.senderIP, vsi) {
            guard isBelieved else { return }
            // Who asked hears it as an announcement, unless it has the form of an answer.
            if packet.operation != ARPPacket.request {
                relay(packet, interface, vsi: vsi, place: place, now: now)
            }
            if place.isPort { announce(packet.senderIP, interface, vsi: vsi) }
        } else if packet.operation == ARPPacket.request {
            if place.isPort {
                answerLocal(
                    packet, interface, vsi: vsi, place: place, isBelieved: isBelieved, now: now)
            } else {
                answerRemote(packet, interface, vsi: vsi, place: place, now: now)
            }
        } else if isBelieved {
            relay(packet, interface, vsi: vsi, place: place, now: now)
        }
    }

    /// False when the sender's address is frozen elsewhere: it is still answered, but what it says
    /// goes no further.
    private func learn(
        _ packet: ARPPacket, vsi: Int, place: Destination, now: UInt64
    ) -> Bool {
        guard packet.senderIP.bits != 0 else { return true }
        let key = NeighborTable.key(vsi: UInt16(vsi), address: packet.senderIP.bits)
        guard !NeighborTable.isOwn(neighborValue(key) ?? 0) else { return true }
        guard !isLate(key, at: place, now: now) else { return false }
        return addressSeen(
            packet.senderIP, mac: packet.senderMAC, vsi: vsi, place: place,
            isAnnouncement: false, now: now)
    }

    /// A1 to A4, B1 and B2: a host of this site asks.
    private func answerLocal(
        _ packet: ARPPacket, _ interface: Configuration.VSIInterface, vsi: Int,
        place: Destination, isBelieved: Bool, now: UInt64
    ) {
        let source = mac(of: interface)
        let target = packet.targetIP
        let asker = Asker(place: place, mac: packet.senderMAC, address: packet.senderIP)
        if isOwn(target, vsi) {
            // Never copied to any other port or tunnel.
            guard !packet.isAnnouncement else { return }
            return answer(asker, with: source, about: target, vsi: vsi)
        }
        if packet.isProbe {
            // Only the true owner answers a probe, wherever it is; its answer finds the prober.
            remember(asker, about: target, vsi: vsi, now: now)
            return ask(
                target, for: .any, source, vsi: vsi, local: true, remote: true, origin: place)
        }
        answer(asker, with: source, about: target, vsi: vsi)
        guard isBelieved, isNew(packet, vsi: vsi, place: place, now: now) else { return }
        ask(target, for: packet.senderIP, source, vsi: vsi, local: false, remote: true)
    }

    /// D5: a host of this site says that it is here, as a request or as a reply. Other gateways
    /// hear it in the gateway's name, always as a request (RFC 5227 section 3).
    private func announce(
        _ address: IPv4Address, _ interface: Configuration.VSIInterface, vsi: Int
    ) {
        ask(address, for: address, mac(of: interface), vsi: vsi, local: false, remote: true)
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
        guard var waiting = pending[key] else { return }
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
        waiting.askers = left
        pending[key] = left.isEmpty ? nil : waiting
    }

    /// No more than one question in `arp-retry` goes on from a host about an address.
    private func isNew(
        _ packet: ARPPacket, vsi: Int, place: Destination, now: UInt64
    ) -> Bool {
        let question = QuestionLimiter.Question(
            target: NeighborTable.key(vsi: UInt16(vsi), address: packet.targetIP.bits),
            sender: packet.senderIP, place: place)
        return passedOn.admits(question, for: retryNanoseconds, now: now)
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
        if pending[key] == nil {
            waiting.filed = waiting.end
            pendingEnds.add(key, due: waiting.end)
        }
        waiting.askers.removeAll { $0.place == asker.place && $0.address == asker.address }
        if waiting.askers.count < Self.maximumAskers { waiting.askers.append(asker) }
        pending[key] = waiting
    }

    /// Forgets askers whose time is over.
    func forgetAskers(now: UInt64) {
        passedOn.forget(now: now)
        while let entry = pendingEnds.take(now: now) {
            guard let waiting = pending[entry.key], waiting.filed == entry.due else { continue }
            guard waiting.end > now else {
                pending[entry.key] = nil
                continue
            }
            pending[entry.key]?.filed = waiting.end
            pendingEnds.add(entry.key, due: waiting.end)
        }
    }
}
