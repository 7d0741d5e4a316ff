internal import Control
internal import TestKit
internal import Wire

/// Planted faults in what gateways send.
extension World {
    private static let everybody: UInt64 = 0xFFFF_FFFF_FFFF

    /// Spoils what a gateway sends for a packet that came in.
    func spoil(_ outputs: inout [Output], of arrival: Arrival, at index: Int) {
        guard let plant else { return }
        switch plant {
        case .losesOutput: if !outputs.isEmpty { outputs.removeLast() }
        case .feedsItself: queue.add(.gateway(index, arrival), at: now + 1000)
        case .repeatsFromTunnelToTunnel: repeatInTunnel(&outputs, arrival, index)
        case .sendsToItself:
            change(&outputs, where: \.isForPeer) { $0.place = .peer("g\(index)") }
        case .sendsInOtherVNI: change(&outputs, where: \.isForPeer) { self.changeVNI(&$0) }
        case .sendsHostARP: sendAsItCame(&outputs, arrival, index)
        case .cutsPacket: change(&outputs, where: \.isEcho) { $0.bytes.removeLast(20) }
        case .spoilsHeader: change(&outputs, where: \.isEcho) { $0.bytes[24] ^= 1 }
        case .spoilsMessage: change(&outputs, where: \.isEcho) { $0.bytes[36] ^= 1 }
        case .changesAddress: change(&outputs, where: \.isEcho) { $0.bytes[33] ^= 1 }
        case .countsHopsWrong: change(&outputs, where: \.isEcho) { $0.bytes[22] = 40 }
        case .sendsTwice: if let first = outputs.first(where: \.isEcho) { outputs.append(first) }
        case .deliversToOtherVRF:
            copy(&outputs, at: index) { !self.plan.mayTalk($0.home.vsi, $1.home.vsi) }
        case .deliversToOtherVSI: copy(&outputs, at: index) { $0.home.vsi != $1.home.vsi }
        case .deliversToNeighbor:
            copy(&outputs, at: index) { $0.home.vsi == $1.home.vsi && $0 !== $1 }
        case .spreadsFlow: change(&outputs, where: \.isEchoOutside) { self.changeRouter(&$0) }
        case .answersProbe: answerProbe(&outputs, arrival)
        default: break
        }
    }

    /// The same for what the agent sends.
    func spoilOrdered(_ outputs: inout [Output]) {
        switch plant {
        case .losesOrder: if !outputs.isEmpty { outputs.removeLast() }
        case .claimsGatewayAddress:
            change(&outputs, where: \.isReply) {
                $0.bytes.replaceSubrange(22..<28, with: [2, 0xEE, 0, 0, 0, 1])
            }
        case .answersAsHost:
            change(&outputs, where: \.isReply) {
                $0.bytes.replaceSubrange(22..<28, with: TaggedFrame.octets(Site.hostMAC, 6))
            }
        default: break
        }
    }

    /// Gives the agent something to say whenever it is asked.
    func spoilOrders(_ index: Int) {
        guard plant == .talksWithoutEnd else { return }
        let frame = TaggedFrame.opaque(
            source: 2, destination: 4, tag: hosts[0].tag(255))
        gateways[index].agent.originate(frame, vsi: 0)
    }

    private func change(
        _ outputs: inout [Output], where condition: (Output) -> Bool,
        _ change: (inout Output) -> Void
    ) {
        for position in outputs.indices where condition(outputs[position]) {
            change(&outputs[position])
        }
    }

    /// What came out of a tunnel goes into another.
    private func repeatInTunnel(_ outputs: inout [Output], _ arrival: Arrival, _ index: Int) {
        guard case .underlay = arrival.ingress else { return }
        let other = (index + 1) % plan.gatewayCount
        outputs.append(Output(place: .peer("g\(other)"), bytes: arrival.bytes, arrival: 0))
    }

