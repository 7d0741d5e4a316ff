import ArgumentParser
import Control
import ControlAPI

/// `vxgate show counters`; beside it everything else that is counted.
struct ShowCounters: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "counters", abstract: "Packets by stage, the totals and the events.",
        discussion: """
            At any quiet moment received + replicated = transmitted + consumed + dropped + held.
            """)

    @OptionGroup var options: ClientOptions

    func run() throws { try options.show("counters", as: CountersReport.self) { $0.text } }
}

struct ShowDrops: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drops", abstract: "Dropped packets by reason.")

    @Argument(help: "Only this reason.") var reason: String?
    @Flag(help: "Reasons that never occurred, too (JSON always has them).") var all = false
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show("drops", as: [DropReport].self, query: ["name": reason]) { rows in
            TextTable(rows.filter { all || reason != nil || $0.packets > 0 }).text
        }
    }
}

struct ShowEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "What is counted beside packets and drops.")

    @Argument(help: "Only this event.") var name: String?
    @OptionGroup var options: ClientOptions

    func run() throws { try options.show("events", rows: EventReport.self, query: ["name": name]) }
}

struct ShowRuntime: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runtime", abstract: "The counters of each worker and its load.")

    @OptionGroup var options: ClientOptions

    func run() throws { try options.show("runtime", as: RuntimeReport.self) { $0.text } }
}
