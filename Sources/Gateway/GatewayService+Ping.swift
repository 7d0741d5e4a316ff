public import Control
internal import ServiceLifecycle

/// Pings on behalf of operators.
extension GatewayService {
    /// When the gateway is told to stop, what is under way ends at once and the rest is not sent.
    public func ping(_ request: PingRequest) async throws(ControlError) -> [PingReport] {
        try request.check()
        let series = try await thread.perform { core throws(ControlError) in
            try core.beginPing(request)
        }
        let results = await cancelWhenGracefulShutdown { [thread] in
            await withTaskCancellationHandler {
                await Self.results(of: series, on: thread)
            } onCancel: {
                thread.submit { $0.echoes.abandon(identifier: series.identifier) }
            }
        }
        var reports: [PingReport] = []
        for result in results { reports.append(try result.get()) }
        return reports.sorted { $0.sequence < $1.sequence }
    }

    private static func results(
        of series: GatewayCore.PingSeries, on thread: AgentThread
    ) async -> [Result<PingReport, ControlError>] {
        let request = series.request
        return await withTaskGroup(of: Result<PingReport, ControlError>?.self) { group in
            for offset in 0..<request.count {
                group.addTask {
                    let pause = Duration.milliseconds(offset * request.intervalMilliseconds)
                    guard (try? await Task.sleep(for: pause)) != nil else { return nil }
                    let sequence = request.sequence + offset
                    return await thread.performLater { core, complete in
                        core.echo(series, sequence: sequence, complete: complete)
                    }
                }
            }
            return await group.reduce(into: []) { results, result in
                if let result { results.append(result) }
            }
        }
    }
}
