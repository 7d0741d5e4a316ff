import ArgumentParser
import Control
import ControlAPI
import Wire

/// `vxgate arp add|delete`.
struct ARPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arp", abstract: "Add and delete static neighbors.",
        discussion:
            "They last until the next restart; the file has `static-arp` for what is to stay.",
        subcommands: [ARPAdd.self, ARPDelete.self])
}

struct ARPAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Bind an IPv4 address to a MAC address.")

    @Option(help: "The VSI-interface.") var interface: String
    @Option(help: "The IPv4 address.") var address: IPv4Address
    @Option(help: "The MAC address, as 02:aa:00:00:00:01.") var mac: MACAddress
    @OptionGroup var options: ClientOptions

    func run() throws {
        let fields = [
            "interface": interface, "address": address.description, "mac": mac.description,
        ]
        try options.change("arp add", "POST", "/v1/arp", fields: fields) { _ in "" }
    }
}

struct ARPDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a neighbor, static or dynamic.")

    @Option(help: "The VSI-interface.") var interface: String
    @Option(help: "The IPv4 address.") var address: IPv4Address
    @OptionGroup var options: ClientOptions

    func run() throws {
        let target = "/v1/arp/\(ControlClient.segment(interface))/\(address)"
        try options.change("arp delete", "DELETE", target) { _ in "" }
    }
}
