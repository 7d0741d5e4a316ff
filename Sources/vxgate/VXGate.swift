import ArgumentParser
import Control

/// `vxgate`: the daemon and, as its clients, every other command.
struct VXGate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vxgate",
        abstract: "A distributed VXLAN IP gateway.",
        discussion: """
            `vxgate run` is the gateway; the other commands talk to a running one over its control \
            socket. A word may be shortened as long as it is unambiguous: `vxgate sh p` is \
            refused, `vxgate sh pe` shows peers.

            Exit status: 0 done, 1 the thing asked for failed, 2 wrong usage or an invalid file.
            """,
        version: "vxgate \(Release.version)",
        subcommands: [
            Run.self, ConfigCommand.self, Show.self, Clear.self, FDBCommand.self, ARPCommand.self,
            PingCommand.self, DoctorCommand.self,
        ])
}
