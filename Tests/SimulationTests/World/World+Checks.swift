internal import Control
internal import Dataplane
internal import Memory
internal import TestKit
internal import Wire

/// What must hold at every step.
extension World {
    /// Routers between two hosts: both gateways and, after a move, those that have yet to hear.
    private static let hopLimit = 6

    // MARK: Packets

    func checkTurn(_ tally: Tally, _ outputs: [Output], _ arrival: Arrival, _ index: Int) {
        if !tally.isBalanced(outputs.count) { find(.balance, "g\(index): \(tally)") }
        guard case .underlay = arrival.ingress else { return }
        let before = arrival.frame
        for output in outputs {
            guard case .peer = output.place else { continue }
            // Out of a tunnel into a tunnel goes only what is routed or answered.
            if before.count >= 12, output.frame.count >= 12,
                Array(before[..<12]) == Array(output.frame[..<12]),
                !isRouted(before, output.frame)
            {
                find(.splitHorizon, "g\(index) bridges from a tunnel into one")
            }
        }
    }

    private func isRouted(_ before: [UInt8], _ after: [UInt8]) -> Bool {
        TaggedFrame.isICMP(before) && TaggedFrame.isICMP(after) && after[22] < before[22]
    }

    func checkTunnel(_ payload: [UInt8], to peer: Int, from index: Int) {
        if peer == index { find(.sendsToItself, "g\(index)") }
        let frame = Array(payload.dropFirst(8))
        guard let tag = TaggedFrame.tag(frame) else { return }
        let vni = TaggedFrame.word(payload, 4) >> 8
        let vsi = Int(vni) - Int(Site.vni(0))
        if !plan.mayTalk(home(tag), vsi) { find(.tunnelVNI, "\(tag) is in VNI \(vni)") }
        if plan.mode == .distributed, TaggedFrame.isARP(frame), site.hasInterface(index, vsi),
            !site.isBorder(index), TaggedFrame.isHost(TaggedFrame.mac(frame, 6)),
            TaggedFrame.mac(frame, 0) == 0xFFFF_FFFF_FFFF
        {
            find(.hostARPInTunnel, "g\(index) lets ARP of a host into a tunnel")
        }
    }

    private func home(_ tag: TaggedFrame.Tag) -> Int { tag.vsi == 255 ? -1 : Int(tag.vsi) }

    func checkDelivery(_ bytes: [UInt8], _ host: SimulatedHost) {
        guard bytes.count >= 14 else { return }
        if let tag = TaggedFrame.tag(bytes) { checkTag(tag, bytes, host) }
        guard TaggedFrame.isICMP(bytes), TaggedFrame.mac(bytes, 0) == host.mac else { return }
        let length = Int(TaggedFrame.half(bytes, 16))
        guard 14 + length <= bytes.count, length >= 28 else {
            return find(
                .packetLength, "h\(host.index) gets a packet of \(length) bytes in \(bytes.count)")
        }
        if TaggedFrame.checksum(bytes, 14, 20) != 0 { find(.headerChecksum, "h\(host.index)") }
        if TaggedFrame.checksum(bytes, 34, length - 20) != 0 {
            find(.icmpChecksum, "h\(host.index)")
        }
        if TaggedFrame.word(bytes, 30) != host.address {
            find(.foreignAddress, "h\(host.index) gets what is for \(TaggedFrame.word(bytes, 30))")
        }
    }

    private func checkTag(_ tag: TaggedFrame.Tag, _ bytes: [UInt8], _ host: SimulatedHost) {
        if !plan.mayTalk(home(tag), host.home.vsi) {
            find(.vrfLeak, "h\(host.index) of \(host.home.vsi) hears \(tag)")
        }
        let isOpaque = tag.kind == 255 || tag.kind > TaggedFrame.arpKind
        if isOpaque, home(tag) != host.home.vsi {
            find(.vsiLeak, "\(tag) was bridged to \(host.home.vsi)")
        }
        guard tag.kind == 8 || tag.kind == 0, tag.target != 0xFFFF else { return }
        let isMine = TaggedFrame.mac(bytes, 0) == host.mac
        let wanted = tag.kind == 8 ? tag.target : tag.origin
        if isMine, Int(wanted) != host.index {
            find(.wrongReceiver, "h\(host.index) gets \(tag)")
        }
        if isMine { checkWayOut(tag, bytes, host) }
        let extra = ledger.deliver(
            tag, to: host.index, epoch: host.epoch, destination: TaggedFrame.mac(bytes, 0),
            isTaken: isMine)
        if extra > 0 { find(.duplicate, "h\(host.index) gets \(tag) \(extra) times too often") }
        let hops = 64 - Int(bytes[22])
        count { $0.mostHops = max($0.mostHops, hops) }
        let expected = plan.mode == .bridged ? 0 : Self.hopLimit
        if hops > expected { find(.hops, "\(tag) took \(hops) hops") }
    }

    /// What a host was told of an address.
    func check(_ claim: SimulatedHost.Claim, _ host: SimulatedHost) {
        guard claim.address != 0 else { return }
        let isOutside = host.home.vsi < 0
        let routers =
            isOutside
            ? [site.gatewayMAC(host.home.gateway, -1)] : site.gatewayMACs(host.home.vsi)
        if claim.address == host.router, plan.mode != .bridged, !routers.contains(claim.mac) {
            find(.gatewayClaim, "h\(host.index) hears it from \(MACAddress(bits: claim.mac))")
        }
        if claim.isReply, claim.address == host.address, claim.mac != host.mac,
            now < host.probesUntil
        {
            find(.ownClaim, "h\(host.index) hears its own from \(MACAddress(bits: claim.mac))")
        }
        guard plan.mode == .distributed, host.home.vsi >= 0, claim.isReply,
            TaggedFrame.isHost(claim.mac)
        else { return }
        // What hosts say to each other directly is bridged; nobody asks them so here.
        find(.pastGateway, "h\(host.index) hears an answer past its gateway")
    }

