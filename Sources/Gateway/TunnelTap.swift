internal import Control
internal import Uring
internal import Wire

/// The tap of the underlay as a worker sends into it and reads from it.
///
/// Thread-safety: its worker; immutable.
struct TunnelTap: BitwiseCopyable {
    /// False on the `udp` underlay; nothing else may be asked then.
    let isInUse: Bool
    let file: UringFile
    /// Bytes of the offload header in front of every frame.
    let headerByteCount: Int
    /// The kernel takes TCP super-packets inside of VXLAN.
    let takesSuperPackets: Bool
    /// The kernel takes several datagrams of one size as one, whose outer checksums it fills.
    let takesDatagramRuns: Bool
    /// Every outer UDP header gets a checksum.
    let isChecksummed: Bool
    let outer: OuterHeader

    /// - Parameter file: the worker's queue of the tap, or what it receives from else.
    init(_ plan: UnderlayPlan, file: UringFile) {
        self.file = file
        isInUse = plan.tap != nil
        headerByteCount = plan.tap?.device.headerByteCount ?? OffloadHeader.byteCount
        takesSuperPackets = plan.tap?.device.offloads.contains(.tunnels) ?? false
        takesDatagramRuns =
            plan.checksum != .off && plan.tap?.device.offloads.contains(.udp) ?? false
        isChecksummed = plan.checksum == .on
        outer = OuterHeader(
            destinationMAC: MACAddress(bits: UnderlayTap.deviceMACAddress),
            sourceMAC: MACAddress(bits: UnderlayTap.vtepMACAddress),
            source: plan.tap?.address ?? 0, destinationPort: plan.port)
    }
}
