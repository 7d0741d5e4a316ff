import ArgumentParser
import Control
import ControlAPI
import Wire

/// `vxgate fdb add|delete`.
struct FDBCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fdb", abstract: "Add and delete static MAC addresses.",
        discussion:
            "They last until the next restart; the file has `static-fdb` for what is to stay.",
        subcommands: [FDBAdd.self, FDBDelete.self])
}

struct FDBAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Bind a MAC address to an access port or a peer.")

    @Option(help: "The VSI.") var vsi: String
    @Option(help: "The MAC address, as 02:aa:00:00:00:01.") var mac: MACAddress
    @Option(help: "The access port it is behind.") var port: String?
    @Option(help: "The peer it is behind.") var peer: String?
    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard (port == nil) != (peer == nil) else {
            throw ValidationError("Give either '--port' or '--peer'")
        }
    }

    func run() throws {
        var fields = ["vsi": vsi, "mac": mac.description]
        fields["port"] = port
        fields["peer"] = peer
        try options.change("fdb add", "POST", "/v1/fdb", fields: fields) { _ in "" }
    }
}

struct FDBDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a MAC address, static or dynamic.")

    @Option(help: "The VSI.") var vsi: String
    @Option(help: "The MAC address.") var mac: MACAddress
    @OptionGroup var options: ClientOptions

    func run() throws {
        let target = "/v1/fdb/\(ControlClient.segment(vsi))/\(mac)"
        try options.change("fdb delete", "DELETE", target) { _ in "" }
    }
}
