import ArgumentParser
import Control
import ControlAPI

/// `vxgate config check|plan|apply|show`. Only `check`, and `plan` with `--against`, work without a
/// daemon.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check, compare, apply and show configurations.",
        subcommands: [ConfigCheck.self, ConfigPlan.self, ConfigApply.self, ConfigShow.self])
}

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a file; no daemon is needed.",
        discussion: """
            Every error of the file is reported, one line each, and the exit status is then 2. \
            Warnings are reported, too, and change nothing.
            """)

    @Argument(help: "The configuration file.") var file: String
    @Flag(help: "Print the errors and warnings as JSON.") var json = false

    func run() throws {
        let file = try ConfigurationFile(file)
        do {
            let parsed = try Configuration.parse(text: file.text, fileName: file.name)
            try tell(parsed.warnings)
        } catch let errors as ConfigurationErrors {
            try tell(errors.diagnostics)
            throw ExitCode(2)
        }
    }

    private func tell(_ diagnostics: [Diagnostic]) throws {
        for diagnostic in diagnostics { Terminal.warn("\(diagnostic)") }
        guard json else { return }
        let rows = diagnostics.map(DiagnosticRow.init)
        try Terminal.print(rowsText(rows))
    }
}

struct ConfigPlan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what applying a file would change; changes nothing.",
        discussion: "A line with `!` names what cannot change while the gateway runs.")

    @Argument(help: "The new configuration file.") var file: String
    @Option(help: "Compare with this file instead of the running configuration.")
    var against: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        let new = try ConfigurationFile(file).parsed().configuration
        let plan = ConfigurationPlan(from: try old(), to: new)
        if options.json {
            let report = PlanReport(changes: plan.lines, restartRequired: plan.restartRequired)
            return try Terminal.print(objectText(report))
        }
        let lines = plan.lines + plan.restartRequired.map { "! \($0)" }
        let text = lines.isEmpty ? ["no changes"] : lines
        try Terminal.print(text.map { $0 + "\n" }.joined())
    }

    private func old() throws -> Configuration {
        if let against { return try ConfigurationFile(against).parsed().configuration }
        let text = try options.asking("config plan") { client throws(ControlClientError) in
            try client.request("GET", "/v1/config")
        }
        do {
            return try Configuration.parse(
                text: String(decoding: text, as: UTF8.self), fileName: "running"
            ).configuration
        } catch {
            throw Failure(
                at: "config plan",
                "this program is older or newer than the daemon: use the one of the daemon"
            )
        }
    }
}

struct ConfigApply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Give the running gateway a whole new configuration.",
        discussion: "The file is applied as one change or not at all.")

    @Argument(help: "The configuration file.") var file: String
    @OptionGroup var options: ClientOptions

    func run() throws {
        let file = try ConfigurationFile(file)
        let changes = try options.asking("config apply") { client throws(ControlClientError) in
            try client.apply(text: file.text, fileName: file.name)
        }
        if options.json { return try Terminal.print(objectText(ChangeReport(changes: changes))) }
        let text = changes.isEmpty ? ["no changes"] : changes
        try Terminal.print(text.map { $0 + "\n" }.joined())
    }
}

struct ConfigShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the text of the running configuration.")

    @OptionGroup var options: ClientOptions

    func run() throws {
        let text = try options.asking("config show") { client throws(ControlClientError) in
            try client.request("GET", "/v1/config")
        }
        guard options.json else { return try Terminal.print(text) }
        try Terminal.print(objectText(["configuration": String(decoding: text, as: UTF8.self)]))
    }
}
