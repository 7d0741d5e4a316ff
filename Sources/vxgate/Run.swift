import ArgumentParser
import Control
import ControlAPI
import Glibc
import Logging
import ServiceLifecycle

/// `vxgate run`: the gateway itself, in the foreground until SIGINT or SIGTERM.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Be the gateway, in the foreground.",
        discussion: """
            SIGHUP reads the file again and applies what differs; an invalid file changes nothing. \
            SIGINT and SIGTERM stop cleanly. Under systemd (Type=notify) readiness, reloads and \
            the watchdog are reported, and log lines carry their priority instead of a time.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String

    @Flag(help: "Check the file and stop: nothing is opened.")
    var checkOnly = false

    @Flag(help: "Print the final counters when the gateway has stopped.")
    var summary = false

    @Option(help: "Log lines from here on: trace, debug, info, notice, warning, error, critical.")
    var logLevel = LogLevel.info

    @Flag(help: "Begin log lines with the time.")
    var logTimestamps = false

    func run() async throws {
        let file = try ConfigurationFile(config)
        let parsed = try file.parsed()
        guard !checkOnly else {
            for warning in parsed.warnings { Terminal.warn("\(warning)") }
            return
        }
        let log = makeLog()
        for warning in parsed.warnings {
            log.warning(
                "\(warning.text)",
                metadata: [
                    "at": "\(warning.file):\(warning.line):\(warning.column)",
                    "key": "\(warning.path)",
                ])
        }
        let inactive = parsed.configuration.inactive()
        if !inactive.isEmpty {
            log.notice(
                "parts of the configuration are not active in this version",
                metadata: ["parts": "\(inactive.joined(separator: ","))"])
        }
        try await Daemon(
            configuration: parsed.configuration, file: file, log: log, printsSummary: summary
        ).run()
    }

    private func makeLog() -> Logger {
        let isJournal = unsafe getenv("JOURNAL_STREAM") != nil
        let style: OperatorLog.Style =
            logTimestamps ? .timestamps : isJournal ? .journal : .plain
        let level = logLevel.level
        LoggingSystem.bootstrap { _ in OperatorLog(level: level, style: style) }
        return Logger(label: "vxgate")
    }
}
