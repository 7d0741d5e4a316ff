public import Control
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// `GET /metrics` over TCP for Prometheus, and nothing else of the API: what is reachable over a
/// network can read counters and change nothing.
public final class MetricsServer: Service {
    private let plane: any ControlPlane
    private let address: String
    private let port: Int
    private let limits: ControlServer.Limits
    private let log: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameter onListening: gets the port that is listened on, which differs from `port` when
    ///   that is 0.
    public init(
        plane: any ControlPlane, address: String, port: Int,
        limits: ControlServer.Limits = .init(), log: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.plane = plane
        self.address = address
        self.port = port
        self.limits = limits
        self.log = log
        self.onListening = onListening
    }

    public func run() async throws {
        let routes = ControlRoutes(plane: plane, limits: limits)
        let application = Application(
            router: routes.router { $0.path == "/metrics" },
            server: .http1(configuration: limits.channelConfiguration),
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.connections, logger: log.quiet)),
            onServerRunning: { [log, address, onListening] channel in
                let port = channel.localAddress?.port ?? 0
                log.info("metrics are served", metadata: ["listen": "\(address):\(port)"])
                await onListening(port)
            },
            logger: log.quiet)
        do {
            try await application.runShielded(farewell: limits.farewell, log: log.quiet)
        } catch {
            throw ControlServerError.metrics(
                listen: "\(address):\(port)", reason: "\(error)")
        }
    }
}
