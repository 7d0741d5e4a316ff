import ArgumentParser
import Control
import ControlAPI
import Wire

/// `vxgate show fdb`; beside it the other tables a packet is looked up in.
struct ShowFDB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fdb", abstract: "MAC addresses and where they are.",
        discussion: """
            A row of kind `flood` with the MAC 00:00:00:00:00:00 is a peer that broadcasts and \
            unknown addresses of the VSI are sent to.
            """)

    @Option(help: "Only entries of this VSI.") var vsi: String?
    @Option(help: "Only entries behind this access port.") var port: String?
    @Option(help: "Only entries behind this peer.") var peer: String?
    @Option(help: "Only this MAC address.") var mac: MACAddress?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show(
            "fdb", rows: FDBReport.self,
            query: ["vsi": vsi, "port": port, "peer": peer, "mac": mac?.description])
    }
}

struct ShowARP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arp", abstract: "IPv4 neighbors and where they are.")

    @OptionGroup var filters: ARPFilters
    @OptionGroup var options: ClientOptions

    func run() throws { try options.show("arp", rows: ARPReport.self, query: filters.query) }
}

/// Which ARP entries are meant.
struct ARPFilters: ParsableArguments {
    @Option(help: "Only entries of this VSI-interface.") var interface: String?
    @Option(help: "Only entries of this VRF.") var vrf: String?
    @Option(help: "Only entries of this VSI.") var vsi: String?
    @Option(help: "Only entries behind this access port.") var port: String?
    @Option(help: "Only entries behind this peer.") var peer: String?
    @Option(help: "Only this IPv4 address.") var address: IPv4Address?
    @Option(help: "Only this MAC address.") var mac: MACAddress?

    var query: KeyValuePairs<String, String?> {
        [
            "interface": interface, "vrf": vrf, "vsi": vsi, "port": port, "peer": peer,
            "address": address?.description, "mac": mac?.description,
        ]
    }
}

struct ShowRoute: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "The routing tables.")

    @Option(help: "Only routes of this VRF.") var vrf: String?
    @Option(help: "Only routes out of this interface.") var interface: String?
    @Option(help: "Only the route that packets to this IPv4 address take.") var address:
        IPv4Address?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show(
            "route", rows: RouteReport.self,
            query: ["vrf": vrf, "interface": interface, "address": address?.description])
    }
}

struct ShowPolicy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Policy routes in the order they are tried in.")

    @Argument(help: "Only this policy route.") var name: String?
    @Option(help: "Only policy routes of this VRF.") var vrf: String?
    @Option(help: "Only policy routes of this interface.") var interface: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.show(
            "policy", rows: PolicyReport.self,
            query: ["name": name, "vrf": vrf, "interface": interface])
    }
}
