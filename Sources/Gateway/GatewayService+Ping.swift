public import Control

/// Pings on behalf of operators.
extension GatewayService {
    public func ping(_ request: PingRequest) async throws(ControlError) -> [PingReport] {
        try request.check()
        let series = try await thread.perform { core throws(ControlError) in
            try core.beginPing(request)
        }
        let results = await withTaskGroup(of: Result<PingReport, ControlError>?.self) { group in
            for offset in 0..<request.count {
                group.addTask { [thread] in
                    let pause = Duration.milliseconds(offset * request.intervalMilliseconds)
                    // Whoever asked is gone: what is left is not sent.
                    guard (try? await Task.sleep(for: pause)) != nil else { return nil }
                    let sequence = request.sequence + offset
                    return await thread.performLater { core, complete in
                        core.echo(series, sequence: sequence, complete: complete)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var reports: [PingReport] = []
        for result in results { if let result { reports.append(try result.get()) } }
        return reports.sorted { $0.sequence < $1.sequence }
    }
}
