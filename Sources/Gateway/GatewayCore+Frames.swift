internal import Control
internal import Dataplane
internal import Logging
internal import Memory
internal import Tables
internal import Uring
internal import Wire

/// Frames between workers and agent: what workers hand over, and what the agent wants sent.
extension GatewayCore {
    /// Frames of one worker in one turn of the agent; the rest waits for the next, so that a flood
    /// at one worker does not keep the others from being heard.
    private static let framesPerTurn = 1024

    func takeFrames(_ link: WorkerLink) {
        for _ in 0..<Self.framesPerTurn {
            guard let record = unsafe link.framesToAgent.next() else { return }
            let bytes = unsafe Array(UnsafeBufferPointer(start: record.bytes, count: record.count))
            unsafe take(record.header, bytes, link)
            link.framesToAgent.advance()
        }
        hasMoreFrames = true
    }

    private func take(_ header: PuntHeader, _ bytes: [UInt8], _ link: WorkerLink) {
        let vsi = Int(header.vsi)
        let place = agent.place(
            header.place, source: IPv4Address(bits: header.outerSource), vsi: vsi, now: now)
        switch header.kind {
        case .arp:
            agent.proxyARP(bytes, vsi: vsi, place: place, now: now)
        case .answer:
            agent.send(bytes, vsi: vsi, place: place)
        case .hold:
            let token = unsafe withUnsafeBytes(of: header.segmentation) { unsafe Array($0) }
            let packet = HeldPacket(
                bytes: bytes, token: token, vsi: vsi, place: place, worker: link.number)
            agent.hold(
                packet, interface: Int(header.interface),
                nextHop: IPv4Address(bits: header.nextHop), now: now)
        case .icmpError:
            agent.icmpError(
                type: header.icmpType, code: header.icmpCode, mtu: Int(header.mtu), about: bytes,
                vsi: vsi, place: place)
        case .echoAnswer:
            if let answer = EchoAnswer(frame: bytes) { echoes.take(answer, now: now) }
        }
    }

    /// Says that tables may change, and orders follow.
    func beginTurn() {
        turns += 1
        for link in links { link.progress.begin(turns) }
    }

    /// Hands the agent's frames to the workers, a packet that waited to the one it came from, the
    /// gateway's own to the first, and says that the turn has ended.
    func sendOrders() {
        var touched: Set<Int> = []
        for order in agent.takeOrders() {
            let (worker, header, bytes) = record(of: order)
            let isSent = unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return true }
                return unsafe links[worker].framesToWorker.push(
                    header, base, count: buffer.count)
            }
            touched.insert(worker)
            // The worker is far behind: what waited counts as dropped, the agent's own is asked for
            // again.
            if !isSent, case .resume = order { lostResumes += 1 }
        }
        for link in links { link.progress.end(turns, takenBytes: link.framesToAgent.takenBytes) }
        for worker in touched { links[worker].wake() }
        account()
    }

    private func record(of order: AgentOrder) -> (Int, OrderHeader, [UInt8]) {
        switch order {
        case .send(let bytes, let vsi, let place):
            return (0, OrderHeader(kind: .send, vsi: UInt16(vsi), destination: place), bytes)
        case .flood(let bytes, let vsi, let local, let remote, let origin):
            let scope: FloodScope = local && remote ? .all : local ? .local : .remote
            let header = OrderHeader(
                kind: .flood, vsi: UInt16(vsi), destination: origin, scope: scope)
            return (0, header, bytes)
        case .route(let bytes, let vsi):
            return (0, OrderHeader(kind: .route, vsi: UInt16(vsi)), bytes)
        case .resume(let packet):
            var segmentation = Segmentation.none
            unsafe withUnsafeMutableBytes(of: &segmentation) { target in
                guard packet.token.count == target.count else { return }
                unsafe target.copyBytes(from: packet.token)
            }
            let header = OrderHeader(
                kind: .resume, vsi: UInt16(packet.vsi), destination: packet.place,
                segmentation: segmentation)
            return (packet.worker, header, packet.bytes)
        }
    }

    /// Packets that ended with the agent are counted in the agent's own page.
    private func account() {
        let overflow = agent.events.heldOverflow + lostResumes
        let failed = agent.events.heldFailed
        let newOverflow = overflow - accountedOverflow
        let newFailed = failed - accountedFailed
        guard newOverflow + newFailed > 0 else { return }
        accountedOverflow = overflow
        accountedFailed = failed
        agentCounters.count(.nhUnresolvedQueueFull, newOverflow)
        agentCounters.count(.nhFailed, newFailed)
        agentCounters.add(newOverflow + newFailed, .released)
    }
}
