internal import Control
internal import Wire

/// Pings of the gateway's own.
extension GatewayCore {
    /// A series of echo requests: one origin, one identifier.
    struct PingSeries: Sendable {
        let origin: PingOrigin
        let identifier: UInt16
        let request: PingRequest
    }

    func beginPing(_ request: PingRequest) throws(ControlError) -> PingSeries {
        let origin = try agent.pingOrigin(
            to: request.address, vrf: request.vrf, interface: request.interface)
        return PingSeries(origin: origin, identifier: echoes.makeIdentifier(), request: request)
    }

    /// Sends one request of the series; `complete` is called once, later or at once.
    func echo(
        _ series: PingSeries, sequence: Int, complete: @escaping EchoSessions.Completion
    ) {
        let moment = now
        let frame = EchoFrame(
            origin: series.origin.mac, source: series.origin.source,
            destination: series.request.address, identifier: series.identifier,
            sequence: UInt16(truncatingIfNeeded: sequence), timestamp: moment,
            size: series.request.size)
        let end = moment + UInt64(series.request.timeoutMilliseconds) * 1_000_000
        guard echoes.begin(frame, until: end, complete: complete) else { return }
        agent.originate(frame.bytes, vsi: series.origin.vsi)
    }

    /// What the gateway could not deliver of its own, and what has waited long enough.
    func settlePings() {
        for refusal in agent.takeRefusals() {
            let answer = EchoAnswer(
                refused: refusal.bytes, type: refusal.type, code: refusal.code, mtu: refusal.mtu)
            if let answer { echoes.take(answer, now: now) }
        }
        echoes.expire(now: now)
    }
}
