public import Wire

/// What the agent knows of the host beside its configuration.
public struct Environment: Sendable, Equatable {
    /// The VTEP address, found out when the configuration names an interface.
    public var vtepAddress: IPv4Address
    /// MTU of the device that holds it, bytes of an IPv4 packet; 0 when unknown.
    public var underlayMTU: Int
    /// Source ports that could be had; flows are spread over so many.
    public var sourcePortCount: Int
    /// Devices whose link is up.
    public var devicesUp: Set<DeviceKey>

    public init(
        vtepAddress: IPv4Address, underlayMTU: Int, sourcePortCount: Int,
        devicesUp: Set<DeviceKey> = []
    ) {
        self.vtepAddress = vtepAddress
        self.underlayMTU = underlayMTU
        self.sourcePortCount = sourcePortCount
        self.devicesUp = devicesUp
    }
}
