import Generator
import Wire

extension Settings {
    /// The plan of a run, or why the settings do not go together: `Failure` with status 2.
    ///
    /// - Parameter allowsAnyTarget: addresses outside of private networks may be sent to.
    func plan(allowsAnyTarget: Bool) throws(Failure) -> RunPlan {
        try check(allowsAnyTarget)
        var plan = RunPlan(output: output, streams: numbered, rate: rate, limit: limit)
        plan.input = input
        plan.workers = workers
        plan.receiveWorkers = receiveWorkers
        plan.burst = burst
        plan.warmUp = warmUp?.nanoseconds ?? 0
        plan.learns = learns
        plan.isPinned = isPinned
        plan.isRoundTrip = isRoundTrip
        guard plan.flows <= Stamp.maximumStreams else {
            throw Self.wrong("all streams together have at most \(Stamp.maximumStreams) flows")
        }
        guard plan.packetsPerSecond ?? 0 <= Rate.maximumPacketsPerSecond else {
            throw Self.wrong("--rate is at most 1Gpps")
        }
        return plan
    }

    private func check(_ allowsAnyTarget: Bool) throws(Failure) {
        guard [device != nil, tap != nil, vxlan != nil].count(where: { $0 }) == 1 else {
            throw Self.wrong("give one of --device, --tap and --vxlan")
        }
        let inputs = [receive != nil, receiveTap != nil, receiveVXLAN != nil].count { $0 }
        guard inputs <= 1 else {
            throw Self.wrong("give one of --receive, --receive-tap and --receive-vxlan")
        }
        guard inputs == 1 || receiveNetns == nil else {
            throw Self.wrong("--receive-netns needs --receive")
        }
        guard inputs == 1 || vxlan != nil || !learns else {
            throw Self.wrong("--learn needs --receive or --vxlan")
        }
        guard duration == nil || count == nil else {
            throw Self.wrong("give one of --duration and --count")
        }
        guard vxlan != nil || vxlanSource == nil else {
            throw Self.wrong("--vxlan-source needs --vxlan")
        }
        for stream in streams { try check(stream) }
        guard let vxlan, !allowsAnyTarget, !TunnelPlan.isHarmless(vxlan.address) else { return }
        throw Self.wrong(
            "\(vxlan.address) is neither a private nor a loopback address; with"
                + " --allow-any-target it is sent to all the same")
    }

    private func check(_ stream: StreamPlan) throws(Failure) {
        guard (vxlan == nil) == (stream.space.vnis == 0...0) else {
            throw Self.wrong("--vxlan and --vni go together")
        }
        let shortest = stream.shortestFrame
        guard stream.sizes.shortest >= shortest else {
            throw Self.wrong("with --vlan frames have at least \(shortest) bytes")
        }
    }

    private var limit: RunPlan.Limit {
        if let count { return .count(count) }
        return .duration(duration ?? RunDuration("10s")!)
    }

    private var output: RunPlan.Output {
        if let device { return .device(RunPlan.Port(device: device, namespace: netns)) }
        guard let vxlan else { return .tap(RunPlan.Port(device: tap ?? "", namespace: netns)) }
        var tunnel = TunnelPlan(address: vxlan.address)
        tunnel.port = vxlan.port
        tunnel.source = vxlanSource
        tunnel.sourcePorts = sourcePorts
        tunnel.timeToLive = outerTTL
        tunnel.typeOfService = outerDSCP << 2
        tunnel.dontFragment = outerDF
        tunnel.namespace = netns
        return .tunnel(tunnel)
    }

    private var input: RunPlan.Input? {
        if let receive {
            return .device(RunPlan.Port(device: receive, namespace: receiveNetns))
        }
        if let receiveTap {
            return .tap(RunPlan.Port(device: receiveTap, namespace: receiveNetns))
        }
        return receiveVXLAN.map {
            .tunnel(TunnelEnd(address: $0.address, port: $0.port, namespace: receiveNetns))
        }
    }

    /// The streams with seeds of their own: the first one has that of the run.
    private var numbered: [StreamPlan] {
        var streams = streams
        for index in streams.indices {
            streams[index].space.seed = seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15
        }
        return streams
    }

    private static func wrong(_ text: String) -> Failure { Failure(text, status: 2) }
}
