import Control
import Gateway
import Logging
import ServiceLifecycle

/// What `run` needs of a gateway: it answers operators, and it forwards packets from `run()` until
/// graceful shutdown. After `run()` has returned it still answers `counters()`.
typealias RunningGateway = any ControlPlane & Service

/// Makes the gateway of a checked configuration. It opens what can fail for an operator's reasons
/// (devices, sockets, rings) and throws an error whose description is one line saying what to do.
func makeGateway(
    configuration: Configuration, file: ConfigurationFile, log: Logger
) throws -> RunningGateway {
    try GatewayService(
        configuration: configuration, text: file.text, fileName: file.name, log: log)
}
