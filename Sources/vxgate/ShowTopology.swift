import ArgumentParser
import Control
import ControlAPI

/// `vxgate show vsi`; beside it the other things that the configuration names.
struct ShowVSI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vsi", abstract: "Layer-2 domains, with and without a VNI.")

    @Argument(help: "Only this VSI.") var name: String?
    @Option(help: "Only this VSI.") var vsi: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show("vsi", rows: VSIReport.self, query: ["name": name, "vsi": vsi])
    }
}

struct ShowVNI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vni", abstract: "VXLANs: the VSIs that have a VNI.")

    @Argument(help: "Only this VNI, by number or by the name of its VSI.") var name: String?
    @Option(help: "Only the VNI of this VSI.") var vsi: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show("vni", as: [VSIReport].self, query: ["name": name, "vsi": vsi]) {
            TextTable($0.map(VNIRow.init)).text
        }
    }
}

struct ShowPeer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer", abstract: "Remote VTEPs and the traffic with each.")

    @Argument(help: "Only this peer.") var name: String?
    @Option(help: "Only this peer.") var peer: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show("peer", rows: PeerReport.self, query: ["name": name, "peer": peer])
    }
}

struct ShowPort: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "port", abstract: "Access and native ports, their state and traffic.")

    @Argument(help: "Only this port.") var name: String?
    @Option(help: "Only this port.") var port: String?
    @Option(help: "Only ports of this VSI.") var vsi: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show(
            "port", rows: PortReport.self, query: ["name": name, "port": port, "vsi": vsi])
    }
}

struct ShowVersion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Version, name and age of the running gateway.")

    @OptionGroup var options: ClientOptions

    func run() throws { try options.show("version", as: VersionReport.self) { $0.text } }
}
