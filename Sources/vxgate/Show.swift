import ArgumentParser

/// `vxgate show THING`: a file for each group of things.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what the running gateway knows and counts.",
        subcommands: [
            ShowVSI.self, ShowVNI.self, ShowPeer.self, ShowPort.self, ShowFDB.self, ShowARP.self,
            ShowRoute.self, ShowPolicy.self, ShowCounters.self, ShowDrops.self, ShowRuntime.self,
            ShowEvents.self, ShowVersion.self,
        ])
}
