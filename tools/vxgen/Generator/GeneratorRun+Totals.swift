internal import Synchronization

extension GeneratorRun {
    /// So far, with the rates since the last time this was asked.
    func liveTotals(_ now: UInt64) -> RunTotals {
        var totals = sums(elapsed: now - min(startTime, now))
        totals.isLive = true
        let before = previous?.totals ?? RunTotals()
        let since = previous?.time ?? startTime
        let interval = Double(now - min(since, now)) / 1e9
        func rate(_ now: UInt64, _ before: UInt64) -> Double {
            interval > 0 ? Double(now - min(before, now)) / interval : 0
        }
        totals.sent.packetsPerSecond = rate(totals.sent.packets, before.sent.packets)
        totals.received.packetsPerSecond = rate(totals.received.packets, before.received.packets)
        previous = (totals, now)
        return totals
    }

    /// After the last thread has ended.
    func finalTotals() -> RunTotals {
        let end = senders.map { $0.endTime.load(ordering: .acquiring) }.max() ?? startTime
        var totals = sums(elapsed: end - min(startTime, end))
        let asked = senders.reduce(0) { $0 + $1.asked.load(ordering: .relaxed) }
        let isAsked = asked > 0 || plan.packetsPerSecond != nil
        totals.asked = isAsked ? asked : nil
        return totals
    }

    private func sums(elapsed: UInt64) -> RunTotals {
        var totals = RunTotals()
        func sum(_ entry: Tally.Entry) -> UInt64 { senders.reduce(0) { $0 + $1.tally.sum(entry) } }
        let seconds = Double(elapsed) / 1e9
        totals.seconds = seconds
        totals.sent.packets = sum(.sentPackets)
        totals.sent.bytes = sum(.sentBytes)
        totals.sent.packetsPerSecond = seconds > 0 ? Double(totals.sent.packets) / seconds : 0
        totals.offered = sum(.offered)
        totals.askedPacketsPerSecond = plan.packetsPerSecond
        if let rate = plan.packetsPerSecond { totals.asked = UInt64(rate * seconds) }
        totals.achievedPacketsPerSecond = totals.sent.packetsPerSecond
        totals.stalledSeconds = Double(sum(.stalled)) / 1e9
        totals.isRoundTrip = plan.isRoundTrip || plan.isLoop
        totals.streams = plan.streams.map { RunTotals.Stream(name: $0.name) }
        for (number, _) in plan.streams.enumerated() {
            totals.streams[number].sent = senders.reduce(0) {
                $0 + $1.tally.read(.sentPackets, stream: number)
            }
        }
        if !receivers.isEmpty { addReceived(to: &totals, elapsed) }
        return totals
    }

    private func addReceived(to totals: inout RunTotals, _ elapsed: UInt64) {
        func sum(_ entry: Tally.Entry) -> UInt64 {
            receivers.reduce(0) { $0 + $1.tally.sum(entry) }
        }
        totals.isReceiving = true
        totals.received.packets = sum(.receivedPackets)
        totals.received.bytes = sum(.receivedBytes)
        // What drains out of queues after the last frame was sent takes its time too.
        let last =
            receivers.map { $0.tally.read(.lastReceived, stream: Tally.none) }.max() ?? 0
        let receiving = Double(max(elapsed, last - min(startTime, last))) / 1e9
        totals.received.packetsPerSecond =
            receiving > 0 ? Double(totals.received.packets) / receiving : 0
        totals.reordered = sum(.reordered)
        totals.duplicated = sum(.duplicated)
        totals.corrupted = sum(.corrupted)
        for (number, port) in ports.receiving.enumerated() {
            overruns[number] = port.losses(before: overruns[number])
        }
        totals.overruns = overruns.reduce(0, +) - overrunsBefore
        addStreams(to: &totals)
    }

    private func addStreams(to totals: inout RunTotals) {
        var all = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
        var longest: UInt64 = 0
        for number in totals.streams.indices {
            func sum(_ entry: Tally.Entry) -> UInt64 {
                receivers.reduce(0) { $0 + $1.tally.read(entry, stream: number) }
            }
            totals.streams[number].received = sum(.receivedPackets)
            totals.streams[number].reordered = sum(.reordered)
            totals.streams[number].duplicated = sum(.duplicated)
            totals.streams[number].corrupted = sum(.corrupted)
            var counts = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
            for link in receivers { link.histogram.add(number..<(number + 1), to: &counts) }
            let most = receivers.map { $0.tally.read(.longest, stream: number) }.max() ?? 0
            totals.streams[number].latency = LatencyHistogram.percentiles(
                of: counts, longest: most)
            longest = max(longest, most)
            for bucket in counts.indices { all[bucket] += counts[bucket] }
        }
        totals.latency = LatencyHistogram.percentiles(of: all, longest: longest)
    }
}
