import ArgumentParser
import Control
import ControlAPI

/// `vxgate doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what keeps a gateway from working: host, rules, peers, tables.",
        discussion: """
            Asks the running gateway and looks at its host, in the gateway's network namespace. \
            With --config a file is looked at before a gateway runs; no daemon is asked then. \
            Nothing is changed and no packet is sent. Rights of root let it see every process and \
            the packet filter; what it may not see is told as not checked.

            Exit status: 0 when there is no problem, 1 when there is one.
            """)

    @Option(
        help: ArgumentHelp("Look at this file instead of the running gateway.", valueName: "file"))
    var config: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        let findings = try config.map(lookAtFile) ?? lookAtDaemon()
        try Terminal.print(
            options.json ? rowsText(findings) : Array(TextTable(findings).text.utf8))
        guard !findings.contains(where: { $0.verdict == .problem }) else { throw ExitCode(1) }
    }

    private func lookAtFile(_ name: String) throws -> [Finding] {
        let configuration = try ConfigurationFile(name).parsed().configuration
        let host = HostSurvey.facts(of: configuration, daemon: nil, features: nil)
        return Doctor(configuration: configuration, host: host, daemon: nil).findings()
    }

    private func lookAtDaemon() throws -> [Finding] {
        let place = "doctor"
        let text = try options.asking(place) { client throws(ControlClientError) in
            try client.request("GET", "/v1/config")
        }
        let parsed: ParsedConfiguration
        do {
            parsed = try Configuration.parse(
                text: String(decoding: text, as: UTF8.self), fileName: "running")
        } catch {
            throw Failure(
                at: place,
                "this program is older or newer than the daemon: use the one of the daemon")
        }
        let (daemon, features) = try options.asking(place) { client throws(ControlClientError) in
            (
                DaemonFacts(
                    processIdentifier: try client.get(VersionReport.self, "/v1/version").pid,
                    ports: try client.get([PortReport].self, "/v1/port"),
                    fdb: try client.get([FDBReport].self, "/v1/fdb"),
                    arp: try client.get([ARPReport].self, "/v1/arp"),
                    routes: try client.get([RouteReport].self, "/v1/route")),
                try client.get(RuntimeReport.self, "/v1/runtime").features
            )
        }
        let host = HostSurvey.facts(
            of: parsed.configuration, daemon: daemon.processIdentifier, features: features)
        return Doctor(configuration: parsed.configuration, host: host, daemon: daemon).findings()
    }
}
