import Control
import ControlAPI
import FoundationEssentials
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// The services of a running gateway and their order: the control API stops first, the gateway
/// last, so that nobody asks a gateway that is gone.
struct Daemon {
    /// What clients in the middle of a request and the dataplane's last packets may take at
    /// shutdown.
    private static let longestShutdown = Duration.seconds(8)

    let configuration: Configuration
    let file: ConfigurationFile
    let log: Logger
    let printsSummary: Bool

    func run() async throws {
        // Until the reloader listens, a hangup must not end the process.
        signal(SIGHUP, SIG_IGN)
        let notifier = ServiceNotifier(environment: ProcessInfo.processInfo.environment)
        let gateway: RunningGateway
        do {
            let socket = try ControlSocket(
                claiming: ControlAddress(
                    path: configuration.control.socket, group: configuration.control.group),
                log: log)
            gateway = try makeGateway(configuration: configuration, file: file, log: log)
            let status = "forwarding, control API at \(socket.path)"
            let server = ControlServer(plane: gateway, socket: socket, log: log) {
                notifier.ready(status)
            }
            try await serve(gateway, server, notifier, status: status)
        } catch let failure as Failure {
            throw failure
        } catch let error as ControlServerError {
            throw Failure(at: "control", error.description)
        } catch {
            throw Failure(at: "run", "\(error)")
        }
        if printsSummary { try Terminal.print(try await gateway.counters().text) }
    }

    private func serve(
        _ gateway: RunningGateway, _ server: ControlServer, _ notifier: ServiceNotifier,
        status: String
    ) async throws {
        // What ends the group is thrown out of it and told once, as the reason of the exit.
        var quiet = log
        quiet.logLevel = .critical
        let reloader = Reloader(
            plane: gateway, fileName: file.name, notifier: notifier, status: status, log: log)
        let link = SupervisorLink(plane: gateway, notifier: notifier)
        var services: [any Service] = [gateway, link, reloader]
        if let metrics = configuration.metrics {
            services.append(
                MetricsServer(
                    plane: gateway, address: metrics.address, port: Int(metrics.port), log: log))
        }
        var group = ServiceGroupConfiguration(
            services: services + [server], gracefulShutdownSignals: [.sigint, .sigterm],
            logger: quiet)
        group.maximumGracefulShutdownDuration = Self.longestShutdown
        try await ServiceGroup(configuration: group).run()
        log.info("stopped")
    }
}

/// Applies the file again on every SIGHUP. What is wrong with it is logged, and the gateway goes on
/// with the configuration it has.
private struct Reloader: Service {
    let plane: any ControlPlane
    let fileName: String
    let notifier: ServiceNotifier
    let status: String
    let log: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            notifier.reloading()
            await reload()
            notifier.ready(status)
        }
    }

    private func reload() async {
        do {
            let file = try ConfigurationFile(fileName)
            let changes = try await plane.apply(text: file.text, fileName: fileName)
            log.notice(
                "configuration reloaded",
                metadata: ["file": "\(fileName)", "changes": "\(changes.count)"])
            for change in changes { log.info("changed", metadata: ["change": "\(change)"]) }
        } catch let failure as Failure {
            refuse(failure.details + [failure.text])
        } catch let error as ControlError {
            refuse(error.lines)
        } catch {
            refuse(["\(error)"])
        }
    }

    private func refuse(_ lines: [String]) {
        for line in lines {
            log.warning("configuration refused", metadata: ["reason": "\(line)"])
        }
        log.warning(
            "the configuration did not change: correct the file and send SIGHUP again",
            metadata: ["file": "\(fileName)"])
    }
}

extension ControlError {
    /// What an operator reads, one line each.
    fileprivate var lines: [String] {
        switch self {
        case .malformed(let text), .notFound(let text), .conflict(let text), .unavailable(let text):
            [text]
        case .invalidConfiguration(let lines): lines
        }
    }
}

/// Feeds the supervisor's watchdog while the gateway answers, and says when the daemon begins to
/// stop. A gateway that hangs does not answer, so the supervisor restarts it.
private struct SupervisorLink: Service {
    let plane: any ControlPlane
    let notifier: ServiceNotifier

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown { await feed() }
        } onGracefulShutdown: {
            notifier.stopping()
        }
    }

    private func feed() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: notifier.watchdogInterval ?? .seconds(3600))
            guard notifier.watchdogInterval != nil, !Task.isCancelled else { continue }
            if (try? await plane.version()) != nil { notifier.watchdog() }
        }
    }
}
