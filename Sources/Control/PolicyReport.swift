/// A row of `show policy`: a policy route in the order it is tried in.
public struct PolicyReport: Codable, Sendable, Equatable {
    public var name: String
    public var order: Int
    public var interface: String?
    public var source: String
    public var destination: String
    /// `tcp`, `udp`, `icmp` or a number; null means any.
    public var `protocol`: String?
    /// `80-443`, or one port; null means any.
    public var destinationPorts: String?
    public var nextHop: String?
    public var packets: UInt64

    public init(
        name: String, order: Int, interface: String?, source: String, destination: String,
        protocol: String?, destinationPorts: String?, nextHop: String?, packets: UInt64
    ) {
        self.name = name
        self.order = order
        self.interface = interface
        self.source = source
        self.destination = destination
        self.protocol = `protocol`
        self.destinationPorts = destinationPorts
        self.nextHop = nextHop
        self.packets = packets
    }

    enum CodingKeys: String, CodingKey {
        case name, order, interface, source, destination, packets
        case `protocol` = "protocol"
        case destinationPorts = "destination_ports"
        case nextHop = "next_hop"
    }
}
