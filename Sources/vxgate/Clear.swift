import ArgumentParser
import Control
import ControlAPI
import Wire

/// `vxgate clear counters|fdb|arp`.
struct Clear: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove learned entries or set counters back to zero.",
        subcommands: [ClearCounters.self, ClearFDB.self, ClearARP.self])
}

struct ClearCounters: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters", abstract: "Set every counter back to zero.")

    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.change("clear counters", "DELETE", "/v1/counters") { _ in "" }
    }
}

struct ClearFDB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fdb", abstract: "Remove dynamic MAC addresses, all of them or selected ones.")

    @Option(help: "Only entries of this VSI.") var vsi: String?
    @Option(help: "Only entries behind this access port.") var port: String?
    @Option(help: "Only entries behind this peer.") var peer: String?
    @Option(help: "Only this MAC address.") var mac: MACAddress?
    @Flag(help: "Static entries, too.") var `static` = false
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.change(
            "clear fdb", "DELETE", "/v1/fdb",
            query: [
                "vsi": vsi, "port": port, "peer": peer, "mac": mac?.description,
                "static": `static` ? "true" : nil,
            ]
        ) { "removed \(entryCount($0.removed))\n" }
    }
}

struct ClearARP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arp", abstract: "Remove dynamic neighbors, all of them or selected ones.")

    @OptionGroup var filters: ARPFilters
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.change("clear arp", "DELETE", "/v1/arp", query: filters.query) {
            "removed \(entryCount($0.removed))\n"
        }
    }
}

private func entryCount(_ count: Int) -> String { count == 1 ? "1 entry" : "\(count) entries" }
