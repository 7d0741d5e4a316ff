/// A network device that access ports share: what has to be opened once.
public struct DeviceKey: Hashable, Sendable {
    public var type: Configuration.PortType
    public var device: String
    /// Where a tap is put.
    public var netns: String?

    public init(type: Configuration.PortType, device: String, netns: String?) {
        self.type = type
        self.device = device
        self.netns = netns
    }

    public init(_ port: Configuration.AccessPort) {
        self.init(type: port.type, device: port.device, netns: port.netns)
    }
}
