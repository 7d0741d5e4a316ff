internal import CLinux
import Glibc

/// The tap by which the host routes VXLAN to and from a VTEP address that is not its own.
///
/// The kernel forwards what arrives for the address into the tap, and what is written to it along
/// the host's other routes. The device, and the route to the address with it, lives as long as its
/// queues are open, or until `remove`.
///
/// Thread-safety: immutable.
public final class UnderlayTap: Sendable {
    public let device: TapDevice
    /// The VTEP address, host order.
    public let address: UInt32

    /// The device's own MAC address, to which its user sends, and the one the VTEP speaks from.
    /// Both are locally administered, and nobody else is on this link.
    public static let deviceMACAddress: UInt64 = 0x0200_5658_0001
    public static let vtepMACAddress: UInt64 = 0x0200_5658_0002

    /// The longest IP packet a tap takes: 65,535 less its Ethernet header.
    private static let mtu = 65_521

    /// Packets that may wait for a worker which is busy: some milliseconds of them. The kernel's
    /// 1000 were too few for bursts of small ones.
    private static let queueLength = 8192

    /// - Parameters:
    ///   - address: host order; no device of the host may have it.
    ///   - queues: how many workers read and write it.
    /// - Throws: the address is the host's own; whatever `TapDevice` and the route refuse. Code
    ///   EBUSY where the name is taken.
    public init(name: String, address: UInt32, queues: Int) throws(UringError) {
        let text = DatagramSocket.dotted(address)
        if let holder = try NetworkDevice.holding(address: address) {
            throw UringError(
                "\(text) is an address of this host (\(holder.name)), and vtep.underlay is tap",
                remedy: "take it off (`ip address delete \(text) dev \(holder.name)`), choose an"
                    + " address that no device has, or set vtep.underlay: udp")
        }
        device = try TapDevice(
            name: name, queues: queues, mtu: Self.mtu, macAddress: Self.deviceMACAddress,
            purpose: .routed)
        try NetworkDevice.setQueueLength(Self.queueLength, of: name)
        self.address = address
        try routeToVTEP()
    }

    /// Routes the VTEP address into the device. The kernel forgets that whenever the device goes
    /// down.
    public func routeToVTEP() throws(UringError) {
        let result = unsafe vx_route_add_host(address, device.name)
        guard result == 0 || result == -EEXIST else {
            throw UringError.unexpected(
                "route \(DatagramSocket.dotted(address)) to \(device.name)", result)
        }
    }

    /// Bytes of the longest packet that the host's routes carry to `destination` (host order); nil
    /// when there is no route.
    public func pathMTU(to destination: UInt32) -> Int? {
        let result = vx_path_mtu(0, destination)
        return result > 0 ? Int(result) : nil
    }

    /// Removes the device at once; else it would outlive its descriptors by the time that the
    /// kernel takes to empty a ring.
    public func remove() throws(UringError) { try NetworkDevice.remove(device.name) }
}
