public import Control
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOHTTPTypes
public import ServiceLifecycle
import Synchronization

/// The control API: HTTP/1.1 with JSON over a Unix socket.
///
/// Serves from `run` until graceful shutdown. Thread-safety: `run` is called once; everything else
/// is the server's own.
public final class ControlServer: Service {
    /// What a client may ask for; beyond it, it is refused and nobody else suffers.
    public struct Limits: Sendable {
        /// Request bodies, in bytes (413 beyond).
        public var bodyBytes = 4 << 20
        /// Brackets inside brackets of a request body (400 beyond).
        public var nesting = 64
        /// A connection that neither asks nor is answered for this long is closed.
        public var idle = Duration.seconds(60)
        /// At shutdown, how long requests that are being answered may take.
        public var farewell = Duration.seconds(3)
        /// Open connections; more wait in the backlog of the kernel.
        public var connections = 64

        public init() {}
    }

    private let socket: ControlSocket
    private let routes: ControlRoutes
    private let limits: Limits
    private let log: Logger
    private let onListening: @Sendable () async -> Void

    /// - Parameter onListening: called once clients can connect.
    public init(
        plane: any ControlPlane, socket: ControlSocket, limits: Limits = Limits(), log: Logger,
        onListening: @escaping @Sendable () async -> Void = {}
    ) {
        self.socket = socket
        routes = ControlRoutes(plane: plane, limits: limits)
        self.limits = limits
        self.log = log
        self.onListening = onListening
    }

    public func run() async throws {
        let failure = Mutex<ControlServerError?>(nil)
        let path = socket.path
        let application = Application(
            router: routes.router(),
            server: .http1(configuration: limits.channelConfiguration),
            configuration: ApplicationConfiguration(
                address: .unixDomainSocket(path: socket.bindPath),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    limits.connections, logger: log.quiet)),
            onServerRunning: { [socket, log, onListening] channel in
                do throws(ControlServerError) {
                    try socket.publish(log: log)
                    log.info("the control API is ready", metadata: ["socket": "\(path)"])
                    await onListening()
                } catch {
                    failure.withLock { $0 = error }
                    try? await channel.close()
                }
            },
            logger: log.quiet)
        defer { socket.withdraw() }
        do {
            try await application.runShielded(farewell: limits.farewell, log: log.quiet)
        } catch {
            throw failure.withLock { $0 } ?? ControlServerError.stopped("\(error)")
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

extension Service {
    /// Runs an HTTP application with cancellation turned into graceful shutdown: cancelled with a
    /// connection accepted but not yet begun, the HTTP packages trap. Once nothing new is accepted,
    /// clients that do not take their answer may be cancelled.
    func runShielded(farewell: Duration, log: Logger) async throws {
        let group = ServiceGroup(services: [self], logger: log)
        let serving = Task { try await group.run() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await serving.value
        } onCancelOrGracefulShutdown: {
            Task {
                await group.triggerGracefulShutdown()
                try? await Task.sleep(for: farewell)
                serving.cancel()
            }
        }
    }
}

extension ControlServer.Limits {
    /// How the limits reach the HTTP packages; those on headers are of their own, far above what a
    /// client of this API sends.
    var channelConfiguration: HTTP1Channel.Configuration {
        let idle = TimeAmount(idle)
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [IdleStateHandler(allTimeout: idle), IdleClientCloser()],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10,
                maxHeaderFieldCount: 64))
    }
}

/// Closes the connection of a client from which nothing comes and to which nothing goes, also one
/// that does not take its answer: Hummingbird's own limit waits for that for ever.
private final class IdleClientCloser: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        context.close(promise: nil)
    }
}

extension Logger {
    /// The HTTP packages log their own starts and stops; only their trouble is an operator's
    /// business.
    var quiet: Logger {
        var quiet = self
        quiet.logLevel = max(.warning, logLevel)
        return quiet
    }
}
