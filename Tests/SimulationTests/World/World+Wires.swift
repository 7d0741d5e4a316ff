internal import Control
internal import TestKit
internal import Wire

/// Frames between hosts and gateways, and what a gateway does with its time.
extension World {
    // MARK: Gateways

    func deliver(_ arrival: Arrival, toGateway index: Int) {
        figures.gatewayFrames += 1
        record(UInt64(index), arrival.bytes)
        if let trace { trace("\(stamp) g\(index) < \(Self.text(arrival))") }
        let gateway = gateways[index]
        gateway.wait(nanoseconds: now - gateway.now)
        noteWaysOut(at: index)
        let turn = gateway.receive(arrival)
        var outputs = turn.outputs
        spoil(&outputs, of: arrival, at: index)
        checkTurn(turn.tally, outputs, arrival, index)
        sample(arrival, outputs, at: index)
        send(outputs, from: index)
        callAgent(index)
    }

    func callAgent(_ index: Int) {
        guard !agentIsDue[index] else { return }
        agentIsDue[index] = true
        let delay = plan.agentDelayMicroseconds
        let wait = delay == 0 ? 0 : random.int(in: 0...delay)
        queue.add(.agent(index), at: now + UInt64(wait) * 1000)
    }

    func runAgent(_ index: Int) {
        agentIsDue[index] = false
        gateways[index].wait(nanoseconds: now - gateways[index].now)
        gateways[index].deliverReports()
        serveOrders(index)
    }

    func tick(_ index: Int) {
        gateways[index].wait(nanoseconds: now - gateways[index].now)
        gateways[index].agent.tick(now: now)
        spoilNeighbors(index)
        serveOrders(index)
        queue.add(.tick(index), at: now + Self.tickNanoseconds)
    }

    private func serveOrders(_ index: Int) {
        // A packet that waited may wait again, but what the agent says comes to an end.
        for _ in 0..<16 {
            spoilOrders(index)
            let turn = gateways[index].serveOrders()
            var outputs = turn.outputs
            spoilOrdered(&outputs)
            if !turn.tally.isBalanced(outputs.count) {
                find(.orderBalance, "g\(index): \(turn.tally)")
            }
            guard !turn.verdicts.isEmpty else { return }
            send(outputs, from: index)
            gateways[index].deliverReports()
        }
        find(.agentEnds, "g\(index)")
    }

    private func send(_ outputs: [Output], from index: Int) {
        for output in outputs {
            switch output.place {
            case .port(let name): send(output.bytes, to: name, from: index)
            case .peer(let name):
                guard let peer = Int(name.dropFirst()) else { continue }
                send(output.bytes, toGateway: peer, from: index)
            }
        }
    }

    /// A frame for whoever is behind the port.
    private func send(_ bytes: [UInt8], to port: String, from index: Int) {
        if port == "wan" { return sendOutside(bytes, from: index) }
        guard let host = hosts.first(where: { $0.gateway == index && $0.port == port }) else {
            return
        }
        guard !isLost(bytes, to: host) else { return }
        queue.add(.host(host.index, epoch: host.epoch, bytes), at: now + 50_000)
    }

    /// A datagram across the underlay, which may lose, delay and double it.
    private func send(_ payload: [UInt8], toGateway peer: Int, from index: Int) {
        figures.underlayFrames += 1
        checkTunnel(payload, to: peer, from: index)
        guard !cuts.contains(index << 8 | peer) else { return }
        if isFaulty, random.int(in: 0...999) < plan.lossPermille { return }
        let arrival = Arrival.underlay(from: IPv4Address(bits: Site.vtep(index)), payload)
        queue.add(.gateway(peer, arrival), at: now + delay())
        if isFaulty, random.int(in: 0...999) < plan.duplicatePermille {
            ledger.double(TaggedFrame.tag(Array(payload.dropFirst(8))))
            queue.add(.gateway(peer, arrival), at: now + delay())
        }
    }

    private func delay() -> UInt64 {
        let most = isFaulty ? plan.maximumDelayMicroseconds : plan.minimumDelayMicroseconds * 10
        return UInt64(random.int(in: plan.minimumDelayMicroseconds...most)) * 1000
    }

    // MARK: Hosts

    func deliver(_ bytes: [UInt8], toHost index: Int, epoch: Int) {
        let host = hosts[index]
        guard host.epoch == epoch else { return }
        figures.hostFrames += 1
        record(UInt64(index) | 1 << 32, bytes)
        if let trace { trace("\(stamp) h\(index) < \(Self.text(bytes))") }
        checkDelivery(bytes, host)
        if !host.home.attacks, let claim = host.receive(bytes, now: now) { check(claim, host) }
        flush(host)
    }
}
