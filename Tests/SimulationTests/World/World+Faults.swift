internal import Control
internal import TestKit
internal import Wire

/// What goes wrong, and how the world comes to rest.
extension World {
    /// After the last fault: what everybody believes has aged, and refreshes have had their time.
    private static let restSeconds = 34
    /// How long every pair asks once more when all of them have been answered.
    private static let steadySeconds = 4
    /// Questions for each pair, one a second.
    static let attempts = 8

    func schedule() {
        for index in gateways.indices {
            let phase = UInt64(random.int(in: 0...249)) * 1_000_000
            queue.add(.tick(index), at: now + phase)
        }
        queue.add(.hostTimers, at: now + 100_000_000)
        queue.add(.traffic, at: now + 1_000_000)
        queue.add(.check, at: now + 300_000_000)
        if hosts.contains(where: { $0.home.attacks }) { queue.add(.attack, at: now) }
        let faults: [(EventQueue.Fault, Int)] = [
            (.move, plan.moveCount), (.restart, plan.restartCount),
            (.partition, plan.partitionCount), (.flap, plan.flapCount),
            (.reload, plan.reloadCount),
        ]
        for (fault, count) in faults {
            for _ in 0..<count {
                let moment = random.int(in: 0...plan.faultSeconds * 1000 - 1)
                queue.add(.fault(fault), at: now + UInt64(moment) * 1_000_000)
            }
        }
        queue.add(.heal, at: now + UInt64(plan.faultSeconds) * Self.second)
    }

    func carryOut(_ fault: EventQueue.Fault) {
        count { $0.faults += 1 }
        switch fault {
        case .move: move()
        case .restart:
            let index = random.int(in: 0...plan.gatewayCount - 1)
            trace?("RESTART g\(index)")
            checkAccounts(index)
            gateways[index] = makeGateway(index)
            samples[index] = []
        case .partition: partition()
        case .join(let left, let right): cuts.remove(left << 8 | right)
        case .flap: flap()
        case .reload: reload(isGentle: !isFaulty)
        case .raise(let gateway, let device): raise(device, at: gateway)
        case .inquire(let index, let epoch):
            guard hosts[index].epoch == epoch else { return }
            hosts[index].probe(now: now)
            flush(hosts[index])
        case .announce(let index, let epoch):
            guard hosts[index].epoch == epoch else { return }
            hosts[index].announce()
            flush(hosts[index])
        }
    }

    /// A host goes to another port, of another gateway as a rule, and says so up to three times.
    private func move() {
        guard let host = hosts.filter({ $0.home.vsi >= 0 }).randomElement(using: &random) else {
            return
        }
        let gateway = random.int(in: 0...plan.siteCount - 1)
        host.gateway = plan.onlySite(of: host.home.vsi) ?? gateway
        host.port = Site.ports(host.index).randomElement(using: &random)!
        host.epoch += 1
        host.forgetQuestions()
        trace?("MOVE h\(host.index) to g\(host.gateway) \(host.port)")
        let count = random.int(in: 0...3)
        if random.bool() {
            // Not at once (RFC 5227 section 2.1.1): its own last answer may still be on the wire.
            queue.add(
                .fault(.inquire(host.index, epoch: host.epoch)), at: now + 600_000_000)
        }
        for number in 0..<count {
            let moment = now + UInt64(1000 + number * 500) * 1_000_000
            queue.add(.fault(.announce(host.index, epoch: host.epoch)), at: moment)
        }
    }

    /// One gateway is cut off from some others, perhaps in one direction alone.
    private func partition() {
        let center = random.int(in: 0...plan.gatewayCount - 1)
        let isOneWay = random.bool()
        let end = now + UInt64(random.int(in: 100...6000)) * 1_000_000
        for other in 0..<plan.gatewayCount where other != center && random.bool() {
            cuts.insert(center << 8 | other)
            queue.add(.fault(.join(center, other)), at: end)
            guard !isOneWay else { continue }
            cuts.insert(other << 8 | center)
            queue.add(.fault(.join(other, center)), at: end)
        }
        trace?("PARTITION g\(center) \(cuts.sorted())")
    }

    /// A host's link goes down and comes back.
    private func flap() {
        guard let host = hosts.randomElement(using: &random) else { return }
        let gateway = gateways[host.gateway]
        var environment = gateway.agent.environment
        environment.devicesUp.remove(DeviceKey(type: .packet, device: host.port, netns: nil))
        gateway.agent.update(environment, now: now)
        trace?("FLAP g\(host.gateway) \(host.port)")
        queue.add(
            .fault(.raise(host.gateway, host.port)),
            at: now + UInt64(random.int(in: 1...3000)) * 1_000_000)
    }

