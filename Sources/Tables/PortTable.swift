/// What the stages need to know of an access port, in `TableSet.ports`.
public struct PortRecord: BitwiseCopyable, Sendable {
    public static let noVLAN: UInt16 = 0xFFFF

    public var isInUse: Bool
    public var isUp: Bool
    public var vsi: UInt16
    /// The device its frames come from and go to.
    public var device: UInt16
    /// 1...4094, or `noVLAN` for untagged frames.
    public var vlan: UInt16

    public init(isInUse: Bool, isUp: Bool, vsi: UInt16, device: UInt16, vlan: UInt16) {
        self.isInUse = isInUse
        self.isUp = isUp
        self.vsi = vsi
        self.device = device
        self.vlan = vlan
    }

    public static let unused = PortRecord(
        isInUse: false, isUp: false, vsi: 0, device: 0, vlan: noVLAN)
}

/// A device with one or more access ports, in `TableSet.devices`: tells the port of a received
/// frame by its VLAN.
public struct DeviceRecord: BitwiseCopyable, Sendable {
    /// The port of untagged frames, or -1.
    public var nativePort: Int32
    /// Where in `TableSet.vlanPorts` the 4096 ports by VLAN begin, or -1 when no port has a VLAN.
    public var vlanTable: Int32

    public init(nativePort: Int32, vlanTable: Int32) {
        self.nativePort = nativePort
        self.vlanTable = vlanTable
    }
}
