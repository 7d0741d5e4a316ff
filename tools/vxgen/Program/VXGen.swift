import ArgumentParser
import Generator

/// `vxgen`: the traffic generator.
struct VXGen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vxgen",
        abstract: "A traffic generator for VXLAN gateways and networks.",
        discussion: "Exit status: 0 done, 1 the thing asked for failed, 2 wrong usage.",
        version: "vxgen \(Release.version)",
        subcommands: [RunCommand.self, SearchCommand.self, ReplayCommand.self, AnswerCommand.self])

    /// Of the commands.
    static var names: [String] {
        configuration.subcommands.map { $0.configuration.commandName ?? "" }
    }
}