    /// Whether the gateway is there for a segment at this moment.
    func hasInterface(_ index: Int, _ vsi: Int) -> Bool {
        site.hasInterface(index, vsi) && variants[index].withdrawnVSI != vsi
    }

    // MARK: Tables

    func checkTables(_ index: Int) {
        let agent = gateways[index].agent
        guard let rows = try? agent.fdbReport(Selection(), now: now),
            let neighbors = try? agent.arpReport(Selection(), now: now)
        else { return find(.ownMACLost, "g\(index): a table cannot be shown") }
        for vsi in 0..<plan.vsiCount { checkForwarding(rows, index, vsi) }
        for row in neighbors { check(row, index) }
        checkAccounts(index)
    }

    private func checkForwarding(_ rows: [FDBReport], _ index: Int, _ vsi: Int) {
        let own = MACAddress(bits: site.gatewayMAC(index, vsi)).description
        let rows = rows.filter { $0.vsi == "v\(vsi)" }
        let learned = rows.filter { $0.kind == .dynamic }
        if plan.macLimit > 0, learned.count > plan.macLimit {
            find(.macLimit, "g\(index) has learnt \(learned.count) in v\(vsi)")
        }
        guard hasInterface(index, vsi) else { return }
        if learned.contains(where: { $0.mac == own }) {
            find(.ownMACLearnt, "g\(index) in v\(vsi)")
        }
        if !rows.contains(where: { $0.kind == .own && $0.mac == own }) {
            find(.ownMACLost, "g\(index) in v\(vsi)")
        }
    }

    private func check(_ row: ARPReport, _ index: Int) {
        if row.interface.first == "t" { return checkTransit(row, index) }
        guard row.interface.first == "i", let vsi = Int(row.interface.dropFirst()) else { return }
        let own = MACAddress(bits: site.gatewayMAC(index, vsi)).description
        let address = IPv4Address(bits: site.gatewayAddress(index, vsi)).description
        if (row.address == address) != (row.kind == .own) || (row.kind == .own && row.mac != own) {
            find(.ownAddress, "g\(index) has its address as \(row)")
        }
        guard row.kind == .dynamic, let mac = row.mac else { return }
        if mac == own, let port = row.port {
            find(.ownMACNeighbor, "g\(index) has its own MAC behind \(port)")
        }
        // Out of a tunnel speak gateways for their hosts, and frames of a host that moved there.
        let isRelayed = plan.mode == .distributed && row.port == nil
        if isRelayed, site.gatewayMACs(vsi).contains(where: { "\(MACAddress(bits: $0))" == mac }) {
            return
        }
        let owner = hosts.first {
            $0.home.vsi == vsi && IPv4Address(bits: $0.address).description == row.address
        }
        guard let owner, MACAddress(bits: owner.mac).description == mac else {
            return find(.belief, "g\(index) believes what nobody said: \(row)")
        }
    }

    /// Gateways that are joined by a VXLAN know each other by it and nobody else.
    private func checkTransit(_ row: ARPReport, _ index: Int) {
        guard let vrf = Int(row.interface.dropFirst()), let mac = row.mac else { return }
        let owner = (0..<plan.gatewayCount).first {
            site.transitAddress($0, vrf: vrf).map { IPv4Address(bits: $0).description }
                == row.address
        }
        guard let owner, (owner == index) == (row.kind == .own),
            mac == MACAddress(bits: site.transitMAC(owner, vrf: vrf)).description
        else { return find(.belief, "g\(index) believes \(row)") }
    }

    /// Received and replicated are transmitted, consumed, dropped or held: over the whole life of a
    /// gateway.
    func checkAccounts(_ index: Int) {
        let tally = Tally(gateways[index].counters)
        let position = CounterLayout.index(CounterLayout.Total.transmitted)
        let transmitted = Int(gateways[index].counters.page.read(position))
        let end = transmitted + tally.consumed + tally.dropped + tally.held
        if tally.received + tally.replicated != end {
            find(.accounts, "g\(index): \(tally), \(transmitted)")
        }
        if tally.held < 0 { find(.heldNegative, "g\(index) holds \(tally.held)") }
        if tally.drops[.internalUnknownVerdict] ?? 0 > 0 { find(.unknownVerdict, "g\(index)") }
    }

    /// At the end: who may talk, talks.
    func finish() {
        for index in gateways.indices { checkTables(index) }
        for probe in probes where !isAnswered(probe) {
            let from = hosts[probe.from]
            let to = hosts[probe.to]
            find(
                .convergence,
                "h\(from.index) (v\(from.home.vsi), g\(from.gateway)) does not reach h\(to.index)"
                    + " (v\(to.home.vsi), g\(to.gateway))")
        }
        for probe in probes {
            guard let last = probe.last, !hosts[probe.from].answered.contains(last) else {
                continue
            }
            find(.steady, "h\(probe.from) is not answered by h\(probe.to) in peace")
        }
        let answered = hosts.reduce(0) { $0 + $1.answered.count }
        count { $0.answeredPings = answered }
    }
}

extension TaggedFrame {
    /// One of the addresses of hosts, not of gateways.
    static func isHost(_ mac: UInt64) -> Bool { mac >> 16 == Site.hostMAC >> 16 }
}