    private func raise(_ device: String, at index: Int) {
        var environment = gateways[index].agent.environment
        environment.devicesUp.insert(DeviceKey(type: .packet, device: device, netns: nil))
        gateways[index].agent.update(environment, now: now)
    }

    /// An attacker claims what belongs to the gateway, asks for everybody and says nonsense.
    func attack() {
        guard isFaulty else { return }
        for host in hosts where host.home.attacks {
            host.outbox.append(attackFrame(of: host))
            flush(host)
        }
        queue.add(.attack, at: now + UInt64(random.int(in: 20...400)) * 1_000_000)
    }

    private func attackFrame(of host: SimulatedHost) -> [UInt8] {
        let everybody: UInt64 = 0xFFFF_FFFF_FFFF
        // Of the gateway at hand: a learning bridge cannot tell who else has a MAC address.
        let isGuarded = site.hasInterface(host.gateway, host.home.vsi)
        let router = isGuarded ? site.gatewayMAC(host.gateway, host.home.vsi) : nil
        let tag = host.tag(101)
        switch random.int(in: isGuarded ? 0...6 : 2...6) {
        case 0:
            return TaggedFrame.arp(
                UInt64(random.int(in: 1...2)), source: host.mac, destination: everybody,
                senderMAC: host.mac, senderIP: host.router, targetMAC: 0,
                targetIP: host.router, tag: tag)
        case 1:
            return TaggedFrame.opaque(
                source: router ?? host.mac, destination: everybody, tag: host.tag(255))
        case 2:
            return TaggedFrame.opaque(
                source: Site.hostMAC + 0x1000 + UInt64(random.int(in: 0...999)),
                destination: Site.hostMAC + 0x2000, tag: host.tag(255))
        case 3:
            return TaggedFrame.arp(
                1, source: host.mac, destination: everybody, senderMAC: host.mac,
                senderIP: host.address, targetMAC: 0,
                targetIP: site.subnet(host.home.vsi) + UInt32(random.int(in: 0...255)), tag: tag)
        case 4:
            return TaggedFrame.echo(
                source: host.mac, destination: router ?? everybody, from: host.address,
                to: 0x0A01_0000 + UInt32(random.int(in: 0...0x4FF)), tag: host.tag(8))
        case 5 where isGuarded:
            return TaggedFrame.arp(
                2, source: host.mac, destination: router ?? everybody, senderMAC: host.mac,
                senderIP: host.router, targetMAC: router ?? 0, targetIP: host.router, tag: tag)
        default: return random.bytes(random.int(in: 1...90))
        }
    }

    // MARK: Rest

    func heal() {
        trace?("HEAL")
        isFaulty = false
        cuts = []
        for index in gateways.indices {
            let usual = Site.Variant()
            if variants[index] != usual { reconfigure(index, usual) }
            let environment = TestGateway.environment(of: configuration(of: index))
            gateways[index].agent.update(environment, now: now)
        }
        queue.add(.probe, at: now + UInt64(Self.restSeconds) * Self.second)
    }

    /// Every pair that may talk asks, once a second until it was answered.
    func probeAll() {
        if probes.isEmpty { choosePairs() }
        var isDone = true
        var isSpent = false
        for index in probes.indices where !isAnswered(probes[index]) {
            isDone = false
            guard probes[index].numbers.count < Self.attempts else {
                isSpent = true
                continue
            }
            if let number = ping(hosts[probes[index].from], hosts[probes[index].to]) {
                probes[index].numbers.append(number)
            }
        }
        if isDone { return askAgain() }
        queue.add(isSpent ? .end : .probe, at: now + Self.second)
    }

    /// Everybody has reached everybody, and nothing is wrong any more: from here on no question
    /// may be lost.
    private func askAgain() {
        trace?("STEADY")
        for index in probes.indices {
            let moment = random.int(in: 0...Self.steadySeconds * 1000)
            queue.add(.again(index), at: now + UInt64(moment) * 1_000_000)
        }
        for _ in 0..<min(plan.reloadCount, 3) {
            let moment = random.int(in: 0...Self.steadySeconds * 1000)
            queue.add(.fault(.reload), at: now + UInt64(moment) * 1_000_000)
        }
        queue.add(.end, at: now + UInt64(Self.steadySeconds + 2) * Self.second)
    }

    private func choosePairs() {
        trace?("PROBE")
        let talkers = hosts.filter { !$0.home.attacks && !$0.home.isBlackholed }
        for from in talkers {
            for to in talkers where from !== to && plan.mayTalk(from.home.vsi, to.home.vsi) {
                probes.append(Probe(from: from.index, to: to.index))
            }
        }
        count { $0.checkedPairs = probes.count }
    }

    func isAnswered(_ probe: Probe) -> Bool {
        probe.numbers.contains { hosts[probe.from].answered.contains($0) }
    }
}