    private func changeVNI(_ output: inout Output) {
        let vsi = Int(output.vni) - Int(Site.vni(0))
        guard let other = (0..<plan.vsiCount).first(where: { !plan.mayTalk(vsi, $0) }) else {
            return
        }
        output.bytes.replaceSubrange(4..<7, with: TaggedFrame.octets(UInt64(Site.vni(other)), 3))
    }

    /// Packets to the outside come by each of its routers in turn.
    private func changeRouter(_ output: inout Output) {
        let way = plan.outsideGateways[spoiltCount % plan.outsideGateways.count]
        spoiltCount += 1
        let router = TaggedFrame.octets(site.gatewayMAC(way, -1), 6)
        output.bytes.replaceSubrange(6..<12, with: router)
    }

    private func sendAsItCame(_ outputs: inout [Output], _ arrival: Arrival, _ index: Int) {
        guard case .device(let name, _) = arrival.ingress, TaggedFrame.isARP(arrival.bytes),
            let host = hosts.first(where: { $0.port == name && $0.gateway == index }),
            host.home.vsi >= 0
        else { return }
        let header: [UInt8] =
            [8, 0, 0, 0] + TaggedFrame.octets(UInt64(Site.vni(host.home.vsi)) << 8, 4)
        let other = (index + 1) % plan.gatewayCount
        outputs.append(
            Output(place: .peer("g\(other)"), bytes: header + arrival.bytes, arrival: 0))
    }

    /// A copy of what a host gets goes to another host of the same gateway.
    private func copy(
        _ outputs: inout [Output], at index: Int,
        where isWanted: (SimulatedHost, SimulatedHost) -> Bool
    ) {
        for output in outputs {
            guard case .port(let name) = output.place,
                let host = hosts.first(where: { $0.gateway == index && $0.port == name }),
                let other = hosts.first(where: { $0.gateway == index && isWanted(host, $0) })
            else { continue }
            var copy = output
            copy.place = .port(other.port)
            copy.bytes.replaceSubrange(0..<6, with: TaggedFrame.octets(other.mac, 6))
            outputs.append(copy)
        }
    }

    private func answerProbe(_ outputs: inout [Output], _ arrival: Arrival) {
        guard case .device(let name, _) = arrival.ingress, TaggedFrame.isARP(arrival.bytes),
            TaggedFrame.word(arrival.bytes, 28) == 0
        else { return }
        let prober = TaggedFrame.mac(arrival.bytes, 6)
        let answer = TaggedFrame.arp(
            2, source: 2, destination: prober, senderMAC: 2,
            senderIP: TaggedFrame.word(arrival.bytes, 38), targetMAC: prober, targetIP: 0,
            tag: hosts[0].tag(102))
        outputs.append(Output(place: .port(name), bytes: answer, arrival: 0))
    }

    /// Whether what a gateway has sent to a host never comes.
    func isLost(_ bytes: [UInt8], to host: SimulatedHost) -> Bool {
        switch plant {
        case .losesOneHost: return !isFaulty && host === hosts.first { !$0.home.attacks }
        case .losesOnePacket:
            // One of all that are asked for when everybody has been answered.
            guard spoiltCount == 0, let tag = TaggedFrame.tag(bytes),
                probes.contains(where: { $0.last == tag.number })
            else { return false }
            spoiltCount += 1
            return true
        default: return false
        }
    }
}

extension Output {
    fileprivate var isForPeer: Bool {
        if case .peer = place { true } else { false }
    }

    /// A question or an answer to a host.
    fileprivate var isEcho: Bool {
        guard !isForPeer, TaggedFrame.isICMP(bytes) else { return false }
        return TaggedFrame.tag(bytes).map { $0.kind == 0 || $0.kind == 8 } ?? false
    }

    fileprivate var isEchoOutside: Bool { place == .port("wan") && isEcho }

    fileprivate var isReply: Bool {
        !isForPeer && TaggedFrame.isARP(bytes) && bytes[21] == 2
    }
}
